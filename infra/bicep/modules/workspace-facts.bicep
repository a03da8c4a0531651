// Properties of an existing workspace; rule and alerts must be in its region.

@description('Required. Name of the workspace.')
param workspaceName string

resource workspace 'Microsoft.OperationalInsights/workspaces@2026-03-01' existing = {
  name: workspaceName
}

@description('Region.')
output location string = workspace.location

@description('Workspace (customer) id.')
output customerId string = workspace.properties.customerId
