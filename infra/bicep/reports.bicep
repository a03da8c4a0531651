// Compliance reports for auditors: types, checks and the resulting settings. See docs/report.md.

import { appSettingsType } from 'settings.bicep'

@export()
@description('Name of the container of reports in the app\'s storage account.')
var reportContainer = 'reports'

var reportKey = 'report'

@description('Period of a report.')
type everyType = 'weekly' | 'monthly'

@export()
@description('No scheduled report.')
@sealed()
type noReportType = {
  @description('Required. No scheduled report; the command can still write one.')
  kind: 'none'
}

@export()
@description('Recipients of the link to a new report.')
@sealed()
type reportMailType = {
  @description('Required. Addresses, separated by semicolons.')
  @minLength(3)
  recipients: string
}

@export()
@description('Reports in a container of the app\'s storage account, signed by a key of its vault.')
@sealed()
type createdReportType = {
  @description('Required. A container and a key to create.')
  kind: 'created'

  @description('Required. Period.')
  every: everyType

  @description('Optional. Whether the manifest is signed. Default true.')
  sign: bool?

  @description('Optional. Name people by their addresses. Default false: by their ids.')
  names: bool?

  @description('Optional. A Logic App that mails the link; its mailbox connection must be authorized once by hand.')
  mail: reportMailType?
}

@export()
@description('Reports in an existing container, such as the auditors\' archive; its owners assign the roles on it and on the key.')
@sealed()
type givenReportType = {
  @description('Required. An existing container.')
  kind: 'given'

  @description('Required. Period.')
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
@description('Name of the signing key in the app\'s vault; empty if no key of ours signs.')
func reportKeyOf(report reportType) string? => report.kind == 'created' && (report.?sign ?? true) ? reportKey : null

@export()
@description('The report, or an error if it cannot be delivered.')
func checkedReport(report reportType, public bool) reportType =>
  report.kind == 'created' && report.?mail != null && !public
    ? fail('report.mail: a Logic App on the consumption plan does not reach storage in a private network; leave mail out')
    : report.kind == 'given' && !(startsWith(report.containerUrl, 'https://') && length(split(report.containerUrl, '/')) == 4)
        ? fail('report.containerUrl: must look like https://ACCOUNT.blob.../CONTAINER')
        : report.kind == 'given' && !startsWith(report.?signingKey ?? 'https://', 'https://')
            ? fail('report.signingKey: must be a key\'s identifier, https://VAULT.../keys/NAME')
            : report

@export()
@description('The report\'s settings. Every setting is written; empty means the bridge\'s default.')
func reportSettings(report reportType, blobEndpoint string, vaultUrl string) appSettingsType => {
  REPORT_SCHEDULE: report.?every ?? ''
  REPORT_NAMES: toLower(string(report.?names ?? ''))
  REPORT_CONTAINER_URL: report.kind == 'created' ? '${blobEndpoint}/${reportContainer}' : report.?containerUrl ?? ''
  REPORT_SIGNING_KEY: report.kind == 'created'
    ? reportKeyOf(report) == null ? '' : '${vaultUrl}/keys/${reportKeyOf(report)!}'
    : report.?signingKey ?? ''
}
