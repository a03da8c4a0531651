// Analytics rules as the customer tuned them, and for each an automation rule that writes its runbook into new incidents as tasks.
// The rules are in several files because one can have at most 131,072 characters; see sentinel/tools/compile/build.py.

import { checkedTuning, tunedFrequency, tunedQuery, tunedSeverity, tuningType } from '../tuning.bicep'

@description('Required. Name of the workspace.')
param workspaceName string

@description('Optional. Changes to rules, by slug.')
param tuning tuningType = {}

var rules = concat(
  json(loadTextContent('../generated/rules.1.json')),
  json(loadTextContent('../generated/rules.2.json')),
  json(loadTextContent('../generated/rules.3.json')),
  json(loadTextContent('../generated/rules.4.json')),
  json(loadTextContent('../generated/rules.5.json')),
  json(loadTextContent('../generated/rules.6.json')),
  json(loadTextContent('../generated/rules.7.json')),
  json(loadTextContent('../generated/rules.8.json'))
)
var automation = concat(
  json(loadTextContent('../generated/automation.1.json')),
  json(loadTextContent('../generated/automation.2.json')),
  json(loadTextContent('../generated/automation.3.json')),
  json(loadTextContent('../generated/automation.4.json'))
)
var tuned = checkedTuning(tuning, map(rules, item => item.slug))

resource workspace 'Microsoft.OperationalInsights/workspaces@2026-03-01' existing = {
  name: workspaceName
}

resource rule 'Microsoft.SecurityInsights/alertRules@2025-09-01' = [
  for item in rules: {
    scope: workspace
    name: item.name
    kind: item.kind
    properties: union(item.properties, {
      enabled: tuned[?item.slug].?enabled ?? true
      severity: tunedSeverity(item.slug, item.properties.severity, item.tune, tuned[?item.slug] ?? {})
      queryFrequency: tunedFrequency(item.properties.queryFrequency, tuned[?item.slug] ?? {})
      query: tunedQuery(item.slug, item.properties.query, item.tune, tuned[?item.slug] ?? {})
    })
  }
]

resource tasks 'Microsoft.SecurityInsights/automationRules@2025-09-01' = [
  for item in automation: {
    scope: workspace
    name: item.name
    properties: union(item.properties, {
      triggeringLogic: {
        isEnabled: true
        triggersOn: 'Incidents'
        triggersWhen: 'Created'
        conditions: [
          {
            conditionType: 'Property'
            conditionProperties: {
              propertyName: 'IncidentRelatedAnalyticRuleIds'
              operator: 'Contains'
              propertyValues: [extensionResourceId(workspace.id, 'Microsoft.SecurityInsights/alertRules', item.rule)]
            }
          }
        ]
      }
    })
    dependsOn: [rule]
  }
]
