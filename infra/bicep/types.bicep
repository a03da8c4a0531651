// Types and checks that several templates share. A check returns its argument, or ends the deployment before it starts.

@export()
@description('Tags for every resource that takes them.')
type tagsType = {
  @description('Optional. Value of the tag.')
  *: string
}

@export()
@description('A short name that every resource name is built from: 2 to 12 lower-case letters, digits and hyphens.')
@minLength(2)
@maxLength(12)
type prefixType = string

@export()
@description('Days a row can be queried at full speed. Sentinel includes 90 in the price of ingestion.')
@minValue(4)
@maxValue(730)
type retentionType = int

@export()
@description('Days a row is kept altogether: 4 to 730, or one of the yearly steps that Azure offers above.')
type totalRetentionType = int

@export()
@description('How one table is kept, and from whom.')
@sealed()
type tableOptionsType = {
  @description('Optional. Days a row can be queried at full speed.')
  retentionDays: retentionType?

  @description('Optional. Days a row is kept altogether, the rest in the archive.')
  totalRetentionDays: totalRetentionType?

  @description('Optional. Protected tables (preview): nobody reads the table by a general role; each reader is named in roles.bicep.')
  protected: bool?
}

@export()
@description('How the activity table is kept, and from whom.')
@sealed()
type activityTableType = {
  @description('Optional. Analytics, which rules need; Basic is cheaper and takes neither rules nor joins.')
  plan: ('Analytics' | 'Basic')?

  @description('Optional. Days a row can be queried at full speed. Not with Basic, whose 30 days are fixed.')
  retentionDays: retentionType?

  @description('Optional. Days a row is kept altogether, the rest in the archive.')
  totalRetentionDays: totalRetentionType?

  @description('Optional. Protected tables (preview): nobody reads the table by a general role; each reader is named in roles.bicep.')
  protected: bool?
}

@export()
@description('Options of the tables.')
@sealed()
type tablesType = {
  @description('Optional. ClaudeActivity_CL, one row for each activity. Default: Analytics, 90 days.')
  activity: activityTableType?

  @description('Optional. ClaudeBridgeHealth_CL, one row for each run. Default: 730 days, so that proofs outlive an audit period.')
  health: tableOptionsType?
}

@export()
@description('A workspace to create, with Microsoft Sentinel on it.')
@sealed()
type newWorkspaceType = {
  @description('Required. Name of the workspace.')
  @minLength(4)
  @maxLength(63)
  name: string

  @description('Required. Region of the workspace.')
  location: string

  @description('Optional. Days rows are kept where a table says nothing else. Default 90.')
  @minValue(30)
  @maxValue(730)
  retentionDays: int?
}

@export()
@description('No data collection endpoint: the rule brings a public one of its own.')
@sealed()
type noEndpointType = {
  @description('Required. The rule\'s own endpoint.')
  kind: 'none'
}

@export()
@description('A data collection endpoint that is there, in the region of the workspace.')
@sealed()
type givenEndpointType = {
  @description('Required. An endpoint that is there.')
  kind: 'given'

  @description('Required. Its resource id.')
  resourceId: string
}

@export()
@description('A data collection endpoint to create beside the rule, closed to the internet.')
@sealed()
type createdEndpointType = {
  @description('Required. An endpoint to create.')
  kind: 'created'
}

@export()
@discriminator('kind')
@description('Where rows are sent to.')
type endpointType = noEndpointType | givenEndpointType | createdEndpointType

@export()
@description('What only Azure knows of the workspace and the rule: output destination of workspace.bicep.')
@sealed()
type destinationType = {
  @description('Required. Workspace (customer) id.')
  workspaceCustomerId: string

  @description('Required. Region of the workspace; alerts on it live there.')
  workspaceLocation: string

  @description('Required. Immutable id of the data collection rule: dcr- and 32 hex digits, not its name.')
  @minLength(36)
  @maxLength(36)
  ruleImmutableId: string

  @description('Required. Logs ingestion endpoint.')
  ingestionEndpoint: string

  @description('Required. Version of ClaudeActivity_CL that was deployed.')
  @minValue(1)
  tableVersion: int

  @description('Required. Version of ClaudeBridgeHealth_CL that was deployed.')
  @minValue(1)
  healthVersion: int
}

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

@export()
@description('A cloud of Azure that Bicep knows endpoints of. Only AzureCloud was looked at closely; none was tried.')
type cloudType = 'AzureCloud' | 'AzureUSGovernment' | 'AzureChinaCloud'

@export()
@description('Endpoints that differ from those of the chosen cloud.')
@sealed()
type endpointOverridesType = {
  @description('Optional. Suffix of storage accounts, such as core.windows.net.')
  storageSuffix: string?

  @description('Optional. Suffix of key vaults, such as vault.azure.net.')
  vaultSuffix: string?

  @description('Optional. Token scope for ingestion.')
  ingestionAudience: string?

  @description('Optional. Log Analytics query endpoint.')
  queryEndpoint: string?
}

@export()
@description('Names for where a naming policy asks for other ones.')
@sealed()
type namesType = {
  @description('Optional. User-assigned identity.')
  @minLength(3)
  @maxLength(128)
  identity: string?

  @description('Optional. Storage account.')
  @minLength(3)
  @maxLength(24)
  storage: string?

  @description('Optional. Key vault.')
  @minLength(3)
  @maxLength(24)
  vault: string?

  @description('Optional. Plan.')
  @minLength(1)
  @maxLength(40)
  plan: string?

  @description('Optional. Function app; above 32 characters two apps on one storage account can take each other for the same host.')
  @minLength(2)
  @maxLength(32)
  site: string?

  @description('Optional. Application Insights component.')
  @minLength(1)
  @maxLength(255)
  component: string?
}

@export()
@description('Names of the app\'s resources, as they will be.')
@sealed()
type chosenNamesType = {
  @description('Required. User-assigned identity.')
  identity: string

  @description('Required. Storage account.')
  storage: string

  @description('Required. Key vault.')
  vault: string

  @description('Required. Plan.')
  plan: string

  @description('Required. Function app.')
  site: string

  @description('Required. Application Insights component.')
  component: string
}

@export()
@description('Somebody, or something, that gets a right.')
@sealed()
type principalType = {
  @description('Required. Object id in Entra.')
  @minLength(36)
  @maxLength(36)
  principalId: string

  @description('Required. What it is.')
  principalType: 'User' | 'Group' | 'ServicePrincipal'
}

@export()
@description('A reader of some of the tables, and of nothing else in the workspace.')
@sealed()
type tableReaderType = {
  @description('Required. Object id in Entra.')
  @minLength(36)
  @maxLength(36)
  principalId: string

  @description('Required. What it is.')
  principalType: 'User' | 'Group' | 'ServicePrincipal'

  @description('Required. Tables it may read.')
  @minLength(1)
  tables: ('ClaudeActivity_CL' | 'ClaudeBridgeHealth_CL')[]
}

@export()
@description('Whether the text is made of these characters alone.')
func madeOf(text string, alphabet string) bool =>
  empty(filter(range(0, length(text)), i => !contains(alphabet, substring(text, i, 1))))

@export()
@description('The prefix, or an error that says what it must look like.')
func checkedPrefix(prefix string) string =>
  madeOf(prefix, 'abcdefghijklmnopqrstuvwxyz0123456789-') && !startsWith(prefix, '-') && !endsWith(prefix, '-')
    ? prefix
    : fail('prefix: lower-case letters, digits and hyphens only, no hyphen at either end')

@export()
@description('The resource id, or an error that says of which type it must be.')
func checkedId(id string, type string, parameter string) string =>
  startsWith(id, '/subscriptions/') && contains(toLower(id), '/providers/${toLower(type)}/') && length(split(id, '/')) == 9
    ? id
    : fail('${parameter}: must be the resource id of a ${type}, /subscriptions/.../providers/${type}/NAME')

@export()
@description('Days altogether, or an error where Azure has no such step or they are fewer than the interactive ones.')
func checkedTotal(total int, interactive int) int =>
  total < interactive
    ? fail('totalRetentionDays: must not be less than retentionDays')
    : total <= 730 || contains([1095, 1460, 1826, 2191, 2556, 2922, 3288, 3653, 4018, 4383], total)
        ? total
        : fail('totalRetentionDays: up to 730, or 1095, 1460, 1826, 2191, 2556, 2922, 3288, 3653, 4018, 4383')

@export()
@description('Names of the app\'s resources: those that were asked for, and else built from the prefix. Storage, vault and app share one namespace with the whole world, so a part of theirs is made from the resource group.')
func chosenNames(prefix string, names namesType, resourceGroupId string) chosenNamesType => {
  identity: names.?identity ?? 'id-${checkedPrefix(prefix)}'
  storage: checkedStorage(names.?storage ?? 'st${replace(prefix, '-', '')}${take(uniqueString(resourceGroupId, prefix), 8)}')
  vault: names.?vault ?? 'kv-${prefix}-${take(uniqueString(resourceGroupId, prefix), 8)}'
  plan: names.?plan ?? 'asp-${prefix}'
  site: names.?site ?? 'func-${prefix}-${take(uniqueString(resourceGroupId, prefix), 8)}'
  component: names.?component ?? 'appi-${prefix}'
}

func checkedStorage(name string) string =>
  madeOf(name, 'abcdefghijklmnopqrstuvwxyz0123456789')
    ? name
    : fail('names.storage: lower-case letters and digits only')
