// Logs, metrics and traces of the app, with identity-based ingestion only.

import { tagsType } from '../types.bicep'

@description('Required. Name.')
param name string

@description('Required. Region.')
param location string

@description('Required. Tags.')
param tags tagsType

@description('Required. Resource id of the workspace behind it.')
param workspaceResourceId string

@description('Required. Whether telemetry can be sent from the internet.')
param public bool

resource component 'Microsoft.Insights/components@2020-02-02' = {
  name: name
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: workspaceResourceId
    DisableLocalAuth: true
    publicNetworkAccessForIngestion: public ? 'Enabled' : 'Disabled'
    publicNetworkAccessForQuery: 'Enabled' // operators query it from the internet
  }
}
