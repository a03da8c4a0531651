// The Sentinel team's part alone: tables, rule and content; the app is elsewhere, or comes later.
using '../workspace.bicep'

param workspaceName = 'law-sentinel'
param prefix = 'claude'
