// Types and checks for the workspace: its tables, its endpoint, and the outputs about it. The tables themselves are files in
// shared/tables; the list and the types here are generated from them, and no template names one.

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
@description('A table, as released or as configured.')
@sealed()
type tableType = {
  @description('Required. Name.')
  name: tableNameType

  @description('Required. Version of its columns.')
  version: int

  @description('Required. Plan; only Analytics supports rules.')
  plan: 'Analytics' | 'Basic' | 'Auxiliary'

  @description('Required. Days a row can be queried at full speed.')
  retentionDays: int

  @description('Required. Days a row is kept altogether.')
  totalRetentionDays: int

  @description('Required. Whether general roles cannot read it (preview).')
  protected: bool

  @description('Required. Whether the originals of truncated rows are in the state container.')
  overflows: bool

  @description('Required. Who queries it; described in shared/tables/__init__.py.')
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

  @description('Required. Kind of principal.')
  principalType: 'User' | 'Group' | 'ServicePrincipal'

  @description('Required. Tables it may read.')
  @minLength(1)
  tables: tableNameType[]
}

@export()
@description('A workspace to create, with Microsoft Sentinel enabled.')
@sealed()
type newWorkspaceType = {
  @description('Required. Name of the workspace.')
  @minLength(4)
  @maxLength(63)
  name: string

  @description('Required. Region of the workspace.')
  location: string

  @description('Optional. Default retention of rows in days. Default 90.')
  @minValue(30)
  @maxValue(730)
  retentionDays: int?
}

@export()
@description('No data collection endpoint: the rule has its own public one.')
@sealed()
type noEndpointType = {
  @description('Required. The rule\'s own endpoint.')
  kind: 'none'
}

@export()
@description('An existing data collection endpoint, in the region of the workspace.')
@sealed()
type givenEndpointType = {
  @description('Required. An existing endpoint.')
  kind: 'given'

  @description('Required. Its resource id.')
  resourceId: string
}

@export()
@description('A data collection endpoint to create next to the rule, without public access.')
@sealed()
type createdEndpointType = {
  @description('Required. An endpoint to create.')
  kind: 'created'
}

@export()
@discriminator('kind')
@description('Destination of the rows.')
type endpointType = noEndpointType | givenEndpointType | createdEndpointType

@export()
@description('Versions of tables. Not sealed: the app and the workspace may be of different releases.')
type tableVersionsType = {
  @description('Optional. Version of the table of that name.')
  @minValue(1)
  *: int
}

@export()
@description('Values of the workspace and the rule that only Azure has: output destination of workspace.bicep.')
@sealed()
type destinationType = {
  @description('Required. Workspace (customer) id.')
  workspaceCustomerId: string

  @description('Required. Region of the workspace and of its alerts.')
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
@description('The tables as configured, or an error if that is not possible.')
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
    ? fail('tables.${table.name}.plan: rules need Analytics, as alerts do; with Basic set deployContent to false, and leave tables that alerts read on Analytics')
    : table.totalRetentionDays < (table.plan == 'Analytics' ? table.retentionDays : 30)
        ? fail('tables.${table.name}.totalRetentionDays: must not be less than retentionDays')
        : table.totalRetentionDays <= 730 || contains([1095, 1460, 1826, 2191, 2556, 2922, 3288, 3653, 4018, 4383], table.totalRetentionDays)
            ? table
            : fail('tables.${table.name}.totalRetentionDays: up to 730, or 1095, 1460, 1826, 2191, 2556, 2922, 3288, 3653, 4018, 4383')
