// Alert routing: one rule per failure mode of the bridge, on the health rows and the data collection rule's own log.
// Each query returns one row per problem, and none in normal operation.

import { tagsType } from '../types.bicep'

@description('Required. Short name that the names are built from.')
param prefix string

@description('Required. Region: that of the workspace.')
param location string

@description('Required. Tags.')
param tags tagsType

@description('Required. Resource id of the workspace.')
param workspaceResourceId string

@description('Required. Who is notified.')
param alerts alertsType

@export()
@description('Who is notified, and the expected volume.')
@sealed()
type alertsType = {
  @description('Optional. Whether the rules are enabled. Default: yes.')
  enabled: bool?

  @description('Optional. Resource ids of action groups. Without one, alerts are only listed in the portal.')
  @maxLength(5)
  actionGroupResourceIds: string[]?

  @description('Optional. Expected megabytes a day, from the command estimate; an alert is raised at twice the volume. Default 1024.')
  @minValue(1)
  expectedMegabytesPerDay: int?
}

var estimateBytes = string((alerts.?expectedMegabytesPerDay ?? 1024) * 1000000)
var rules = [
  {
    name: 'no-data'
    title: 'Claude bridge: no data'
    severity: 1
    range: 'P2D'
    every: 'PT15M'
    query: loadTextContent('../alerts/no-data.kql')
  }
  {
    name: 'lag'
    title: 'Claude bridge: behind'
    severity: 2
    range: 'PT15M'
    every: 'PT15M'
    query: loadTextContent('../alerts/lag.kql')
  }
  {
    name: 'run-failures'
    title: 'Claude bridge: runs fail'
    severity: 1
    range: 'PT15M'
    every: 'PT15M'
    query: loadTextContent('../alerts/run-failures.kql')
  }
  {
    name: 'dead-letters'
    title: 'Claude bridge: dead letters'
    severity: 2
    range: 'PT1H'
    every: 'PT1H'
    query: loadTextContent('../alerts/dead-letters.kql')
  }
  {
    name: 'ingestion'
    title: 'Claude bridge: twice the expected volume'
    severity: 3
    range: 'P1D'
    every: 'PT6H'
    query: loadTextContent('../alerts/ingestion.kql')
  }
  {
    name: 'budget'
    title: 'Claude bridge: request budget spent'
    severity: 3
    range: 'PT15M'
    every: 'PT15M'
    query: loadTextContent('../alerts/budget.kql')
  }
  {
    name: 'rule-errors'
    title: 'Claude bridge: rows refused by the data collection rule'
    severity: 1
    range: 'PT1H'
    every: 'PT1H'
    query: loadTextContent('../alerts/rule-errors.kql')
  }
]

resource rule 'Microsoft.Insights/scheduledQueryRules@2026-03-01' = [
  for item in rules: {
    name: 'alert-${prefix}-${item.name}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: item.title
      description: 'What to do: docs/operate.md, by symptom.'
      enabled: alerts.?enabled ?? true
      severity: item.severity
      scopes: [workspaceResourceId]
      evaluationFrequency: item.every
      windowSize: item.range == 'P2D' ? 'PT1H' : item.range
      overrideQueryTimeRange: item.range == 'P2D' ? 'P2D' : null
      autoMitigate: true
      skipQueryValidation: true // the tables may be minutes old
      criteria: {
        allOf: [
          {
            query: replace(item.query, '{estimateBytes}', estimateBytes)
            timeAggregation: 'Count'
            operator: 'GreaterThan'
            threshold: 0
            failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
          }
        ]
      }
      actions: { actionGroups: alerts.?actionGroupResourceIds ?? [] }
    }
  }
]
