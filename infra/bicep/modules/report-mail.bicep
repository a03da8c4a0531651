// Mails the link to a new compliance report: a Logic App that checks each morning whether the last period's manifest was written today.
//
// It reads the manifest with its own identity and mails figures and a link, no rows: the container's roles determine who may open the report. The mailbox
// connection must be authorized once by hand (portal: the connection, Edit API connection, Authorize), which no template can do.

import { tagsType } from '../types.bicep'

@description('Required. Name of the Logic App; the connection to the mailbox gets the suffix `-mail`.')
param name string

@description('Required. Region.')
param location string

@description('Required. Tags.')
param tags tagsType

@description('Required. Name of the storage account of the reports, in this resource group.')
param accountName string

@description('Required. Name of the container of reports.')
param containerName string

@description('Required. Period of the reports, as in REPORT_SCHEDULE.')
@allowed(['weekly', 'monthly'])
param every string

@description('Required. Who gets the mail: addresses, separated by semicolons.')
@minLength(3)
param recipients string

// The names that shared/report/periods.py assigns: the Thursday of the last whole week determines the year and ISO week.
var thursday = 'addDays(utcNow(), sub(-4, mod(add(dayOfWeek(utcNow()), 6), 7)))'
var week = 'formatNumber(add(div(sub(dayOfYear(${thursday}), 1), 7), 1), \'00\')'
var reportName = every == 'weekly'
  ? '@concat(formatDateTime(${thursday}, \'yyyy\'), \'-W\', ${week})'
  : '@formatDateTime(addDays(startOfMonth(utcNow()), -1), \'yyyy-MM\')'

resource account 'Microsoft.Storage/storageAccounts@2026-04-01' existing = {
  name: accountName

  resource blobs 'blobServices' existing = {
    name: 'default'

    resource container 'containers' existing = {
      name: containerName
    }
  }
}

// A blob's URL refuses without offering a sign-in; the portal offers one.
var portal = '${environment().portal}/#view/Microsoft_Azure_Storage/ContainerMenuBlade/~/overview/storageAccountId/${uriComponent(account.id)}/path/${containerName}'
var folder = '${account.properties.primaryEndpoints.blob}${containerName}'

resource mailbox 'Microsoft.Web/connections@2016-06-01' = {
  name: '${name}-mail'
  location: location
  tags: tags
  properties: {
    displayName: 'Mailbox that sends the compliance report'
    api: { id: subscriptionResourceId('Microsoft.Web/locations/managedApis', location, 'office365') }
  }
}

resource mail 'Microsoft.Logic/workflows@2019-05-01' = {
  name: name
  location: location
  tags: tags
  identity: { type: 'SystemAssigned' }
  properties: {
    state: 'Enabled'
    // It is not called from outside, and its run contents cannot be read.
    accessControl: {
      triggers: { allowedCallerIpAddresses: [{ addressRange: '192.0.2.0-192.0.2.0' }] }
      contents: { allowedCallerIpAddresses: [{ addressRange: '192.0.2.0-192.0.2.0' }] }
    }
    parameters: {
      '$connections': {
        value: {
          office365: {
            id: subscriptionResourceId('Microsoft.Web/locations/managedApis', location, 'office365')
            connectionId: mailbox.id
            connectionName: mailbox.name
          }
        }
      }
    }
    definition: {
      '$schema': 'https://schema.management.azure.com/providers/Microsoft.Logic/schemas/2016-06-01/workflowdefinition.json#'
      contentVersion: '1.0.0.0'
      parameters: { '$connections': { type: 'Object', defaultValue: {} } }
      triggers: {
        each_morning: {
          type: 'Recurrence'
          recurrence: { frequency: 'Day', interval: 1, timeZone: 'UTC', schedule: { hours: [6], minutes: [30] } }
        }
      }
      actions: {
        report: { type: 'Compose', inputs: reportName, runAfter: {} }
        manifest: {
          type: 'Http'
          runAfter: { report: ['Succeeded'] }
          inputs: {
            method: 'GET'
            uri: '${folder}/@{outputs(\'report\')}/manifest.json'
            headers: { 'x-ms-version': '2023-11-03' }
            authentication: { type: 'ManagedServiceIdentity', audience: 'https://storage.azure.com/' }
          }
        }
        written_today: {
          type: 'If'
          runAfter: { manifest: ['Succeeded', 'Failed'] }
          // Nothing is sent for a report that is not written yet (404) or was already mailed.
          expression: {
            and: [
              { equals: ['@outputs(\'manifest\')?[\'statusCode\']', 200] }
              {
                startsWith: [
                  '@coalesce(body(\'manifest\')?[\'created\'], \'\')'
                  '@formatDateTime(utcNow(), \'yyyy-MM-dd\')'
                ]
              }
            ]
          }
          actions: {
            send: {
              type: 'ApiConnection'
              inputs: {
                host: { connection: { name: '@parameters(\'$connections\')[\'office365\'][\'connectionId\']' } }
                method: 'post'
                path: '/v2/Mail'
                body: {
                  To: recipients
                  Subject: 'Claude compliance report @{outputs(\'report\')}@{if(equals(body(\'manifest\')?[\'completeness\']?[\'complete\'], true), \'\', \': gaps to look into\')}'
                  Body: '<p>@{body(\'manifest\')?[\'completeness\']?[\'hoursProved\']} of @{body(\'manifest\')?[\'completeness\']?[\'hoursAsked\']} hours are proved.</p><p>It is in the folder @{outputs(\'report\')} of <a href="${portal}">the container of reports</a>: download report.html and open it.</p>'
                  Importance: 'Normal'
                }
              }
            }
          }
        }
        failed_otherwise: {
          type: 'If'
          runAfter: { manifest: ['Failed', 'TimedOut'] }
          // A missing report is normal; any other response (403: the role) must show as a failed run.
          expression: { and: [{ not: { equals: ['@outputs(\'manifest\')?[\'statusCode\']', 404] } }] }
          actions: {
            stop: {
              type: 'Terminate'
              inputs: {
                runStatus: 'Failed'
                runError: {
                  code: 'ManifestUnread'
                  message: 'The manifest cannot be read: check the role on the container and the storage firewall.'
                }
              }
            }
          }
        }
      }
    }
  }
}

@description('Resource id of the connection that must be authorized once.')
output connectionResourceId string = mailbox.id

@description('For roles.bicep: object id of its identity, which reads the container of reports.')
output principalId string = mail.identity.principalId
