// The right to read some tables. Azure takes a condition on tables at the workspace only, so the scope is the workspace and the
// condition draws the line: every other table stays unread.

import { principalType } from '../types.bicep'

@description('Required. Name of the workspace.')
param workspaceName string

@description('Required. Who gets it.')
param principal principalType

@description('Required. GUID of the role.')
param roleId string

@description('Required. Tables that may be read; none means that no condition is set.')
param tables string[]

@description('Required. Which of them are protected; their readers must be told so by name.')
param protectedTables string[]

var attribute = '@Resource[Microsoft.OperationalInsights/workspaces/tables'
var terms = map(
  tables,
  table =>
    contains(protectedTables, table)
      ? '(${attribute}:name] StringEquals \'${table}\' AND ${attribute}:protectionLevel] StringEquals \'Protected\')'
      : '${attribute}:name] StringEquals \'${table}\''
)
var condition = '((!(ActionMatches{\'Microsoft.OperationalInsights/workspaces/tables/data/read\'})) OR (${join(terms, ' OR ')}))'

resource workspace 'Microsoft.OperationalInsights/workspaces@2026-03-01' existing = {
  name: workspaceName
}

resource assignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: workspace
  name: guid(workspace.id, principal.principalId, roleId)
  properties: {
    principalId: principal.principalId
    principalType: principal.principalType
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleId)
    ...(empty(tables) ? {} : { condition: condition, conditionVersion: '2.0' })
  }
}
