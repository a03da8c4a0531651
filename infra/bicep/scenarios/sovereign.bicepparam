// Azure Government. Endpoints are from documentation; nobody has tried them.
using '../main.bicep'

param workspace = {
  kind: 'given'
  resourceId: '/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-sentinel/providers/Microsoft.OperationalInsights/workspaces/law-gov'
}
param location = 'usgovvirginia'
param cloud = 'AzureUSGovernment'
param endpoints = { queryEndpoint: 'https://api.loganalytics.us' }
param workspaceAccess = 'workspace'
param hostStorage = 'account'
param storageSku = 'Standard_GRS'
