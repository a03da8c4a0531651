// What the workspace holds, how it is reached, and what is handed on about it: types, and checks. The tables themselves are files of
// shared/tables, here as the list and the types that are generated from them; no template names one.

import { tableNameType, tablesType } from 'generated/tables.bicep'
import { tableOptionsType } from 'types.bicep'

@export()
@description('All tables, as released.')
var releasedTables = loadJsonContent('generated/tables.json')

@export()
@description('A column of a table.')
@sealed()
type columnType = {
  @description('Required. Name.')
  name: string

  @description('Required. Type, as a rule\'s stream spells it.')
  type: 'datetime' | 'string' | 'dynamic' | 'long' | 'int' | 'real' | 'boolean'
}

@export()
@description('A table, as released or as the customer wants it.')
@sealed()
type tableType = {
  @description('Required. Name.')
  name: tableNameType

  @description('Required. Version of its columns.')
  version: int

  @description('Required. Plan; only Analytics takes rules.')
  plan: 'Analytics' | 'Basic' | 'Auxiliary'

  @description('Required. Days a row can be queried at full speed.')
  retentionDays: int

  @description('Required. Days a row is kept altogether.')
  totalRetentionDays: int

  @description('Required. Whether general roles cannot read it (preview).')
  protected: bool

  @description('Required. Whether the originals of cut rows lie in the state container.')
  overflows: bool

  @description('Required. Who queries it; shared/tables/__init__.py says what each stands for.')
  readers: ('bridge' | 'parsers' | 'rules' | 'alerts')[]

  @description('Required. Columns.')
  columns: columnType[]
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
  tables: tableNameType[]
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
@description('Versions of tables. Not sealed: the app and the workspace may be of different releases.')
type tableVersionsType = {
  @description('Optional. Version of the table of that name.')
  @minValue(1)
  *: int
}

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

  @description('Required. Version of each table that was deployed, by its name.')
  tableVersions: tableVersionsType
}

@export()
@description('The tables as the customer wants them, or an error where that cannot be.')
func chosenTables(released tableType[], wanted tablesType, deployContent bool) tableType[] =>
  map(released, table => checkedTable(chosenTable(table, wanted[?table.name] ?? {}), deployContent))

func chosenTable(table tableType, wanted tableOptionsType) tableType => {
  ...table
  plan: wanted.?plan ?? table.plan
  retentionDays: wanted.?retentionDays ?? table.retentionDays
  totalRetentionDays: wanted.?totalRetentionDays ?? wanted.?retentionDays ?? table.totalRetentionDays
  protected: wanted.?protected ?? table.protected
}

func checkedTable(table tableType, deployContent bool) tableType =>
  table.plan != 'Analytics' && !empty(intersection(table.readers, deployContent ? ['alerts', 'parsers', 'rules'] : ['alerts']))
    ? fail('tables.${table.name}.plan: rules need Analytics, as alerts do; with Basic set deployContent to false, and leave a table that alerts read as it is')
    : table.totalRetentionDays < (table.plan == 'Analytics' ? table.retentionDays : 30)
        ? fail('tables.${table.name}.totalRetentionDays: must not be less than retentionDays')
        : table.totalRetentionDays <= 730 || contains([1095, 1460, 1826, 2191, 2556, 2922, 3288, 3653, 4018, 4383], table.totalRetentionDays)
            ? table
            : fail('tables.${table.name}.totalRetentionDays: up to 730, or 1095, 1460, 1826, 2191, 2556, 2922, 3288, 3653, 4018, 4383')
