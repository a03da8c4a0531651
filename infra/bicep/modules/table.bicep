// One custom table. Columns are only ever added: Azure neither renames nor retypes one.

import { tableType } from '../tables.bicep'

@description('Required. Name of the workspace.')
param workspaceName string

@description('Required. The table.')
param table tableType

resource workspace 'Microsoft.OperationalInsights/workspaces@2026-03-01' existing = {
  name: workspaceName
}

resource created 'Microsoft.OperationalInsights/workspaces/tables@2026-03-01' = {
  parent: workspace
  name: table.name
  properties: {
    plan: table.plan
    ...(table.plan == 'Analytics' ? { retentionInDays: table.retentionDays } : {}) // the other plans fix theirs
    totalRetentionInDays: table.totalRetentionDays
    // Set only on request: outside the preview the property is refused.
    ...(table.protected ? { protectionLevel: 'Protected' } : {})
    schema: {
      name: table.name
      columns: map(table.columns, column => {
        name: column.name
        type: column.type == 'datetime' ? 'dateTime' : column.type // the tables API's spelling
      })
    }
  }
}
