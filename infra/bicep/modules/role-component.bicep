// The role to send telemetry to one Application Insights component.

import { principalType } from '../types.bicep'

@description('Required. Name of the component.')
param componentName string

@description('Required. Principal of the assignment.')
param principal principalType

@description('Required. GUID of the role.')
param roleId string

resource component 'Microsoft.Insights/components@2020-02-02' existing = {
  name: componentName
}

resource assignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: component
  name: guid(component.id, principal.principalId, roleId)
  properties: {
    principalId: principal.principalId
    principalType: principal.principalType
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleId)
  }
}
