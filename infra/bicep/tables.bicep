// What the workspace holds, how it is reached, and what is handed on about it: types, and a check.

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
@description('Days altogether, or an error where Azure has no such step or they are fewer than the interactive ones.')
func checkedTotal(total int, interactive int) int =>
  total < interactive
    ? fail('totalRetentionDays: must not be less than retentionDays')
    : total <= 730 || contains([1095, 1460, 1826, 2191, 2556, 2922, 3288, 3653, 4018, 4383], total)
        ? total
        : fail('totalRetentionDays: up to 730, or 1095, 1460, 1826, 2191, 2556, 2922, 3288, 3653, 4018, 4383')
