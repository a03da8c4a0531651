// The bridge's settings, as in shared/settings.py: same names in camelCase, same limits. Every setting is written (empty
// means the bridge's default), so that the portal lists them all. Not here, because the template sets them: URLs, ids
// and the tables' versions; report settings have their own parameter (reports.bicep). Never here: keys, which are in the vault, and STATE_DIR, which is for machines outside Azure.

@export()
@description('One parent organization, or one standalone Console organization. Its key is a secret in the vault, stored by a key holder.')
@sealed()
type connectionType = {
  @description('Required. Lower-case letters, digits and hyphens; the connection\'s name in rows and state.')
  @minLength(1)
  @maxLength(40)
  name: string

  @description('Optional. Name of its secret in the vault. Default compliance-access-key.')
  @minLength(1)
  @maxLength(127)
  secret: string?

  @description('Optional. Base address for this connection alone.')
  apiUrl: string?

  @description('Optional. Narrows a parent-wide key to these organizations.')
  organizationIds: string[]?
}

@export()
@description('How much personal data a category shows.')
type modeType = 'full' | 'pseudonymous' | 'count-only'

@export()
@description('Mode of each category, or of all others under *.')
type minimizeType = {
  @description('Optional. Mode of the category.')
  *: modeType
}

@export()
@description('Settings of the bridge, described in docs/reference/settings.md.')
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
  @description('Optional. Requests a minute that planned reading leaves to other clients.')
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
  @description('Optional. NCRONTAB schedule of live runs. Default: every minute.')
  pollSchedule: string?
  @description('Optional. NCRONTAB schedule of sweeps, history and repairs. Default: every minute.')
  planSchedule: string?
  @description('Optional. NCRONTAB schedule of the daily proof. Default: 03:45 UTC.')
  proveSchedule: string?
  @description('Optional. Rows per connection that a daily proof may resend; 0: report only.')
  @minValue(0)
  proveRepairRows: int?
  @description('Optional. Refuse callers that the platform has not authenticated; needs App Service authentication on the app.')
  requireEntra: bool?
  @description('Optional. Deliver file names and artifact titles.')
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
@description('The settings, or an error if they contradict each other.')
func checkedSettings(settings settingsType) settingsType =>
  settings.?identity == 'pseudonymous' && contains(map(items(settings.?minimize ?? {}), entry => entry.value), 'full')
    ? fail('settings.minimize: full beside identity pseudonymous; remove one of them')
    : settings

@export()
@description('The connections, or an error if two share a name or a name has invalid characters.')
func checkedConnections(connections connectionType[]) connectionType[] =>
  length(union(map(connections, connection => connection.name), [])) < length(connections) ? fail('connections: two share a name; state is kept by name') : empty(filter(connections, connection => !plainName(connection.name))) ? connections : fail('connections: a name has lower-case letters, digits and hyphens only, no hyphen at either end')

func plainName(name string) bool =>
  !startsWith(name, '-') && !endsWith(name, '-') && empty(filter(
    range(0, length(name)),
    i => !contains('abcdefghijklmnopqrstuvwxyz0123456789-', substring(name, i, 1))
  ))

@export()
@description('The chosen settings, as app settings.')
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
  // The host also reads the schedules and rejects empty ones.
  POLL_SCHEDULE: settings.?pollSchedule ?? '0 * * * * *'
  PLAN_SCHEDULE: settings.?planSchedule ?? '30 * * * * *'
  PROVE_SCHEDULE: settings.?proveSchedule ?? '0 45 3 * * *'
  PROVE_REPAIR_ROWS: string(settings.?proveRepairRows ?? '')
  REQUIRE_ENTRA: toLower(string(settings.?requireEntra ?? ''))
  CONTENT_NAMES: toLower(string(settings.?contentNames ?? ''))
  LOG_LEVEL: settings.?logLevel ?? ''
}
