// What only Azure knows of a workspace that is there; its region decides where rule and alerts must live.

@description('Required. Name of the workspace.')
param workspaceName string

resource workspace 'Microsoft.OperationalInsights/workspaces@2026-03-01' existing = {
  name: workspaceName
}

@description('Region.')
output location string = workspace.location

@description('Workspace (customer) id.')
output customerId string = workspace.properties.customerId
