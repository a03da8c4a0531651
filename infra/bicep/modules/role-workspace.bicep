// The role to read some tables. Azure supports table conditions only at the workspace, so the scope is the workspace and the
// condition excludes every other table.

import { principalType } from '../types.bicep'

@description('Required. Name of the workspace.')
param workspaceName string

@description('Required. Principal of the assignment.')
param principal principalType

@description('Required. GUID of the role.')
param roleId string

@description('Required. Tables that may be read; without any, no condition is set.')
param tables string[]

@description('Required. Which of them are protected; readers of these must be named explicitly.')
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
