// Nothing is there yet: workspace and Microsoft Sentinel are created beside the app.
using '../main.bicep'

param workspace = {
  kind: 'created'
  workspace: { name: 'law-claude', location: 'westeurope' }
}
param keyHolders = [{ principalId: '44444444-4444-4444-4444-444444444444', principalType: 'Group' }]
param packageUri = 'https://downloads.example.com/claude-sentinel-bridge/0.1.0/bridge.zip'
