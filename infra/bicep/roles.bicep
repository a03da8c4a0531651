// For the team that assigns roles. Deploy it into the app's resource group; it also writes to the workspace's. Each role is scoped to one
// resource and named by guid(scope, principal, role), so that redeploying changes nothing.

targetScope = 'resourceGroup'

import { tableNameType } from 'generated/tables.bicep'
import { releasedTables, tableReaderType } from 'tables.bicep'
import { checkedId, principalType } from 'types.bicep'

@description('Required. Object id of the app\'s identity: output principalId of app.bicep.')
@minLength(36)
@maxLength(36)
param principalId string

@description('Required. Name of the storage account.')
@minLength(3)
@maxLength(24)
param storageName string

@description('Required. Name of the vault.')
@minLength(3)
@maxLength(24)
param vaultName string

@description('Required. Name of the Application Insights component.')
param componentName string

@description('Required. Resource id of the data collection rule: output ruleResourceId of workspace.bicep.')
param ruleResourceId string

@description('Required. Resource id of the workspace.')
param workspaceResourceId string

@description('Optional. tables: a condition limits the app to the tables it queries. workspace: all of it, if table conditions are not available.')
param workspaceAccess 'tables' | 'workspace' = 'tables'

@description('Optional. Protected tables (preview). Default: as released.')
param protectedTables tableNameType[]?

@description('Optional. containers: the host may use its two containers only. account: the whole account, if the host does not start otherwise.')
param hostStorage 'containers' | 'account' = 'containers'

@description('Optional. Whether the app writes compliance reports, which requires reading watchlists.')
param reports bool = false

@description('Optional. Container of this account for reports.')
param reportContainerName string?

@description('Optional. Key of this vault that signs reports.')
param reportKeyName string?

@description('Optional. The Logic App that mails the link to a report: output mailPrincipalId of app.bicep.')
param mail { principalId: string }?

@description('Optional. Who stores and rotates the keys in the vault.')
param keyHolders principalType[] = []

@description('Optional. Who reads which table.')
param tableReaders tableReaderType[] = []

@description('Optional. Who runs init, doctor, prove and the other commands from their own machine: the app\'s roles except the host\'s.')
param operators principalType[] = []

var roles = loadJsonContent('roles.json')
// Tables that the app queries: a condition names them; the app cannot read other tables.
var tables = map(filter(releasedTables, table => contains(table.readers, 'bridge')), table => table.name)
var protected = protectedTables ?? map(filter(releasedTables, table => table.protected), table => table.name)
var app = { principalId: principalId, principalType: 'ServicePrincipal' }
var ruleId = checkedId(ruleResourceId, 'Microsoft.Insights/dataCollectionRules', 'ruleResourceId')
var workspaceId = checkedId(workspaceResourceId, 'Microsoft.OperationalInsights/workspaces', 'workspaceResourceId')
var hostContainers = hostStorage == 'containers' ? ['azure-webjobs-hosts', 'azure-webjobs-secrets'] : []
var operating = map(operators, operator => {
  principalId: operator.principalId
  principalType: operator.principalType
  tables: tables
})
var everyReader = concat(tableReaders, operating)
var readers = length(union(map(everyReader, reader => reader.principalId), [])) < length(everyReader) ? fail('tableReaders, operators: a principal is listed twice; one entry lists all its tables, and operators read both') : everyReader

module sendRows 'modules/role-rule.bicep' = {
  scope: resourceGroup(split(ruleId, '/')[2], split(ruleId, '/')[4])
  params: { ruleName: last(split(ruleId, '/')), principal: app, roleId: roles.monitoringMetricsPublisher }
}

module keepState 'modules/role-container.bicep' = [
  for container in ['state', 'packages']: {
    params: {
      accountName: storageName
      containerName: container
      principal: app
      roleId: roles.storageBlobDataContributor
    }
  }
]

module runHost 'modules/role-container.bicep' = [
  for container in hostContainers: {
    params: { accountName: storageName, containerName: container, principal: app, roleId: roles.storageBlobDataOwner }
  }
]

module runHostOnAccount 'modules/role-account.bicep' = if (hostStorage == 'account') {
  params: { accountName: storageName, principal: app, roleId: roles.storageBlobDataOwner }
}

module readKeys 'modules/role-vault.bicep' = {
  params: { vaultName: vaultName, principal: app, roleId: roles.keyVaultSecretsUser }
}

module holdKeys 'modules/role-vault.bicep' = [
  for holder in keyHolders: {
    params: { vaultName: vaultName, principal: holder, roleId: roles.keyVaultSecretsOfficer }
  }
]

module operatorsSend 'modules/role-rule.bicep' = [
  for operator in operators: {
    scope: resourceGroup(split(ruleId, '/')[2], split(ruleId, '/')[4])
    params: { ruleName: last(split(ruleId, '/')), principal: operator, roleId: roles.monitoringMetricsPublisher }
  }
]

module operatorsKeepState 'modules/role-container.bicep' = [
  for operator in operators: {
    params: {
      accountName: storageName
      containerName: 'state'
      principal: operator
      roleId: roles.storageBlobDataContributor
    }
  }
]

module operatorsReadKeys 'modules/role-vault.bicep' = [
  for operator in operators: {
    params: { vaultName: vaultName, principal: operator, roleId: roles.keyVaultSecretsUser }
  }
]

module writeReports 'modules/role-container.bicep' = if (reportContainerName != null) {
  params: {
    accountName: storageName
    containerName: reportContainerName!
    principal: app
    roleId: roles.storageBlobDataContributor
  }
}

module signReports 'modules/role-key.bicep' = if (reportKeyName != null) {
  params: { vaultName: vaultName, keyName: reportKeyName!, principal: app, roleId: roles.keyVaultCryptoUser }
}

module mailReports 'modules/role-container.bicep' = if (reportContainerName != null && mail != null) {
  params: {
    accountName: storageName
    containerName: reportContainerName!
    principal: { principalId: mail!.principalId, principalType: 'ServicePrincipal' }
    roleId: roles.storageBlobDataReader
  }
}

module sendTelemetry 'modules/role-component.bicep' = {
  params: { componentName: componentName, principal: app, roleId: roles.monitoringMetricsPublisher }
}

module readBack 'modules/role-workspace.bicep' = {
  scope: resourceGroup(split(workspaceId, '/')[2], split(workspaceId, '/')[4])
  params: {
    workspaceName: last(split(workspaceId, '/'))
    principal: app
    roleId: workspaceAccess == 'tables' ? roles.logAnalyticsDataReader : roles.logAnalyticsReader
    // Approvals and suppressed alerts are in watchlists.
    tables: workspaceAccess == 'tables' ? concat(tables, reports ? ['Watchlist'] : []) : []
    protectedTables: protected
  }
}

module readTables 'modules/role-workspace.bicep' = [
  for reader in readers: {
    scope: resourceGroup(split(workspaceId, '/')[2], split(workspaceId, '/')[4])
    params: {
      workspaceName: last(split(workspaceId, '/'))
      principal: { principalId: reader.principalId, principalType: reader.principalType }
      roleId: roles.logAnalyticsDataReader
      tables: reader.tables
      protectedTables: protected
    }
  }
]
