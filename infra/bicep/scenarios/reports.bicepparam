// For auditors: a signed report of every month in a container of its own, its link mailed to those who file it.
using '../main.bicep'

param workspace = {
  kind: 'given'
  resourceId: '/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-sentinel/providers/Microsoft.OperationalInsights/workspaces/law-sentinel'
}
param report = {
  kind: 'created'
  every: 'monthly'
  mail: { recipients: 'audit@example.com;soc@example.com' }
}
