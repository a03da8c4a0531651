// For the team that owns the workspace: tables, data collection rule, parsers and content. Deploy it into the workspace's resource group.

targetScope = 'resourceGroup'

import { tablesType } from 'generated/tables.bicep'
import { tuningType } from 'tuning.bicep'
import { chosenTables, destinationType, endpointType, newWorkspaceType, releasedTables } from 'tables.bicep'
import { checkedId, checkedPrefix, prefixType, tagsType } from 'types.bicep'

@description('Required. Name of the existing workspace or of the one to create.')
@minLength(4)
@maxLength(63)
param workspaceName string

@description('Optional. Create the workspace instead of using an existing one. Its name must be workspaceName.')
param newWorkspace newWorkspaceType?

@description('Optional. Short name that resource names are built from.')
param prefix prefixType = 'claude'

@description('Optional. Name of the data collection rule; by default dcr-PREFIX.')
@minLength(3)
@maxLength(30)
param ruleName string = 'dcr-${prefix}'

@description('Optional. Plan, retention and protection of the tables.')
param tables tablesType = {}

@description('Optional. Destination of the rows: the rule\'s own endpoint, or a data collection endpoint for private link.')
param endpoint endpointType = { kind: 'none' }

@description('Optional. Whether to deploy parsers, rules, hunts and workbooks.')
param deployContent bool = true

@description('Optional. Changes to rules, by slug: enabled or disabled, severity, frequency, thresholds.')
param tuning tuningType = {}

@description('Optional. Tags.')
param tags tagsType = {}

var tableList = chosenTables(releasedTables, tables, deployContent)

module created 'modules/workspace.bicep' = if (newWorkspace != null) {
  params: {
    workspace: newWorkspace.?name == workspaceName
      ? newWorkspace!
      : fail('newWorkspace.name: must be the same as workspaceName')
    tags: tags
  }
}

module facts 'modules/workspace-facts.bicep' = {
  params: { workspaceName: workspaceName }
  dependsOn: [created]
}

module table 'modules/table.bicep' = [
  for item in tableList: {
    params: { workspaceName: workspaceName, table: item }
    dependsOn: [created]
  }
]

module createdEndpoint 'modules/endpoint.bicep' = if (endpoint.kind == 'created') {
  params: {
    name: 'dce-${checkedPrefix(prefix)}'
    location: facts.outputs.location
    tags: tags
  }
}

var endpointResourceId = endpoint.kind == 'given'
  ? checkedId(endpoint.resourceId, 'Microsoft.Insights/dataCollectionEndpoints', 'endpoint.resourceId')
  : endpoint.kind == 'created' ? resourceId('Microsoft.Insights/dataCollectionEndpoints', 'dce-${prefix}') : null

module endpointFacts 'modules/endpoint-facts.bicep' = if (endpoint.kind != 'none') {
  scope: resourceGroup(
    split(endpointResourceId ?? subscription().id, '/')[2],
    endpointResourceId == null ? resourceGroup().name : split(endpointResourceId!, '/')[4]
  )
  params: { name: last(split(endpointResourceId!, '/')) }
  dependsOn: [createdEndpoint]
}

module rule 'modules/rule.bicep' = {
  params: {
    name: ruleName
    location: facts.outputs.location
    tags: tags
    workspaceName: workspaceName
    tables: tableList
    endpointResourceId: endpointResourceId
  }
  dependsOn: [table, createdEndpoint] // a rule for a missing table is refused
}

module content 'modules/content.bicep' = if (deployContent) {
  params: {
    workspaceName: workspaceName
    location: facts.outputs.location
    tags: tags
    tuning: tuning
  }
  dependsOn: [table]
}

@description('For app.bicep: values that only Azure has.')
output destination destinationType = {
  workspaceCustomerId: facts.outputs.customerId
  workspaceLocation: facts.outputs.location
  ruleImmutableId: rule.outputs.immutableId
  ingestionEndpoint: endpoint.kind == 'none' ? rule.outputs.logsIngestion : endpointFacts!.outputs.logsIngestion
  tableVersions: toObject(tableList, item => item.name, item => item.version)
}

@description('For roles.bicep: resource id of the data collection rule.')
output ruleResourceId string = resourceId('Microsoft.Insights/dataCollectionRules', ruleName)

@description('For app.bicep, with a private network: resource id of the data collection endpoint.')
output endpointResourceId string? = endpointResourceId
