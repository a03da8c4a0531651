// Types and checks that all templates share. A check returns its argument, or ends the deployment before it starts.

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
@description('Days a row can be queried at full speed. Sentinel includes 90 in the price of ingestion.')
@minValue(4)
@maxValue(730)
type retentionType = int

@export()
@description('Days a row is kept altogether: 4 to 730, or one of the yearly steps that Azure offers above.')
type totalRetentionType = int

@export()
@description('What is different about one table. What is left out stays as released.')
@sealed()
type tableOptionsType = {
  @description('Optional. Analytics, which rules, parsers and alerts need; Basic is cheaper and takes neither rules nor joins.')
  plan: ('Analytics' | 'Basic')?

  @description('Optional. Days a row can be queried at full speed. Not with Basic, whose 30 days are fixed.')
  retentionDays: retentionType?

  @description('Optional. Days a row is kept altogether, the rest in the archive. Default: retentionDays where that is given, else as released.')
  totalRetentionDays: totalRetentionType?

  @description('Optional. Protected tables (preview): nobody reads the table by a general role; each reader is named in roles.bicep.')
  protected: bool?
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
