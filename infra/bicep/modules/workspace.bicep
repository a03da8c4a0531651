// A new workspace, with Microsoft Sentinel enabled.

import { newWorkspaceType } from '../tables.bicep'
import { tagsType } from '../types.bicep'

@description('Required. What to create.')
param workspace newWorkspaceType

@description('Required. Tags.')
param tags tagsType

resource created 'Microsoft.OperationalInsights/workspaces@2026-03-01' = {
  name: workspace.name
  location: workspace.location
  tags: tags
  properties: {
    sku: { name: 'PerGB2018' }
    retentionInDays: workspace.?retentionDays ?? 90
    features: {
      disableLocalAuth: true // nothing here uses the workspace's shared keys
      enableLogAccessUsingOnlyResourcePermissions: true
    }
  }
}

resource sentinel 'Microsoft.SecurityInsights/onboardingStates@2025-09-01' = {
  scope: created
  name: 'default'
  properties: {}
}
