// For the team that runs the platform: identity, storage, vault, function app, telemetry, alerts, and the private network if
// requested. Assigns no roles (roles.bicep does) and contains no key: without one in the vault the app reports that it waits.

targetScope = 'resourceGroup'

import { alertsType } from 'modules/alerts.bicep'
import { lifecycleType, skuType } from 'modules/storage.bicep'
import { appSubnetOf, endpointSubnetOf, networkType, scopeIdOf, zoneIdsOf } from 'networks.bicep'
import { checkedReport, reportContainer, reportKeyOf, reportSettings, reportType } from 'reports.bicep'
import { checkedConnections, checkedSettings, chosenSettings, connectionType, settingsType } from 'settings.bicep'
import { destinationType } from 'tables.bicep'
import {
  checkedId
  checkedPrefix
  chosenNames
  cloudType
  endpointOverridesType
  namesType
  prefixType
  tagsType
} from 'types.bicep'

@description('Required. Output destination of workspace.bicep.')
param destination destinationType

@description('Required. Resource id of the destination workspace.')
param workspaceResourceId string

@description('Optional. Resource id of the data collection endpoint: output endpointResourceId of workspace.bicep.')
param endpointResourceId string?

@description('Optional. Short name that resource names are built from.')
param prefix prefixType = 'claude'

@description('Optional. Names, if a naming policy requires others.')
param names namesType = {}

@description('Optional. Region of the app; it may differ from the workspace\'s.')
param location string = resourceGroup().location

@description('Optional. Tags.')
param tags tagsType = {}

@description('Optional. Organizations to read.')
@minLength(1)
param connections connectionType[] = [{ name: 'default' }]

@description('Optional. Settings of the bridge.')
param settings settingsType = {}

@description('Optional. Version of Python.')
param pythonVersion '3.12' | '3.13' = '3.12'

@description('Optional. Memory of an instance, in MB.')
param instanceMemoryMB 2048 | 4096 = 2048

@description('Optional. Redundancy of the storage account.')
param storageSku skuType = 'Standard_ZRS'

@description('Optional. Retention of state.')
param lifecycle lifecycleType = {}

@description('Optional. Whether storage, vault and Azure Monitor are reached privately, and how.')
param network networkType = { kind: 'public' }

@description('Optional. Compliance reports for auditors: container, signing key, mail recipients.')
param report reportType = { kind: 'none' }

@description('Optional. Alerts about failures of the bridge.')
param alerts alertsType = {}

@description('Optional. Workspace behind Application Insights and the vault\'s log; by default the destination of the rows.')
param telemetryWorkspaceResourceId string = workspaceResourceId

@description('Optional. URL of the release\'s zip. Without it the app is created empty and published by azd, az or a pipeline.')
param packageUri string?

@description('Optional. Cloud of Azure.')
param cloud cloudType = 'AzureCloud'

@description('Optional. Endpoints that differ from those of the cloud.')
param endpoints endpointOverridesType = {}

var clouds = loadJsonContent('clouds.json')
var storageSuffix = endpoints.?storageSuffix ?? clouds[cloud].storageSuffix
var vaultSuffix = endpoints.?vaultSuffix ?? clouds[cloud].vaultSuffix
var zones = clouds[cloud].privateZones

var chosen = chosenNames(prefix, names, resourceGroup().id)
var public = network.kind == 'public'
var blobEndpoint = 'https://${chosen.storage}.blob.${storageSuffix}'
var vaultUrl = 'https://${chosen.vault}.${vaultSuffix}'
var mail = report.kind == 'created' ? report.?mail : null
var workspaceId = checkedId(workspaceResourceId, 'Microsoft.OperationalInsights/workspaces', 'workspaceResourceId')
var telemetryWorkspace = checkedId(
  telemetryWorkspaceResourceId,
  'Microsoft.OperationalInsights/workspaces',
  'telemetryWorkspaceResourceId'
)

// Subnets, zones and scope: given ones are used, not created again.
var ownNetwork = resourceId('Microsoft.Network/virtualNetworks', 'vnet-${prefix}')
var appSubnet = appSubnetOf(network, ownNetwork)
var endpointSubnet = endpointSubnetOf(network, ownNetwork)
var ownZones = network.kind == 'created' ? concat([zones.blob, zones.vault, zones.sites], zones.monitor) : []
var zoneIds = zoneIdsOf(network, {
  blob: resourceId('Microsoft.Network/privateDnsZones', zones.blob)
  vault: resourceId('Microsoft.Network/privateDnsZones', zones.vault)
  sites: resourceId('Microsoft.Network/privateDnsZones', zones.sites)
})
var scopeId = scopeIdOf(network, resourceId('Microsoft.Insights/privateLinkScopes', 'ampls-${prefix}'))
var linksToScope = scopeId != null && (network.kind == 'created' || (network.?linkToScope ?? true))

func checkedPackage(url string) string =>
  startsWith(url, 'https://') ? url : fail('packageUri: must start with https://')

var computedSettings = {
  KEY_VAULT_URL: vaultUrl
  STATE_CONTAINER_URL: '${blobEndpoint}/state'
  INGESTION_ENDPOINT: destination.ingestionEndpoint
  INGESTION_AUDIENCE: endpoints.?ingestionAudience ?? clouds[cloud].ingestionAudience
  QUERY_ENDPOINT: endpoints.?queryEndpoint ?? clouds[cloud].queryEndpoint
  DCR_IMMUTABLE_ID: destination.ruleImmutableId
  WORKSPACE_ID: destination.workspaceCustomerId
  DEPLOYED_TABLE_VERSIONS: string(destination.tableVersions)
}

module identity 'modules/identity.bicep' = {
  params: { name: chosen.identity, location: location, tags: tags }
}

module ownNet 'modules/network.bicep' = if (network.kind == 'created') {
  params: {
    prefix: prefix
    location: location
    tags: tags
    addressPrefix: network.?addressPrefix ?? '10.90.0.0/24'
  }
}

module ownZone 'modules/dns-zone.bicep' = [
  for zone in ownZones: {
    params: { name: zone, tags: tags, networkResourceId: ownNetwork }
    dependsOn: [ownNet]
  }
]

module storage 'modules/storage.bicep' = {
  params: {
    name: chosen.storage
    location: location
    tags: tags
    sku: storageSku
    public: public
    lifecycle: lifecycle
  }
}

module vault 'modules/vault.bicep' = {
  params: {
    name: chosen.vault
    location: location
    tags: tags
    public: public
    workspaceResourceId: telemetryWorkspace
  }
}

module reports 'modules/reports.bicep' = if (report.kind == 'created') {
  params: {
    accountName: chosen.storage
    containerName: reportContainer
    vaultName: chosen.vault
    keyName: reportKeyOf(report)
  }
  dependsOn: [storage, vault]
}

module reportMail 'modules/report-mail.bicep' = if (mail != null) {
  params: {
    name: 'logic-${prefix}-report'
    location: location
    tags: tags
    accountName: chosen.storage
    containerName: reportContainer
    every: report.?every ?? 'monthly'
    recipients: mail!.recipients
  }
  dependsOn: [reports]
}

module component 'modules/component.bicep' = {
  params: {
    name: chosen.component
    location: location
    tags: tags
    workspaceResourceId: telemetryWorkspace
    public: scopeId == null
  }
}

module blobDoor 'modules/private-endpoint.bicep' = if (!public) {
  params: {
    name: 'pe-${prefix}-blob'
    location: location
    tags: tags
    targetResourceId: storage.outputs.resourceId
    groupId: 'blob'
    subnetResourceId: endpointSubnet
    zoneResourceIds: zoneIds.blob
  }
  dependsOn: [ownNet, ownZone]
}

module vaultDoor 'modules/private-endpoint.bicep' = if (!public) {
  params: {
    name: 'pe-${prefix}-vault'
    location: location
    tags: tags
    targetResourceId: vault.outputs.resourceId
    groupId: 'vault'
    subnetResourceId: endpointSubnet
    zoneResourceIds: zoneIds.vault
  }
  dependsOn: [ownNet, ownZone]
}

module monitorLink 'modules/monitor-link.bicep' = if (linksToScope) {
  params: {
    prefix: prefix
    location: location
    tags: tags
    scopeResourceId: scopeId ?? ''
    scopeIsOurs: network.kind == 'created'
    componentName: chosen.component
    // A given endpoint is linked by its owners.
    endpointResourceId: network.?dataCollectionEndpointResourceId == null ? endpointResourceId : null
    workspaceResourceId: workspaceId
    subnetResourceId: endpointSubnet
    zoneResourceIds: map(
      concat(zones.monitor, [zones.blob]),
      zone => resourceId('Microsoft.Network/privateDnsZones', zone)
    )
  }
  dependsOn: [component, ownNet, ownZone, blobDoor]
}

module site 'modules/site.bicep' = {
  params: {
    name: chosen.site
    planName: chosen.plan
    location: location
    tags: tags
    pythonVersion: pythonVersion
    instanceMemoryMB: instanceMemoryMB
    identityName: chosen.identity
    identityClientId: identity.outputs.clientId
    blobEndpoint: blobEndpoint
    componentName: chosen.component
    settings: union(
      chosenSettings(checkedSettings(settings), checkedConnections(connections)),
      reportSettings(checkedReport(report, public), blobEndpoint, vaultUrl),
      computedSettings
    )
    public: public
    subnetResourceId: appSubnet
    packageUri: packageUri == null ? null : checkedPackage(packageUri!)
  }
  dependsOn: [storage, component, blobDoor, vaultDoor]
}

module siteDoor 'modules/private-endpoint.bicep' = if (!public) {
  params: {
    name: 'pe-${prefix}-site'
    location: location
    tags: tags
    targetResourceId: site.outputs.resourceId
    groupId: 'sites'
    subnetResourceId: endpointSubnet
    zoneResourceIds: zoneIds.sites
  }
  dependsOn: [ownNet, ownZone]
}

module alertRules 'modules/alerts.bicep' = {
  params: {
    prefix: checkedPrefix(prefix)
    location: destination.workspaceLocation
    tags: tags
    workspaceResourceId: workspaceId
    alerts: alerts
  }
}

@description('For roles.bicep: object id of the app\'s identity.')
output principalId string = identity.outputs.principalId

@description('For roles.bicep: name of the storage account.')
output storageName string = chosen.storage

@description('For roles.bicep, and for key holders: name of the vault.')
output vaultName string = chosen.vault

@description('For roles.bicep: name of the Application Insights component.')
output componentName string = chosen.component

@description('For roles.bicep: object id of the Logic App that mails the link to a report; empty without one.')
output mailPrincipalId string? = reportMail.?outputs.principalId

@description('Name of the function app, for publishing.')
output siteName string = chosen.site

@description('URL of the health endpoint.')
output healthUrl string = 'https://${site.outputs.hostName}/api/health'
