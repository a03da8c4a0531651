// Changes to our rules in one file that is kept across releases: types, and how it is applied.
// An unknown rule name, or a threshold that is not in the query, fails the deployment with a message.

@export()
@description('Changes to one rule. Omitted properties stay as released.')
@sealed()
type ruleTuningType = {
  @description('Optional. A disabled rule stays disabled across releases.')
  enabled: bool?

  @description('Optional. Severity of its alerts.')
  severity: ('Informational' | 'Low' | 'Medium' | 'High')?

  @description('Optional. How often it runs, such as 15m or 1h.')
  @minLength(2)
  @maxLength(3)
  frequency: string?

  @description('Optional. Value for each threshold, written as in the query: a number or a timespan, such as 8 or 30m.')
  thresholds: thresholdsType?
}

@export()
@description('Thresholds by name, as strings.')
type thresholdsType = {
  @description('Optional. The value of the threshold of that name.')
  *: string
}

@export()
@description('Changes, by the rule\'s slug.')
type tuningType = {
  @description('Optional. Changes to the rule with that slug.')
  *: ruleTuningType
}

@export()
@description('What may be changed about a rule, from the build, and the text that is replaced.')
type tunableType = {
  @description('Required. The filter with the frequency; empty if it cannot be changed.')
  frequency: string

  @description('Required. Whether the rule has one severity, not one per row.')
  severity: bool

  @description('Required. Thresholds with their released values.')
  thresholds: thresholdsType
}

@export()
@description('The tuning, or an error that names the unknown rules.')
func checkedTuning(tuning tuningType, slugs string[]) tuningType =>
  empty(filter(objectKeys(tuning), slug => !contains(slugs, slug)))
    ? tuning
    : fail('tuning: there is no rule ${join(filter(objectKeys(tuning), slug => !contains(slugs, slug)), ', ')}')

@export()
@description('The severity, or an error if the rule\'s rows determine it.')
func tunedSeverity(slug string, released string, tunable tunableType, tuning ruleTuningType) string =>
  tuning.?severity == null
    ? released
    : tunable.severity ? tuning.severity! : fail('tuning: the severity of ${slug} is decided row by row')

@export()
@description('The frequency in Azure\'s format (PT5M, P1D).')
func tunedFrequency(released string, tuning ruleTuningType) string =>
  tuning.?frequency == null
    ? released
    : '${endsWith(tuning.frequency!, 'd') ? 'P' : 'PT'}${toUpper(tuning.frequency!)}'

@export()
@description('The query with its thresholds and its frequency, or an error that names the missing threshold.')
func tunedQuery(slug string, released string, tunable tunableType, tuning ruleTuningType) string =>
  reduce(
    objectKeys(tuning.?thresholds ?? {}),
    tuning.?frequency == null
      ? released
      : empty(tunable.frequency)
          ? fail('tuning: the frequency of ${slug} is part of what it looks for and cannot be changed')
          : replace(released, tunable.frequency, 'IngestedAt > ago(${tuning.frequency!})'),
    (query, name) =>
      replace(
        query,
        'let ${name} = ${tunable.thresholds[?name] ?? fail('tuning: ${slug} has no threshold ${name}; it has ${empty(tunable.thresholds) ? 'none' : join(objectKeys(tunable.thresholds), ', ')}')};',
        'let ${name} = ${tuning.?thresholds[?name]};'
      )
  )
