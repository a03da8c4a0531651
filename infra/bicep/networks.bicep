// How the app reaches storage, vault and Azure Monitor: types and checks.

import { checkedId } from 'types.bicep'

@export()
@description('Reachable from the internet, with identity-based access only.')
@sealed()
type publicNetworkType = {
  @description('Required. No private network.')
  kind: 'public'
}

@export()
@description('Existing private DNS zones, by resource id.')
@sealed()
type dnsZonesType = {
  @description('Required. Zone of blob storage, such as privatelink.blob.core.windows.net.')
  blob: string

  @description('Required. Zone of Key Vault, such as privatelink.vaultcore.azure.net.')
  vault: string

  @description('Required. Zone of App Service, such as privatelink.azurewebsites.net.')
  sites: string
}

@export()
@description('An existing private network: only private endpoints are created in it.')
@sealed()
type givenNetworkType = {
  @description('Required. An existing network.')
  kind: 'given'

  @description('Required. Subnet for outbound traffic, delegated to Microsoft.App/environments, used by nothing else.')
  integrationSubnetResourceId: string

  @description('Required. Subnet of the private endpoints, in the region of the app.')
  endpointSubnetResourceId: string

  @description('Optional. DNS zones of the private endpoints. Without them your policy must write the records.')
  dnsZoneResourceIds: dnsZonesType?

  @description('Optional. Azure Monitor private link scope of this network. A second one is never created: it would take over the names of the first.')
  privateLinkScopeResourceId: string?

  @description('Optional. Whether this deployment links its own resources into that scope (default), or the scope\'s owners do.')
  linkToScope: bool?

  @description('Optional. Existing data collection endpoint, in the region of the workspace and linked to the scope. Without it one is created and linked.')
  dataCollectionEndpointResourceId: string?
}

@export()
@description('A private network to create, if there is no hub: network, DNS zones, private link scope, NAT gateway.')
@sealed()
type createdNetworkType = {
  @description('Required. A network to create.')
  kind: 'created'

  @description('Optional. Address range of at least /25; it is divided into subnets of /26 and /27. Default 10.90.0.0/24.')
  addressPrefix: string?
}

@export()
@discriminator('kind')
@description('How the app reaches storage, vault and Azure Monitor.')
type networkType = publicNetworkType | givenNetworkType | createdNetworkType

@description('The id of the subnet, or an error that describes the valid form.')
func checkedSubnet(id string) string =>
  startsWith(id, '/subscriptions/') && length(split(id, '/')) == 11 && contains(toLower(id), '/virtualnetworks/')
    ? id
    : fail('network: a subnet must be given as /subscriptions/.../virtualNetworks/NAME/subnets/NAME')

@description('The id of the DNS zone, or an error that names the required type.')
func checkedZone(id string) string => checkedId(id, 'Microsoft.Network/privateDnsZones', 'network.dnsZoneResourceIds')

// Given resources are used, not created again; `own` ids are those that this deployment would create.

@export()
@description('Subnet for outbound traffic; empty in a public network.')
func appSubnetOf(network networkType, ownNetwork string) string? =>
  network.kind == 'given'
    ? network.integrationSubnetResourceId != network.endpointSubnetResourceId
        ? checkedSubnet(network.integrationSubnetResourceId)
        : fail('network: the app needs a subnet of its own, apart from the private endpoints')
    : network.kind == 'created' ? '${ownNetwork}/subnets/app' : null

@export()
@description('Subnet of the private endpoints; empty in a public network.')
func endpointSubnetOf(network networkType, ownNetwork string) string =>
  network.kind == 'given'
    ? checkedSubnet(network.endpointSubnetResourceId)
    : network.kind == 'created' ? '${ownNetwork}/subnets/endpoints' : ''

@export()
@description('DNS zones for the private endpoint records; empty if a policy writes them.')
func zoneIdsOf(network networkType, own dnsZonesType) { blob: string[], vault: string[], sites: string[] } =>
  network.kind == 'given'
    ? {
        blob: network.?dnsZoneResourceIds == null ? [] : [checkedZone(network.dnsZoneResourceIds!.blob)]
        vault: network.?dnsZoneResourceIds == null ? [] : [checkedZone(network.dnsZoneResourceIds!.vault)]
        sites: network.?dnsZoneResourceIds == null ? [] : [checkedZone(network.dnsZoneResourceIds!.sites)]
      }
    : network.kind == 'created'
        ? { blob: [own.blob], vault: [own.vault], sites: [own.sites] }
        : { blob: [], vault: [], sites: [] }

@export()
@description('Private link scope of Azure Monitor; empty without one.')
func scopeIdOf(network networkType, own string) string? =>
  network.kind == 'given'
    ? network.?privateLinkScopeResourceId == null
        ? null
        : checkedId(
            network.privateLinkScopeResourceId!,
            'Microsoft.Insights/privateLinkScopes',
            'network.privateLinkScopeResourceId'
          )
    : network.kind == 'created' ? own : null
