// The data collection rule: accepted streams and their tables. A stream that declares fewer columns than its
// table silently loses them, so both come from the same file.

import { tableType } from '../tables.bicep'
import { tagsType } from '../types.bicep'

@description('Required. Name of the rule.')
@minLength(3)
@maxLength(30)
param name string

@description('Required. Region: that of the workspace.')
param location string

@description('Required. Tags.')
param tags tagsType

@description('Required. Name of the workspace.')
param workspaceName string

@description('Required. The tables.')
param tables tableType[]

@description('Optional. Resource id of a data collection endpoint, for private link.')
param endpointResourceId string?

resource workspace 'Microsoft.OperationalInsights/workspaces@2026-03-01' existing = {
  name: workspaceName
}

resource rule 'Microsoft.Insights/dataCollectionRules@2024-03-11' = {
  name: name
  location: location
  tags: tags
  kind: 'Direct' // can be set only at creation
  properties: {
    description: 'Claude activities and health of the bridge.'
    dataCollectionEndpointId: endpointResourceId
    streamDeclarations: toObject(tables, table => 'Custom-${table.name}', table => {
      columns: map(table.columns, column => { name: column.name, type: column.type })
    })
    destinations: {
      logAnalytics: [{ name: 'workspace', workspaceResourceId: workspace.id }]
    }
    dataFlows: map(tables, table => {
      streams: ['Custom-${table.name}']
      destinations: ['workspace']
      outputStream: 'Custom-${table.name}'
      transformKql: 'source'
    })
  }
}

// Rows that the rule drops are reported only here: the sender has already received its 204.
#disable-next-line use-recent-api-versions // the only stable version, of 2016, has no named settings
resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: rule
  name: 'claude-bridge'
  properties: {
    workspaceId: workspace.id
    logs: [{ category: 'LogErrors', enabled: true }]
  }
}

@description('Resource id.')
output resourceId string = rule.id

@description('Immutable id, by which uploads address the rule.')
output immutableId string = rule.properties.immutableId

@description('The rule\'s own endpoint.')
output logsIngestion string = rule.properties.endpoints.logsIngestion
