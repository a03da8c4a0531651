// How the app reaches storage, vault and Azure Monitor: types and checks.

import { checkedId } from 'types.bicep'

@export()
@description('Reachable from the internet, by identity alone.')
@sealed()
type publicNetworkType = {
  @description('Required. No private network.')
  kind: 'public'
}

@export()
@description('Private DNS zones that are there, by resource id.')
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
@description('A private network that is there: nothing of it is created, private endpoints are put into it.')
@sealed()
type givenNetworkType = {
  @description('Required. A network that is there.')
  kind: 'given'

  @description('Required. Subnet the app goes out by, delegated to Microsoft.App/environments, used by nothing else.')
  integrationSubnetResourceId: string

  @description('Required. Subnet of the private endpoints, in the region of the app.')
  endpointSubnetResourceId: string

  @description('Optional. DNS zones of the private endpoints. Without them a policy of yours has to write the records.')
  dnsZoneResourceIds: dnsZonesType?

  @description('Optional. Azure Monitor private link scope of this network. A second one is never created: it would take over the names of the first.')
  privateLinkScopeResourceId: string?

  @description('Optional. Whether this deployment links its own resources into that scope (default), or the scope\'s owners do.')
  linkToScope: bool?

  @description('Optional. Data collection endpoint that is there, in the region of the workspace and linked to the scope. Without it one is created and linked.')
  dataCollectionEndpointResourceId: string?
}

@export()
@description('A private network to create, for where there is no hub: network, DNS zones, private link scope, NAT gateway.')
@sealed()
type createdNetworkType = {
  @description('Required. A network to create.')
  kind: 'created'

  @description('Optional. Address range of at least /25; two subnets of /26 and /27 are cut from it. Default 10.90.0.0/24.')
  addressPrefix: string?
}

@export()
@discriminator('kind')
@description('How the app reaches storage, vault and Azure Monitor.')
type networkType = publicNetworkType | givenNetworkType | createdNetworkType

@description('The id of the subnet, or an error that says what it must look like.')
func checkedSubnet(id string) string =>
  startsWith(id, '/subscriptions/') && length(split(id, '/')) == 11 && contains(toLower(id), '/virtualnetworks/')
    ? id
    : fail('network: a subnet must be given as /subscriptions/.../virtualNetworks/NAME/subnets/NAME')

@description('The id of the DNS zone, or an error that says of which type it must be.')
func checkedZone(id string) string => checkedId(id, 'Microsoft.Network/privateDnsZones', 'network.dnsZoneResourceIds')

// What is given is used, and nothing of it is made again; `own` ids are those that this deployment would create.

@export()
@description('Subnet the app goes out by; none in a public network.')
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
@description('DNS zones that private endpoints are entered in; none where a policy writes the records.')
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
@description('Private link scope of Azure Monitor; none where there is none.')
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
