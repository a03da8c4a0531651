// The workspace is in another subscription and region; two organizations; alerts reach the people on call; rights are given by others.
using '../main.bicep'

param workspace = {
  kind: 'given'
  resourceId: '/subscriptions/33333333-3333-3333-3333-333333333333/resourceGroups/rg-soc-weu/providers/Microsoft.OperationalInsights/workspaces/law-soc'
}
param location = 'northeurope'
param assignRoles = false
param connections = [
  { name: 'contoso' }
  { name: 'contoso-console', secret: 'console-admin-key', organizationIds: ['org_01Example'] }
]
param settings = { requestReserve: 200, logLevel: 'WARNING' }
param alerts = {
  actionGroupResourceIds: [
    '/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-oncall/providers/Microsoft.Insights/actionGroups/soc'
  ]
  expectedMegabytesPerDay: 600
}
param tags = { costCenter: '4711', owner: 'soc@example.com' }
