// State, the host's own blobs, and the app's package: one container each, so that each role is scoped to a container.

import { tagsType } from '../types.bicep'

@description('Required. Name.')
@minLength(3)
@maxLength(24)
param name string

@description('Required. Region.')
param location string

@description('Required. Tags.')
param tags tagsType

@description('Required. Redundancy. State is the most costly loss if a region is lost.')
param sku skuType

@description('Required. Whether the account can be reached from the internet.')
param public bool

@description('Required. Retention of state.')
param lifecycle lifecycleType

@export()
@description('Redundancy of the storage account.')
type skuType = 'Standard_LRS' | 'Standard_ZRS' | 'Standard_GRS' | 'Standard_GZRS'

@export()
@description('Days after which state is deleted.')
@sealed()
type lifecycleType = {
  @description('Optional. Ledgers: as long as proofs are needed. Default 2557 (7 years).')
  @minValue(90)
  ledgerDays: int?

  @description('Optional. Activities that could not be delivered. Without it they are kept: pending items that are deleted are lost.')
  @minValue(30)
  deadLetterDays: int?

  @description('Optional. Complete activities whose rows were truncated: as long as the rows. Default 730.')
  @minValue(30)
  overflowDays: int?
}

var containers = ['state', 'packages', 'azure-webjobs-hosts', 'azure-webjobs-secrets']

resource account 'Microsoft.Storage/storageAccounts@2026-04-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: sku }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    isLocalUserEnabled: false
    publicNetworkAccess: public ? 'Enabled' : 'Disabled'
    networkAcls: { defaultAction: public ? 'Allow' : 'Deny', bypass: 'None' }
    encryption: {
      keySource: 'Microsoft.Storage'
      requireInfrastructureEncryption: true
      services: { blob: { enabled: true, keyType: 'Account' } }
    }
  }
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2026-04-01' = {
  parent: account
  name: 'default'
  properties: {
    isVersioningEnabled: true // restoring a checkpoint is the easiest repair
    deleteRetentionPolicy: { enabled: true, days: 30 }
    containerDeleteRetentionPolicy: { enabled: true, days: 30 }
  }
}

resource container 'Microsoft.Storage/storageAccounts/blobServices/containers@2026-04-01' = [
  for item in containers: {
    parent: blobs
    name: item
    properties: { publicAccess: 'None' }
  }
]

var deletions = [
  { name: 'ledger', type: 'appendBlob', days: lifecycle.?ledgerDays ?? 2557 }
  { name: 'dead-letters', type: 'appendBlob', days: lifecycle.?deadLetterDays ?? 0 }
  { name: 'overflow', type: 'blockBlob', days: lifecycle.?overflowDays ?? 730 }
  { name: 'health', type: 'blockBlob', days: 30 }
  { name: 'unreadable', type: 'blockBlob', days: 90 }
]

resource rules 'Microsoft.Storage/storageAccounts/managementPolicies@2026-04-01' = {
  parent: account
  name: 'default'
  properties: {
    policy: {
      rules: concat(
        map(filter(deletions, deletion => deletion.days > 0), deletion => {
          name: deletion.name
          enabled: true
          type: 'Lifecycle'
          definition: {
            filters: { blobTypes: [deletion.type], prefixMatch: ['state/${deletion.name}/'] }
            actions: { baseBlob: { delete: { daysAfterModificationGreaterThan: deletion.days } } }
          }
        }),
        [
          {
            name: 'earlier-versions'
            enabled: true
            type: 'Lifecycle'
            definition: {
              filters: { blobTypes: ['blockBlob'], prefixMatch: ['state/checkpoint/', 'state/plan/'] }
              actions: { version: { delete: { daysAfterCreationGreaterThan: 30 } } }
            }
          }
        ]
      )
    }
  }
  dependsOn: [blobs] // rules on versions are refused before versioning is enabled
}

@description('Resource id.')
output resourceId string = account.id
