// The identity team's part alone: every right, by its final name.
using '../roles.bicep'

param principalId = '99999999-9999-9999-9999-999999999999'
param storageName = 'contosoprdstclaude'
param vaultName = 'contoso-prd-kv-claude'
param componentName = 'contoso-prd-appi-claude'
param ruleResourceId = '/subscriptions/33333333-3333-3333-3333-333333333333/resourceGroups/rg-soc-weu/providers/Microsoft.Insights/dataCollectionRules/dcr-claude'
param workspaceResourceId = '/subscriptions/33333333-3333-3333-3333-333333333333/resourceGroups/rg-soc-weu/providers/Microsoft.OperationalInsights/workspaces/law-soc'
param keyHolders = [{ principalId: '44444444-4444-4444-4444-444444444444', principalType: 'Group' }]
param operators = [{ principalId: '12121212-1212-1212-1212-121212121212', principalType: 'Group' }]
param reports = true
param reportContainerName = 'reports'
param reportKeyName = 'report'
param mail = { principalId: '13131313-1313-1313-1313-131313131313' }
