// The app's identity. User-assigned, so that role assignments outlive the app and can be created before it.

import { tagsType } from '../types.bicep'

@description('Required. Name.')
param name string

@description('Required. Region.')
param location string

@description('Required. Tags.')
param tags tagsType

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: name
  location: location
  tags: tags
}

@description('Object id, for role assignments.')
output principalId string = identity.properties.principalId

@description('Client id, with which the app requests tokens.')
output clientId string = identity.properties.clientId
