// One custom table. Columns are only ever added: Azure neither renames nor retypes one.

import { checkedTotal } from '../tables.bicep'

@description('Required. Name of the workspace.')
param workspaceName string

@description('Required. The table, from shared/tables.')
param table tableType

@description('Required. Plan; only Analytics takes rules.')
param plan 'Analytics' | 'Basic'

@description('Required. Days a row can be queried at full speed; Basic has its own.')
@minValue(4)
@maxValue(730)
param retentionDays int

@description('Required. Days a row is kept altogether.')
param totalRetentionDays int

@description('Required. Whether general roles cannot read it (preview).')
param protected bool

@export()
@description('A file of shared/tables, as far as Azure needs it.')
@sealed()
type tableType = {
  @description('Required. Name.')
  name: string

  @description('Required. Columns.')
  columns: columnType[]
}

@export()
@description('A column of shared/tables, as far as Azure needs it.')
@sealed()
type columnType = {
  @description('Required. Name.')
  name: string

  @description('Required. Type, as a rule\'s stream spells it.')
  type: 'datetime' | 'string' | 'dynamic' | 'long' | 'int' | 'real' | 'boolean'
}

resource workspace 'Microsoft.OperationalInsights/workspaces@2026-03-01' existing = {
  name: workspaceName
}

resource created 'Microsoft.OperationalInsights/workspaces/tables@2026-03-01' = {
  parent: workspace
  name: table.name
  properties: {
    plan: plan
    ...(plan == 'Analytics' ? { retentionInDays: retentionDays } : {})
    totalRetentionInDays: checkedTotal(totalRetentionDays, plan == 'Analytics' ? retentionDays : 30)
    // Said only where it is asked for: outside the preview the property is refused.
    ...(protected ? { protectionLevel: 'Protected' } : {})
    schema: {
      name: table.name
      columns: map(table.columns, column => {
        name: column.name
        type: column.type == 'datetime' ? 'dateTime' : column.type // the tables API spells it so
      })
    }
  }
}
