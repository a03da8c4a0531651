// What a customer changes about our rules, in one file that survives every release: types, and how it is applied.
// A name that no rule has, or a threshold that its query has not, stops the deployment with a sentence.

@export()
@description('What is changed about one rule. What is left out stays as released.')
@sealed()
type ruleTuningType = {
  @description('Optional. Off stays off, whatever a release brings.')
  enabled: bool?

  @description('Optional. Severity of its alerts.')
  severity: ('Informational' | 'Low' | 'Medium' | 'High')?

  @description('Optional. How often it runs, such as 15m or 1h.')
  @minLength(2)
  @maxLength(3)
  frequency: string?

  @description('Optional. Value for each threshold, written as in the query: a number or a span, such as 8 or 30m.')
  thresholds: thresholdsType?
}

@export()
@description('Thresholds by name, as texts.')
type thresholdsType = {
  @description('Optional. The value of the threshold of that name.')
  *: string
}

@export()
@description('What is changed, by the rule\'s slug.')
type tuningType = {
  @description('Optional. What is changed about the rule of that slug.')
  *: ruleTuningType
}

@export()
@description('What the build says may be changed about a rule, and the text that is replaced to do so.')
type tunableType = {
  @description('Required. The filter that holds the frequency; empty where it cannot be changed.')
  frequency: string

  @description('Required. Whether the rule has one severity, and not one by row.')
  severity: bool

  @description('Required. Thresholds with the value the query is released with.')
  thresholds: thresholdsType
}

@export()
@description('The tuning, or an error that names the rules that are not there.')
func checkedTuning(tuning tuningType, slugs string[]) tuningType =>
  empty(filter(objectKeys(tuning), slug => !contains(slugs, slug)))
    ? tuning
    : fail('tuning: there is no rule ${join(filter(objectKeys(tuning), slug => !contains(slugs, slug)), ', ')}')

@export()
@description('The severity, or an error where the rule\'s own rows decide it.')
func tunedSeverity(slug string, released string, tunable tunableType, tuning ruleTuningType) string =>
  tuning.?severity == null
    ? released
    : tunable.severity ? tuning.severity! : fail('tuning: the severity of ${slug} is decided row by row')

@export()
@description('The frequency as Azure takes it (PT5M, P1D).')
func tunedFrequency(released string, tuning ruleTuningType) string =>
  tuning.?frequency == null
    ? released
    : '${endsWith(tuning.frequency!, 'd') ? 'P' : 'PT'}${toUpper(tuning.frequency!)}'

@export()
@description('The query with its thresholds and its frequency, or an error that says which threshold it has not.')
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
