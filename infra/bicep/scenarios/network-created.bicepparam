// No hub: network, DNS zones, private link scope, data collection endpoint and NAT gateway are created.
using '../main.bicep'

param workspace = {
  kind: 'given'
  resourceId: '/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-sentinel/providers/Microsoft.OperationalInsights/workspaces/law-sentinel'
}
param network = { kind: 'created', addressPrefix: '10.20.0.0/24' }
