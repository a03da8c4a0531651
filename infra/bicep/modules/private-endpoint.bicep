// A private endpoint of one resource, and its DNS record if the zone is known.

import { tagsType } from '../types.bicep'

@description('Required. Name.')
param name string

@description('Required. Region: that of the subnet.')
param location string

@description('Required. Tags.')
param tags tagsType

@description('Required. Resource id of the target.')
param targetResourceId string

@description('Required. Part of the target, such as blob.')
param groupId string

@description('Required. Resource id of the subnet.')
param subnetResourceId string

@description('Required. Resource ids of the DNS zones; none if a policy writes the records.')
param zoneResourceIds string[]

resource endpoint 'Microsoft.Network/privateEndpoints@2026-03-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    subnet: { id: subnetResourceId }
    customNetworkInterfaceName: '${name}-nic'
    privateLinkServiceConnections: [
      { name: groupId, properties: { privateLinkServiceId: targetResourceId, groupIds: [groupId] } }
    ]
  }
}

resource records 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2026-03-01' = if (!empty(zoneResourceIds)) {
  parent: endpoint
  name: 'default'
  properties: {
    privateDnsZoneConfigs: map(zoneResourceIds, id => {
      name: replace(last(split(id, '/')), '.', '-')
      #disable-next-line use-resource-id-functions // an element of a parameter, which the rule cannot see
      properties: { privateDnsZoneId: id }
    })
  }
}
