// Holds the API keys. Only the app and the key holders get roles on it; the templates write no secrets.

import { tagsType } from '../types.bicep'

@description('Required. Name.')
@minLength(3)
@maxLength(24)
param name string

@description('Required. Region.')
param location string

@description('Required. Tags.')
param tags tagsType

@description('Required. Whether the vault can be reached from the internet.')
param public bool

@description('Required. Resource id of the workspace that takes the log of key reads.')
param workspaceResourceId string

resource vault 'Microsoft.KeyVault/vaults@2026-02-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    tenantId: tenant().tenantId
    sku: { family: 'A', name: 'standard' }
    enableRbacAuthorization: true
    enableSoftDelete: true
    softDeleteRetentionInDays: 90
    enablePurgeProtection: true
    enabledForDeployment: false
    enabledForDiskEncryption: false
    enabledForTemplateDeployment: false
    publicNetworkAccess: public ? 'Enabled' : 'Disabled'
    networkAcls: { defaultAction: public ? 'Allow' : 'Deny', bypass: 'None' }
  }
}

#disable-next-line use-recent-api-versions // the only stable version, of 2016, has no named settings
resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: vault
  name: 'claude-bridge'
  properties: {
    workspaceId: workspaceResourceId
    logs: [{ category: 'AuditEvent', enabled: true }]
  }
}

@description('Resource id.')
output resourceId string = vault.id
