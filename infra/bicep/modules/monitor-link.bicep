// Azure Monitor by private link: our component, endpoint and, in a scope of ours, the workspace are linked; our own scope is created with its
// private endpoint. A given scope is not changed.

import { tagsType } from '../types.bicep'

@description('Required. Short name that the names are built from.')
param prefix string

@description('Required. Region.')
param location string

@description('Required. Tags.')
param tags tagsType

@description('Required. Resource id of the scope.')
param scopeResourceId string

@description('Required. Whether the scope is created here.')
param scopeIsOurs bool

@description('Required. Name of the Application Insights component.')
param componentName string

@description('Optional. Resource id of the data collection endpoint to link.')
param endpointResourceId string?

@description('Required. Resource id of the workspace; linked only to a scope of ours.')
param workspaceResourceId string

@description('Required. Resource id of the subnet of the private endpoints.')
param subnetResourceId string

@description('Required. Resource ids of the DNS zones of Azure Monitor.')
param zoneResourceIds string[]

var scopeName = last(split(scopeResourceId, '/'))

module ownScope 'link-scope.bicep' = if (scopeIsOurs) {
  params: { name: scopeName, tags: tags }
}

module componentLink 'scope-link.bicep' = {
  scope: resourceGroup(split(scopeResourceId, '/')[2], split(scopeResourceId, '/')[4])
  params: { scopeName: scopeName, linkedResourceId: resourceId('Microsoft.Insights/components', componentName) }
  dependsOn: [ownScope]
}

module endpointLink 'scope-link.bicep' = if (endpointResourceId != null) {
  scope: resourceGroup(split(scopeResourceId, '/')[2], split(scopeResourceId, '/')[4])
  params: { scopeName: scopeName, linkedResourceId: endpointResourceId ?? '' }
  dependsOn: [componentLink] // a scope accepts one change at a time
}

module workspaceLink 'scope-link.bicep' = if (scopeIsOurs) {
  params: { scopeName: scopeName, linkedResourceId: workspaceResourceId }
  dependsOn: [endpointLink]
}

module door 'private-endpoint.bicep' = if (scopeIsOurs) {
  params: {
    name: 'pe-${prefix}-monitor'
    location: location
    tags: tags
    targetResourceId: ownScope!.outputs.resourceId
    groupId: 'azuremonitor'
    subnetResourceId: subnetResourceId
    zoneResourceIds: zoneResourceIds
  }
  dependsOn: [workspaceLink]
}
