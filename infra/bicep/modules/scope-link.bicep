// One resource that is reached through a private link scope.

@description('Required. Name of the scope.')
param scopeName string

@description('Required. Resource id of what is linked.')
param linkedResourceId string

resource scope 'Microsoft.Insights/privateLinkScopes@2021-09-01' existing = {
  name: scopeName
}

resource link 'Microsoft.Insights/privateLinkScopes/scopedResources@2021-09-01' = {
  parent: scope
  name: '${last(split(linkedResourceId, '/'))}-${take(uniqueString(linkedResourceId), 6)}'
  properties: { linkedResourceId: linkedResourceId }
}
