// A role on the whole storage account: the fallback if the host does not start with roles on its containers alone.

import { principalType } from '../types.bicep'

@description('Required. Name of the storage account.')
param accountName string

@description('Required. Principal of the assignment.')
param principal principalType

@description('Required. GUID of the role.')
param roleId string

resource account 'Microsoft.Storage/storageAccounts@2026-04-01' existing = {
  name: accountName
}

resource assignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: account
  name: guid(account.id, principal.principalId, roleId)
  properties: {
    principalId: principal.principalId
    principalType: principal.principalType
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleId)
  }
}
