// A role on one key vault.

import { principalType } from '../types.bicep'

@description('Required. Name of the vault.')
param vaultName string

@description('Required. Principal of the assignment.')
param principal principalType

@description('Required. GUID of the role.')
param roleId string

resource vault 'Microsoft.KeyVault/vaults@2026-02-01' existing = {
  name: vaultName
}

resource assignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: vault
  name: guid(vault.id, principal.principalId, roleId)
  properties: {
    principalId: principal.principalId
    principalType: principal.principalType
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleId)
  }
}
