// The smallest deployment: into a workspace that is there. Copy it, or set the variable; scenarios/ has the other shapes.
using 'main.bicep'

param workspace = {
  kind: 'given'
  resourceId: readEnvironmentVariable(
    'CLAUDE_BRIDGE_WORKSPACE',
    '/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-sentinel/providers/Microsoft.OperationalInsights/workspaces/law-sentinel'
  )
}

// Rules switched off, severities, frequencies, thresholds: keep this one file, and every release keeps to it.
param tuning = loadJsonContent('tuning.json')
