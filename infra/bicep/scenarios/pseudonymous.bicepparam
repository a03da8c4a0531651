// After a works council: people hashed, use counted only, rows archived for seven years, the table protected and read by one group.
using '../main.bicep'

param workspace = {
  kind: 'given'
  resourceId: '/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-sentinel/providers/Microsoft.OperationalInsights/workspaces/law-sentinel'
}
param settings = {
  identity: 'pseudonymous'
  minimize: { chats: 'count-only', files: 'count-only', '*': 'pseudonymous' }
}
param tables = {
  ClaudeActivity_CL: { retentionDays: 365, totalRetentionDays: 2556, protected: true }
  ClaudeBridgeHealth_CL: { retentionDays: 730, totalRetentionDays: 2556 }
}
param tableReaders = [
  { principalId: '66666666-6666-6666-6666-666666666666', principalType: 'Group', tables: ['ClaudeActivity_CL'] }
  { principalId: '77777777-7777-7777-7777-777777777777', principalType: 'Group', tables: ['ClaudeBridgeHealth_CL'] }
]
param lifecycle = { ledgerDays: 2557, deadLetterDays: 90 }
