// All three templates together, for teams with all permissions: workspace, app, roles. Deploy it into the resource group of the app.

targetScope = 'resourceGroup'

import { tablesType } from 'generated/tables.bicep'
import { alertsType } from 'modules/alerts.bicep'
import { lifecycleType, skuType } from 'modules/storage.bicep'
import { connectionType, settingsType } from 'settings.bicep'
import { tuningType } from 'tuning.bicep'
import { networkType } from 'networks.bicep'
import { reportContainer, reportKeyOf, reportType } from 'reports.bicep'
import { chosenTables, newWorkspaceType, releasedTables, tableReaderType } from 'tables.bicep'
import {
  checkedId
  chosenNames
  cloudType
  endpointOverridesType
  namesType
  prefixType
  principalType
  tagsType
} from 'types.bicep'

@description('An existing workspace, in any resource group, subscription and region of the tenant.')
@sealed()
type givenWorkspaceType = {
  @description('Required. An existing workspace.')
  kind: 'given'

  @description('Required. Its resource id.')
  resourceId: string
}

@description('A workspace to create next to the app, with Microsoft Sentinel enabled.')
@sealed()
type createdWorkspaceType = {
  @description('Required. A workspace to create.')
  kind: 'created'

  @description('Required. What to create.')
  workspace: newWorkspaceType
}

@discriminator('kind')
@description('Destination of the rows.')
type workspaceType = givenWorkspaceType | createdWorkspaceType

@description('Required. Destination of the rows.')
param workspace workspaceType

@description('Optional. Short name that resource names are built from.')
param prefix prefixType = 'claude'

@description('Optional. Names, if a naming policy requires others.')
param names namesType = {}

@description('Optional. Name of the data collection rule.')
@minLength(3)
@maxLength(30)
param ruleName string = 'dcr-${prefix}'

@description('Optional. Region of the app; rule and alerts use the workspace\'s region.')
param location string = resourceGroup().location

@description('Optional. Tags.')
param tags tagsType = {}

@description('Optional. Organizations to read. Their keys are stored in the vault and are never parameters.')
@minLength(1)
param connections connectionType[] = [{ name: 'default' }]

@description('Optional. Settings of the bridge.')
param settings settingsType = {}

@description('Optional. Plan, retention and protection of the tables.')
param tables tablesType = {}

@description('Optional. Whether to deploy parsers, rules, hunts and workbooks.')
param deployContent bool = true

@description('Optional. Changes to rules, by slug: enabled or disabled, severity, frequency, thresholds.')
param tuning tuningType = {}

@description('Optional. Whether storage, vault and Azure Monitor are reached privately, and how.')
param network networkType = { kind: 'public' }

@description('Optional. Compliance reports for auditors: container, signing key, mail recipients.')
param report reportType = { kind: 'none' }

@description('Optional. Alerts about failures of the bridge.')
param alerts alertsType = {}

@description('Optional. Version of Python.')
param pythonVersion '3.12' | '3.13' = '3.12'

@description('Optional. Memory of an instance, in MB.')
param instanceMemoryMB 2048 | 4096 = 2048

@description('Optional. Redundancy of the storage account.')
param storageSku skuType = 'Standard_ZRS'

@description('Optional. Retention of state. By default, the complete activities of truncated rows are kept as long as the rows.')
param lifecycle lifecycleType = {}

@description('Optional. Workspace behind Application Insights and the vault\'s log; by default the destination of the rows.')
param telemetryWorkspaceResourceId string?

@description('Optional. URL of the release\'s zip. Without it the app is created empty and published by azd, az or a pipeline.')
param packageUri string?

@description('Optional. Whether to assign roles; otherwise another team deploys roles.bicep.')
param assignRoles bool = true

@description('Optional. What the app may read in the workspace: its own tables, or all of it if table conditions are not available.')
param workspaceAccess 'tables' | 'workspace' = 'tables'

@description('Optional. What the host may use in the storage account: its two containers, or all of it if the host does not start otherwise.')
param hostStorage 'containers' | 'account' = 'containers'

@description('Optional. Who stores and rotates the keys in the vault.')
param keyHolders principalType[] = []

@description('Optional. Who reads which table.')
param tableReaders tableReaderType[] = []

@description('Optional. Who runs init, doctor, prove and the other commands from their own machine.')
param operators principalType[] = []

@description('Optional. Cloud of Azure.')
param cloud cloudType = 'AzureCloud'

@description('Optional. Endpoints that differ from those of the cloud.')
param endpoints endpointOverridesType = {}

var workspaceId = workspace.kind == 'given'
  ? checkedId(workspace.resourceId, 'Microsoft.OperationalInsights/workspaces', 'workspace.resourceId')
  : resourceId('Microsoft.OperationalInsights/workspaces', workspace.workspace.name)
var givenEndpoint = network.kind == 'given' ? network.?dataCollectionEndpointResourceId : null
var givenScope = network.kind == 'given' ? network.?privateLinkScopeResourceId : null

var endpointId = givenEndpoint ?? (network.kind == 'created' || givenScope != null
  ? resourceId(
      split(workspaceId, '/')[2],
      split(workspaceId, '/')[4],
      'Microsoft.Insights/dataCollectionEndpoints',
      'dce-${prefix}'
    )
  : null)
var chosen = chosenNames(prefix, names, resourceGroup().id)
var tableList = chosenTables(releasedTables, tables, deployContent)

module destination 'workspace.bicep' = {
  scope: resourceGroup(split(workspaceId, '/')[2], split(workspaceId, '/')[4])
  params: {
    workspaceName: last(split(workspaceId, '/'))
    newWorkspace: workspace.kind == 'created' ? workspace.workspace : null
    prefix: prefix
    ruleName: ruleName
    tables: tables
    endpoint: givenEndpoint != null
      ? { kind: 'given', resourceId: givenEndpoint! }
      : endpointId != null ? { kind: 'created' } : { kind: 'none' }
    deployContent: deployContent
    tuning: tuning
    tags: tags
  }
}

module app 'app.bicep' = {
  params: {
    destination: destination.outputs.destination
    workspaceResourceId: workspaceId
    endpointResourceId: endpointId
    prefix: prefix
    names: names
    location: location
    tags: tags
    connections: connections
    settings: settings
    pythonVersion: pythonVersion
    instanceMemoryMB: instanceMemoryMB
    storageSku: storageSku
    lifecycle: union(
      {
        overflowDays: max(concat(
          [30],
          map(filter(tableList, table => table.overflows), table => table.totalRetentionDays)
        ))
      },
      lifecycle
    )
    network: network
    report: report
    alerts: alerts
    telemetryWorkspaceResourceId: telemetryWorkspaceResourceId ?? workspaceId
    packageUri: packageUri
    cloud: cloud
    endpoints: endpoints
  }
}

module roles 'roles.bicep' = if (assignRoles) {
  params: {
    // Known only after the identity exists; a role assignment named after anything else would conflict with that of a deleted identity of the same name.
    #disable-next-line what-if-short-circuiting
    principalId: app.outputs.principalId
    storageName: chosen.storage
    vaultName: chosen.vault
    componentName: chosen.component
    ruleResourceId: resourceId(
      split(workspaceId, '/')[2],
      split(workspaceId, '/')[4],
      'Microsoft.Insights/dataCollectionRules',
      ruleName
    )
    workspaceResourceId: workspaceId
    workspaceAccess: workspaceAccess
    protectedTables: map(filter(tableList, table => table.protected), table => table.name)
    hostStorage: hostStorage
    reports: report.kind != 'none'
    reportContainerName: report.kind == 'created' ? reportContainer : null
    reportKeyName: reportKeyOf(report)
    #disable-next-line what-if-short-circuiting // as above; whether one exists is known before
    mail: report.kind == 'created' && report.?mail != null ? { principalId: app.outputs.mailPrincipalId! } : null
    keyHolders: keyHolders
    tableReaders: tableReaders
    operators: operators
  }
}

@description('Name of the function app, for publishing.')
output siteName string = app.outputs.siteName

@description('Name of the vault that stores the key.')
output vaultName string = app.outputs.vaultName

@description('URL of the health endpoint.')
output healthUrl string = app.outputs.healthUrl

@description('Object id of the app\'s identity.')
output principalId string = app.outputs.principalId
