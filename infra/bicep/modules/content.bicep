// What analysts read. Each file of generated/ is a list of {name, properties}, rules with their kind besides: bodies as Azure takes
// them, written and checked by the build of sentinel/, committed, and deployed here by loops. An empty list deploys nothing.
// Parsers come first: a rule over a function that is not there is refused.

import { tagsType } from '../types.bicep'

@description('Required. Name of the workspace.')
param workspaceName string

@description('Required. Region: that of the workspace.')
param location string

@description('Required. Tags, for what takes them.')
param tags tagsType

var parsers = json(loadTextContent('../generated/parsers.json'))
var hunts = json(loadTextContent('../generated/hunts.json'))
var watchlists = json(loadTextContent('../generated/watchlists.json'))
var summaries = json(loadTextContent('../generated/summaries.json'))
var rules = json(loadTextContent('../generated/rules.json'))
var automation = json(loadTextContent('../generated/automation.json'))
var workbooks = json(loadTextContent('../generated/workbooks.json'))

resource workspace 'Microsoft.OperationalInsights/workspaces@2026-03-01' existing = {
  name: workspaceName
}

resource parser 'Microsoft.OperationalInsights/workspaces/savedSearches@2026-03-01' = [
  for item in parsers: {
    parent: workspace
    name: item.name
    properties: item.properties
  }
]

resource hunt 'Microsoft.OperationalInsights/workspaces/savedSearches@2026-03-01' = [
  for item in hunts: {
    parent: workspace
    name: item.name
    properties: item.properties
    dependsOn: [parser]
  }
]

resource watchlist 'Microsoft.SecurityInsights/watchlists@2025-09-01' = [
  for item in watchlists: {
    scope: workspace
    name: item.name
    properties: item.properties
  }
]

resource summary 'Microsoft.OperationalInsights/workspaces/summaryLogs@2026-03-01' = [
  for item in summaries: {
    parent: workspace
    name: item.name
    properties: item.properties
    dependsOn: [parser]
  }
]

resource rule 'Microsoft.SecurityInsights/alertRules@2025-09-01' = [
  for item in rules: {
    scope: workspace
    name: item.name
    kind: item.kind
    properties: item.properties
    dependsOn: [parser, watchlist]
  }
]

resource automationRule 'Microsoft.SecurityInsights/automationRules@2025-09-01' = [
  for item in automation: {
    scope: workspace
    name: item.name
    properties: item.properties
    dependsOn: [rule]
  }
]

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = [
  for item in workbooks: {
    name: item.name
    location: location
    tags: tags
    kind: 'shared'
    properties: union(item.properties, { sourceId: toLower(workspace.id), category: 'sentinel' })
  }
]
