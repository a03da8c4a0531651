// An Azure Monitor private link scope. A network must use only one: the DNS names of a second replace those of the first.

import { tagsType } from '../types.bicep'

@description('Required. Name.')
param name string

@description('Required. Tags.')
param tags tagsType

resource scope 'Microsoft.Insights/privateLinkScopes@2021-09-01' = {
  name: name
  location: 'global'
  tags: tags
  properties: {
    // PrivateOnly would cut off every other Azure Monitor resource this network uses.
    accessModeSettings: { ingestionAccessMode: 'Open', queryAccessMode: 'Open' }
  }
}

@description('Resource id.')
output resourceId string = scope.id
