// The function app on Flex Consumption. One process handles everything (the request budget is the limit, not the machine), so it
// never needs to scale out.

import { appSettingsType } from '../settings.bicep'
import { tagsType } from '../types.bicep'

@description('Required. Name.')
param name string

@description('Required. Name of the plan.')
param planName string

@description('Required. Region.')
param location string

@description('Required. Tags.')
param tags tagsType

@description('Required. Version of Python.')
param pythonVersion '3.12' | '3.13'

@description('Required. Memory of an instance, in MB.')
param instanceMemoryMB 2048 | 4096

@description('Required. Name of the user-assigned identity.')
param identityName string

@description('Required. Client id of that identity.')
param identityClientId string

@description('Required. Address of blob storage, such as https://ACCOUNT.blob.core.windows.net.')
param blobEndpoint string

@description('Required. Name of the Application Insights component.')
param componentName string

@description('Required. The bridge\'s settings.')
param settings appSettingsType

@description('Required. Whether the app can be reached from the internet.')
param public bool

@description('Optional. Subnet for outbound traffic of the app.')
param subnetResourceId string?

@description('Optional. URL of the release\'s zip, which contains all wheels: nothing is built, and no package index is used.')
param packageUri string?

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: identityName
}

resource component 'Microsoft.Insights/components@2020-02-02' existing = {
  name: componentName
}

resource plan 'Microsoft.Web/serverfarms@2025-03-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { name: 'FC1', tier: 'FlexConsumption' }
  properties: { reserved: true }
}

var platformSettings = {
  AzureWebJobsStorage__blobServiceUri: blobEndpoint
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: identityClientId
  APPLICATIONINSIGHTS_CONNECTION_STRING: component.properties.ConnectionString
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
  AZURE_CLIENT_ID: identityClientId
}

resource site 'Microsoft.Web/sites@2025-03-01' = {
  name: name
  location: location
  tags: union(tags, { 'azd-service-name': 'bridge' }) // azd finds the app by this tag
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identity.id}': {} }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    keyVaultReferenceIdentity: identity.id
    publicNetworkAccess: public ? 'Enabled' : 'Disabled'
    virtualNetworkSubnetId: subnetResourceId
    siteConfig: {
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      ftpsState: 'Disabled'
      http20Enabled: true
      appSettings: map(items(union(platformSettings, settings)), entry => { name: entry.key, value: entry.value })
    }
    functionAppConfig: {
      runtime: { name: 'python', version: pythonVersion }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: 40 // the lowest value known to be accepted
        triggers: { http: { perInstanceConcurrency: 4 } } // as in host.json: health checks start no further instance
      }
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${blobEndpoint}/packages'
          authentication: { type: 'UserAssignedIdentity', userAssignedIdentityResourceId: identity.id }
        }
      }
    }
  }
}

// Publishing with a password is disabled.
resource scmPublishing 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-03-01' = {
  parent: site
  name: 'scm'
  properties: { allow: false }
}

resource ftpPublishing 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-03-01' = {
  parent: site
  name: 'ftp'
  properties: { allow: false }
}

resource package 'Microsoft.Web/sites/extensions@2025-03-01' = if (packageUri != null) {
  parent: site
  name: 'onedeploy'
  #disable-next-line BCP187 // documented for Flex Consumption, missing in the type
  properties: {
    packageUri: packageUri
    remoteBuild: false
  }
}

@description('Resource id.')
output resourceId string = site.id

@description('Name of the host, for health checks.')
output hostName string = site.properties.defaultHostName
