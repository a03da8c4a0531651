// Content for analysts. Each file of generated/ is a list of {name, properties}: bodies as Azure expects them, written and checked by the
// build of sentinel/, committed, and deployed here by loops. An empty list deploys nothing.
// Parsers come first: a rule that uses a missing function is refused.

import { tuningType } from '../tuning.bicep'
import { tagsType } from '../types.bicep'

@description('Required. Name of the workspace.')
param workspaceName string

@description('Required. Region: that of the workspace.')
param location string

@description('Required. Tags, for resources that support them.')
param tags tagsType

@description('Optional. Changes to rules, by slug.')
param tuning tuningType = {}

var parsers = concat(
  json(loadTextContent('../generated/parsers.1.json')),
  json(loadTextContent('../generated/parsers.2.json')),
  json(loadTextContent('../generated/parsers.3.json')),
  json(loadTextContent('../generated/parsers.4.json'))
)
var hunts = concat(
  json(loadTextContent('../generated/hunts.1.json')),
  json(loadTextContent('../generated/hunts.2.json')),
  json(loadTextContent('../generated/hunts.3.json')),
  json(loadTextContent('../generated/hunts.4.json'))
)
var watchlists = json(loadTextContent('../generated/watchlists.json'))
var summaries = json(loadTextContent('../generated/summaries.json'))
var workbooks = loadJsonContent('../generated/workbooks.json')

resource workspace 'Microsoft.OperationalInsights/workspaces@2026-03-01' existing = {
  name: workspaceName
}

resource parser 'Microsoft.OperationalInsights/workspaces/savedSearches@2026-03-01' = [
  for item in parsers: {
    parent: workspace
    name: item.name
    properties: union(item.properties, { etag: '*' }) // without it an existing saved search is not overwritten
  }
]

resource hunt 'Microsoft.OperationalInsights/workspaces/savedSearches@2026-03-01' = [
  for item in hunts: {
    parent: workspace
    name: item.name
    properties: union(item.properties, { etag: '*' }) // without it an existing saved search is not overwritten
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

module detections 'detections.bicep' = {
  params: {
    workspaceName: workspaceName
    tuning: tuning
  }
  dependsOn: [parser, watchlist]
}

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = [
  for item in workbooks: {
    name: item.name
    location: location
    tags: tags
    kind: 'shared'
    properties: union(item.properties, {
      serializedData: string(item.workbook) // a literal or concatenated string cannot be this long
      sourceId: toLower(workspace.id)
      category: 'sentinel'
    })
  }
]
