// Types and checks that all templates share. A check returns its argument or fails the deployment before it starts.

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
@description('An Azure cloud whose endpoints Bicep has. Only AzureCloud was reviewed closely; none was tested.')
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
@description('Names, if a naming policy requires others.')
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

  @description('Optional. Function app; above 32 characters two apps on one storage account can have the same host id.')
  @minLength(2)
  @maxLength(32)
  site: string?

  @description('Optional. Application Insights component.')
  @minLength(1)
  @maxLength(255)
  component: string?
}

@export()
@description('Final names of the app\'s resources.')
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
@description('A principal that gets a role.')
@sealed()
type principalType = {
  @description('Required. Object id in Entra.')
  @minLength(36)
  @maxLength(36)
  principalId: string

  @description('Required. Kind of principal.')
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
@description('Changes to one table. Omitted properties stay as released.')
@sealed()
type tableOptionsType = {
  @description('Optional. Analytics, which rules, parsers and alerts need; Basic is cheaper and supports neither rules nor joins.')
  plan: ('Analytics' | 'Basic')?

  @description('Optional. Days a row can be queried at full speed. Not with Basic, whose 30 days are fixed.')
  retentionDays: retentionType?

  @description('Optional. Days a row is kept altogether, the rest in the archive. Default: retentionDays if given, otherwise as released.')
  totalRetentionDays: totalRetentionType?

  @description('Optional. Protected table (preview): general roles cannot read it; each reader is named in roles.bicep.')
  protected: bool?
}

@export()
@description('Whether the text has only these characters.')
func madeOf(text string, alphabet string) bool =>
  empty(filter(range(0, length(text)), i => !contains(alphabet, substring(text, i, 1))))

@export()
@description('The prefix, or an error that describes the valid form.')
func checkedPrefix(prefix string) string =>
  madeOf(prefix, 'abcdefghijklmnopqrstuvwxyz0123456789-') && !startsWith(prefix, '-') && !endsWith(prefix, '-')
    ? prefix
    : fail('prefix: lower-case letters, digits and hyphens only, no hyphen at either end')

@export()
@description('The resource id, or an error that names the required type.')
func checkedId(id string, type string, parameter string) string =>
  startsWith(id, '/subscriptions/') && contains(toLower(id), '/providers/${toLower(type)}/') && length(split(id, '/')) == 9
    ? id
    : fail('${parameter}: must be the resource id of a ${type}, /subscriptions/.../providers/${type}/NAME')

@export()
@description('Names of the app\'s resources: as requested, otherwise built from the prefix. Names of storage, vault and app are globally unique, so they include a part derived from the resource group.')
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
