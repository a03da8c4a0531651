// One private DNS zone, linked to one network.

import { tagsType } from '../types.bicep'

@description('Required. Name of the zone.')
param name string

@description('Required. Tags.')
param tags tagsType

@description('Required. Resource id of the network.')
param networkResourceId string

resource zone 'Microsoft.Network/privateDnsZones@2024-06-01' = {
  name: name
  location: 'global'
  tags: tags
}

resource link 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = {
  parent: zone
  name: last(split(networkResourceId, '/'))
  location: 'global'
  tags: tags
  properties: {
    registrationEnabled: false
    virtualNetwork: { id: networkResourceId }
  }
}
