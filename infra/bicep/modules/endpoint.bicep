// A data collection endpoint: private link needs one, because the rule's own endpoint is always public.

import { tagsType } from '../types.bicep'

@description('Required. Name.')
@minLength(3)
@maxLength(44)
param name string

@description('Required. Region: that of the workspace.')
param location string

@description('Required. Tags.')
param tags tagsType

resource endpoint 'Microsoft.Insights/dataCollectionEndpoints@2024-03-11' = {
  name: name
  location: location
  tags: tags
  properties: {
    networkAcls: { publicNetworkAccess: 'Disabled' }
  }
}

@description('Resource id.')
output resourceId string = endpoint.id
