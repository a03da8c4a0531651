// The right to send rows, on one data collection rule.

import { principalType } from '../types.bicep'

@description('Required. Name of the rule.')
param ruleName string

@description('Required. Principal of the assignment.')
param principal principalType

@description('Required. GUID of the role.')
param roleId string

resource rule 'Microsoft.Insights/dataCollectionRules@2024-03-11' existing = {
  name: ruleName
}

resource assignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: rule
  name: guid(rule.id, principal.principalId, roleId)
  properties: {
    principalId: principal.principalId
    principalType: principal.principalType
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleId)
  }
}
