// A new network, for deployments without a hub: two subnets, and a NAT gateway, because new networks have no outbound access by default.

import { tagsType } from '../types.bicep'

@description('Required. Short name that the names are built from.')
param prefix string

@description('Required. Region.')
param location string

@description('Required. Tags.')
param tags tagsType

@description('Required. Address range of at least /25.')
param addressPrefix string

resource outbound 'Microsoft.Network/publicIPAddresses@2026-03-01' = {
  name: 'pip-${prefix}'
  location: location
  tags: tags
  sku: { name: 'Standard' }
  properties: { publicIPAllocationMethod: 'Static' }
}

resource gateway 'Microsoft.Network/natGateways@2026-03-01' = {
  name: 'ng-${prefix}'
  location: location
  tags: tags
  sku: { name: 'Standard' }
  properties: { publicIpAddresses: [{ id: outbound.id }] }
}

resource filter 'Microsoft.Network/networkSecurityGroups@2026-03-01' = {
  name: 'nsg-${prefix}'
  location: location
  tags: tags
  properties: { securityRules: [] } // the built-in rules deny inbound internet traffic
}

resource network 'Microsoft.Network/virtualNetworks@2026-03-01' = {
  name: 'vnet-${prefix}'
  location: location
  tags: tags
  properties: {
    addressSpace: { addressPrefixes: [addressPrefix] }
    subnets: [
      {
        name: 'app'
        properties: {
          addressPrefix: cidrSubnet(addressPrefix, 26, 0)
          defaultOutboundAccess: false
          natGateway: { id: gateway.id }
          networkSecurityGroup: { id: filter.id }
          delegations: [{ name: 'app', properties: { serviceName: 'Microsoft.App/environments' } }]
        }
      }
      {
        name: 'endpoints'
        properties: {
          addressPrefix: cidrSubnet(addressPrefix, 27, 2)
          defaultOutboundAccess: false
          networkSecurityGroup: { id: filter.id }
          privateEndpointNetworkPolicies: 'Enabled'
        }
      }
    ]
  }
}
