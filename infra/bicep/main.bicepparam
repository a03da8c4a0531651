// The smallest deployment: into an existing workspace. Copy it, or set the variable; scenarios/ has other examples.
using 'main.bicep'

param workspace = {
  kind: 'given'
  resourceId: readEnvironmentVariable(
    'CLAUDE_BRIDGE_WORKSPACE',
    '/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-sentinel/providers/Microsoft.OperationalInsights/workspaces/law-sentinel'
  )
}

// Disabled rules, severities, frequencies, thresholds: keep this file, and every release applies it.
param tuning = loadJsonContent('tuning.json')
