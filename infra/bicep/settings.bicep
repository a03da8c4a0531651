// The bridge's settings, as shared/settings.py knows them: same names in camelCase, same limits. Every setting is written, an empty one
// meaning the bridge's own default, so that the portal shows what there is. Not here, because the template knows them: addresses, ids
// and the tables' versions; the report's have a parameter of their own (reports.bicep). Not here at all: keys, which live in the vault, and STATE_DIR, which is for machines outside Azure.

@export()
@description('One parent organisation, or one standalone Console organisation. Its key is a secret in the vault, put there by whoever may see it.')
@sealed()
type connectionType = {
  @description('Required. Lower-case letters, digits and hyphens; it names the connection in rows and state.')
  @minLength(1)
  @maxLength(40)
  name: string

  @description('Optional. Name of its secret in the vault. Default compliance-access-key.')
  @minLength(1)
  @maxLength(127)
  secret: string?

  @description('Optional. Base address for this connection alone.')
  apiUrl: string?

  @description('Optional. Narrows a parent-wide key to these organisations.')
  organizationIds: string[]?
}

@export()
@description('How much of a person a category shows.')
type modeType = 'full' | 'pseudonymous' | 'count-only'

@export()
@description('Mode of each category, or of all the rest under *.')
type minimizeType = {
  @description('Optional. Mode of the category.')
  *: modeType
}

@export()
@description('Settings of the bridge; docs/reference/settings.md says what each does.')
@sealed()
type settingsType = {
  @description('Optional. Base address of the Compliance API.')
  complianceApiUrl: string?
  @description('Optional. Value of the anthropic-version header.')
  anthropicVersion: string?
  @description('Optional. Seconds an activity may take to be indexed.')
  @minValue(30)
  @maxValue(3600)
  settleSeconds: int?
  @description('Optional. Seconds every live window reaches back.')
  @minValue(0)
  @maxValue(3600)
  overlapSeconds: int?
  @description('Optional. Seconds one live window in ten minutes reaches back.')
  @minValue(0)
  @maxValue(86400)
  wideOverlapSeconds: int?
  @description('Optional. Activities asked for per page.')
  @minValue(1)
  @maxValue(5000)
  pageLimit: int?
  @description('Optional. Seconds a live run may take.')
  @minValue(5)
  @maxValue(600)
  liveSeconds: int?
  @description('Optional. Seconds one run of the plan may take.')
  @minValue(5)
  @maxValue(1200)
  planSeconds: int?
  @description('Optional. Planned windows read at once.')
  @minValue(1)
  @maxValue(20)
  planReaders: int?
  @description('Optional. Requests a minute that planned reading leaves to others.')
  @minValue(0)
  @maxValue(600)
  requestReserve: int?
  @description('Optional. Uploads at the same time.')
  @minValue(1)
  @maxValue(32)
  uploadsInFlight: int?
  @description('Optional. Whether people are shown or hashed. Pseudonymous needs the secret identity-key in the vault.')
  identity: ('clear' | 'pseudonymous')?
  @description('Optional. Mode of each category.')
  minimize: minimizeType?
  @description('Optional. NCRONTAB schedule of the live walk. Default: every minute.')
  pollSchedule: string?
  @description('Optional. NCRONTAB schedule of sweeps, history and repairs. Default: every minute.')
  planSchedule: string?
  @description('Optional. NCRONTAB schedule of the daily proof. Default: 03:45 UTC.')
  proveSchedule: string?
  @description('Optional. Rows of each connection that a daily proof may send again; 0: it only reports.')
  @minValue(0)
  proveRepairRows: int?
  @description('Optional. Refuse operators who have not signed in through the platform; needs App Service authentication on the app.')
  requireEntra: bool?
  @description('Optional. Carry names of files and titles of artifacts.')
  contentNames: bool?
  @description('Optional. Level of the log.')
  logLevel: ('DEBUG' | 'INFO' | 'WARNING' | 'ERROR')?
}

@export()
@description('App settings by name.')
type appSettingsType = {
  @description('Optional. Value of the setting.')
  *: string
}

@export()
@description('The settings, or an error where they contradict each other.')
func checkedSettings(settings settingsType) settingsType =>
  settings.?identity == 'pseudonymous' && contains(map(items(settings.?minimize ?? {}), entry => entry.value), 'full')
    ? fail('settings.minimize: full beside identity pseudonymous; take one of them back')
    : settings

@export()
@description('The connections, or an error where two share a name or a name has other characters.')
func checkedConnections(connections connectionType[]) connectionType[] =>
  length(union(map(connections, connection => connection.name), [])) < length(connections) ? fail('connections: two share a name; state is kept by name') : empty(filter(connections, connection => !plainName(connection.name))) ? connections : fail('connections: a name has lower-case letters, digits and hyphens only, no hyphen at either end')

func plainName(name string) bool =>
  !startsWith(name, '-') && !endsWith(name, '-') && empty(filter(
    range(0, length(name)),
    i => !contains('abcdefghijklmnopqrstuvwxyz0123456789-', substring(name, i, 1))
  ))

@export()
@description('What the operator chose, as app settings.')
func chosenSettings(settings settingsType, connections connectionType[]) appSettingsType => {
  CONNECTIONS: string(map(connections, connection => {
    name: connection.name
    secret: connection.?secret ?? 'compliance-access-key'
    api_url: connection.?apiUrl
    organization_ids: connection.?organizationIds ?? []
  }))
  COMPLIANCE_API_URL: settings.?complianceApiUrl ?? ''
  ANTHROPIC_VERSION: settings.?anthropicVersion ?? ''
  SETTLE_SECONDS: string(settings.?settleSeconds ?? '')
  OVERLAP_SECONDS: string(settings.?overlapSeconds ?? '')
  WIDE_OVERLAP_SECONDS: string(settings.?wideOverlapSeconds ?? '')
  PAGE_LIMIT: string(settings.?pageLimit ?? '')
  LIVE_SECONDS: string(settings.?liveSeconds ?? '')
  PLAN_SECONDS: string(settings.?planSeconds ?? '')
  PLAN_READERS: string(settings.?planReaders ?? '')
  REQUEST_RESERVE: string(settings.?requestReserve ?? '')
  UPLOADS_IN_FLIGHT: string(settings.?uploadsInFlight ?? '')
  IDENTITY: settings.?identity ?? ''
  MINIMIZE: settings.?minimize == null ? '' : string(settings.?minimize)
  // The host reads the schedules too, and takes no empty ones.
  POLL_SCHEDULE: settings.?pollSchedule ?? '0 * * * * *'
  PLAN_SCHEDULE: settings.?planSchedule ?? '30 * * * * *'
  PROVE_SCHEDULE: settings.?proveSchedule ?? '0 45 3 * * *'
  PROVE_REPAIR_ROWS: string(settings.?proveRepairRows ?? '')
  REQUIRE_ENTRA: toLower(string(settings.?requireEntra ?? ''))
  CONTENT_NAMES: toLower(string(settings.?contentNames ?? ''))
  LOG_LEVEL: settings.?logLevel ?? ''
}
