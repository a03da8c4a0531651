// Who the app is. User-assigned, so that rights outlive the app and can be given before it exists.

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

@description('Object id, which rights are given to.')
output principalId string = identity.properties.principalId

@description('Client id, which the app asks tokens with.')
output clientId string = identity.properties.clientId
