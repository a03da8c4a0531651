// The container for compliance reports, and the key that signs them. The owner of the records sets and locks the container's retention
// policy, not this template: once locked, a deployment that writes it again is refused.

@description('Required. Name of the storage account.')
param accountName string

@description('Required. Name of the container.')
param containerName string

@description('Required. Name of the vault.')
param vaultName string

@description('Optional. Name of the signing key; without it no key is created.')
param keyName string?

resource account 'Microsoft.Storage/storageAccounts@2026-04-01' existing = {
  name: accountName

  resource blobs 'blobServices' existing = {
    name: 'default'
  }
}

resource container 'Microsoft.Storage/storageAccounts/blobServices/containers@2026-04-01' = {
  parent: account::blobs
  name: containerName
  properties: { publicAccess: 'None' }
}

resource vault 'Microsoft.KeyVault/vaults@2026-02-01' existing = {
  name: vaultName
}

// Azure creates a key once; redeploying leaves an existing key unchanged.
resource key 'Microsoft.KeyVault/vaults/keys@2026-02-01' = if (keyName != null) {
  parent: vault
  name: keyName ?? 'none'
  properties: {
    kty: 'RSA'
    keySize: 3072
    keyOps: ['sign', 'verify']
    attributes: { enabled: true, exportable: false }
  }
}
