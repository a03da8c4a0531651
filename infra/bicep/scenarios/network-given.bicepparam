// A hub is there: subnets, DNS zones, private link scope and data collection endpoint are given, and none of them is made again.
using '../main.bicep'

var hub = '/subscriptions/55555555-5555-5555-5555-555555555555/resourceGroups/rg-hub/providers'

param workspace = {
  kind: 'given'
  resourceId: '/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-sentinel/providers/Microsoft.OperationalInsights/workspaces/law-sentinel'
}
param network = {
  kind: 'given'
  integrationSubnetResourceId: '/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-spoke/providers/Microsoft.Network/virtualNetworks/vnet-spoke/subnets/claude'
  endpointSubnetResourceId: '/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-spoke/providers/Microsoft.Network/virtualNetworks/vnet-spoke/subnets/endpoints'
  dnsZoneResourceIds: {
    blob: '${hub}/Microsoft.Network/privateDnsZones/privatelink.blob.core.windows.net'
    vault: '${hub}/Microsoft.Network/privateDnsZones/privatelink.vaultcore.azure.net'
    sites: '${hub}/Microsoft.Network/privateDnsZones/privatelink.azurewebsites.net'
  }
  privateLinkScopeResourceId: '${hub}/Microsoft.Insights/privateLinkScopes/ampls-hub'
  dataCollectionEndpointResourceId: '${hub}/Microsoft.Insights/dataCollectionEndpoints/dce-hub'
}
