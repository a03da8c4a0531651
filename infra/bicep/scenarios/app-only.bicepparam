// The platform team's part alone, with the outputs of the Sentinel team's deployment. Everything has another name.
using '../app.bicep'

param workspaceResourceId = '/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-sentinel/providers/Microsoft.OperationalInsights/workspaces/law-sentinel'
param destination = {
  workspaceCustomerId: '88888888-8888-8888-8888-888888888888'
  workspaceLocation: 'westeurope'
  ruleImmutableId: 'dcr-0123456789abcdef0123456789abcdef'
  ingestionEndpoint: 'https://dcr-claude-ab12-westeurope.logs.z1.ingest.monitor.azure.com'
  tableVersions: { ClaudeActivity_CL: 1, ClaudeBridgeHealth_CL: 1 }
}
param names = {
  identity: 'contoso-prd-id-claude'
  storage: 'contosoprdstclaude'
  vault: 'contoso-prd-kv-claude'
  plan: 'contoso-prd-asp-claude'
  site: 'contoso-prd-func-claude'
  component: 'contoso-prd-appi-claude'
}
param pythonVersion = '3.13'
param report = {
  kind: 'given'
  every: 'weekly'
  containerUrl: 'https://contosoarchive.blob.example.com/claude-reports'
  signingKey: 'https://contoso-archive-kv.vault.example.com/keys/claude-reports'
}
