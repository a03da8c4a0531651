// Compliance reports for auditors: types, checks and the settings they come to. docs/report.md says what a report is.

import { appSettingsType } from 'settings.bicep'

@export()
@description('Name of the container of reports in the app\'s storage account.')
var reportContainer = 'reports'

var reportKey = 'report'

@description('Of which period a report is.')
type everyType = 'weekly' | 'monthly'

@export()
@description('No scheduled report.')
@sealed()
type noReportType = {
  @description('Required. No scheduled report; the command still writes one.')
  kind: 'none'
}

@export()
@description('Who is mailed the link to a new report.')
@sealed()
type reportMailType = {
  @description('Required. Addresses, parted by semicolons.')
  @minLength(3)
  recipients: string
}

@export()
@description('Reports in a container of the app\'s storage account, signed by a key of its vault.')
@sealed()
type createdReportType = {
  @description('Required. A container and a key to create.')
  kind: 'created'

  @description('Required. Of which period.')
  every: everyType

  @description('Optional. Whether the manifest is signed. Default true.')
  sign: bool?

  @description('Optional. Name people by their addresses. Default false: by their ids.')
  names: bool?

  @description('Optional. A Logic App that mails the link; its mailbox must be signed in once by hand.')
  mail: reportMailType?
}

@export()
@description('Reports in a container that is there, such as an archive of the auditors\'; its owners give the rights on it and on the key.')
@sealed()
type givenReportType = {
  @description('Required. A container that is there.')
  kind: 'given'

  @description('Required. Of which period.')
  every: everyType

  @description('Required. Its address, https://ACCOUNT.blob.../CONTAINER.')
  containerUrl: string

  @description('Optional. Identifier of the vault key that signs; without it the manifest is not signed.')
  signingKey: string?

  @description('Optional. Name people by their addresses. Default false: by their ids.')
  names: bool?
}

@export()
@discriminator('kind')
@description('Compliance reports for auditors.')
type reportType = noReportType | createdReportType | givenReportType

@export()
@description('Name of the signing key in the app\'s vault; none where nothing is signed by one of ours.')
func reportKeyOf(report reportType) string? => report.kind == 'created' && (report.?sign ?? true) ? reportKey : null

@export()
@description('The report, or an error where it cannot be delivered.')
func checkedReport(report reportType, public bool) reportType =>
  report.kind == 'created' && report.?mail != null && !public
    ? fail('report.mail: a Logic App on the consumption plan does not reach storage in a private network; leave mail out')
    : report.kind == 'given' && !(startsWith(report.containerUrl, 'https://') && length(split(report.containerUrl, '/')) == 4)
        ? fail('report.containerUrl: must look like https://ACCOUNT.blob.../CONTAINER')
        : report.kind == 'given' && !startsWith(report.?signingKey ?? 'https://', 'https://')
            ? fail('report.signingKey: must be a key\'s identifier, https://VAULT.../keys/NAME')
            : report

@export()
@description('The report\'s settings. Every setting is written, an empty one meaning the bridge\'s own default.')
func reportSettings(report reportType, blobEndpoint string, vaultUrl string) appSettingsType => {
  REPORT_SCHEDULE: report.?every ?? ''
  REPORT_NAMES: toLower(string(report.?names ?? ''))
  REPORT_CONTAINER_URL: report.kind == 'created' ? '${blobEndpoint}/${reportContainer}' : report.?containerUrl ?? ''
  REPORT_SIGNING_KEY: report.kind == 'created'
    ? reportKeyOf(report) == null ? '' : '${vaultUrl}/keys/${reportKeyOf(report)!}'
    : report.?signingKey ?? ''
}
