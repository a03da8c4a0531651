"""The shape of content files: Sentinel's own schema for rules and hunts, and what we add to it."""

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from sentinel.tools.load.spans import Span

Text = Annotated[str, Field(min_length=1)]
Severity = Literal["Informational", "Low", "Medium", "High"]
Law = Literal["ingestedAt", "late", "once", "doubled", "backfill", "muted"]


class Model(BaseModel):
    """A frozen value whose keys are camelCase in files; an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel, populate_by_name=True)


class FieldMapping(Model):
    identifier: Text
    column_name: Text


class EntityMapping(Model):
    entity_type: Text
    field_mappings: Annotated[list[FieldMapping], Field(min_length=1, max_length=3)]


class AlertProperty(Model):
    alert_property: Text
    value: Text


class AlertOverride(Model):
    """Formats hold `{{Column}}`, three at most."""

    alert_display_name_format: Annotated[str, Field(max_length=256)] | None = None
    alert_description_format: Annotated[str, Field(max_length=5000)] | None = None
    alert_severity_column_name: Text | None = None
    alert_tactics_column_name: Text | None = None
    alert_dynamic_properties: list[AlertProperty] = []


class EventGrouping(Model):
    aggregation_kind: Literal["SingleAlert", "AlertPerResult"] = "AlertPerResult"


class Grouping(Model):
    enabled: bool = True
    reopen_closed_incident: bool = False
    lookback_duration: Span = timedelta(hours=5)
    matching_method: Literal["AllEntities", "AnyAlert", "Selected"] = "AllEntities"
    group_by_entities: list[str] = []
    group_by_alert_details: list[Literal["DisplayName", "Severity"]] = []
    group_by_custom_details: list[str] = []


class Incident(Model):
    create_incident: bool = True
    grouping_configuration: Grouping = Grouping()


class Case(Model):
    """One test: a small world, and whether the query answers with rows. How to write one: sentinel/README.md."""

    name: Text
    fires: bool
    rows: int | None = None
    expect: dict[str, Any] = {}
    activities: list[dict[str, Any]] = []
    neighbors: dict[str, list[dict[str, Any]]] = {}
    watchlists: dict[str, list[dict[str, Any]]] = {}
    late: bool = True


class Equivalent(Model):
    """A mutant that no test can kill, because it means the same; `mutant` is its name in the report."""

    mutant: Text
    reason: Text


class Detection(Model):
    """What rules and hunts share. `source` names the row of our catalogue of ideas that this one answers."""

    id: Annotated[str, Field(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")]
    name: Annotated[str, Field(min_length=1, max_length=50)]
    description: Annotated[str, Field(min_length=20, max_length=5000)]
    query_period: Span
    tactics: Annotated[list[str], Field(min_length=1)]
    relevant_techniques: Annotated[list[str], Field(min_length=1)]
    query: Annotated[str, Field(min_length=1, max_length=10_000)]
    entity_mappings: Annotated[list[EntityMapping], Field(min_length=1, max_length=5)]
    version: Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$", max_length=20)]
    source: Text
    misses: Text
    false_positives: Text
    tests: Annotated[list[Case], Field(min_length=1)]
    equivalent_mutants: list[Equivalent] = []
    execution: Literal["executed", "bound-only"] = "executed"
    execution_reason: Text | None = None


class Rule(Detection):
    """One scheduled analytics rule. `expected_per_month` is for a tenant of 20,000 people without incidents.

    `exempt` names laws of sentinel/tools/prove/laws.py that cannot hold for this rule, each with the reason.
    """

    severity: Severity
    severity_reason: Text
    status: Literal["Available", "Preview", "Deprecated"] = "Available"
    kind: Literal["Scheduled"] = "Scheduled"
    query_frequency: Span
    trigger_operator: Literal["gt"] = "gt"
    trigger_threshold: Annotated[int, Field(ge=0, le=10_000)] = 0
    custom_details: dict[str, str] = {}
    alert_details_override: AlertOverride = AlertOverride()
    event_grouping_settings: EventGrouping = EventGrouping()
    incident_configuration: Incident = Incident()
    tags: list[str] = []
    runbook: Text
    contain: Text | None = None
    expected_per_month: Annotated[float, Field(ge=0)]
    exempt: dict[Law, Text] = {}


class Hunt(Detection):
    """One hunting query: run by a person, over the time they choose; `query_period` is what its tests see."""


class Summary(Model):
    """One summary rule: `query` runs once a bin over that bin's rows; `columns` (name -> type) are its table's."""

    display_name: Text
    description: Text
    table: Annotated[str, Field(pattern=r"^Claude[A-Za-z]+_CL$")]
    bin_minutes: Literal[20, 30, 60, 120, 180, 360, 720, 1440]
    delay_minutes: Annotated[int, Field(ge=0, le=1440)]
    query: Text
    columns: Annotated[dict[str, str], Field(min_length=1)]


class WatchlistColumn(Model):
    name: Text
    meaning: Text


class Watchlist(Model):
    """A list the customer fills: created once, empty. Every column is text, as `_GetWatchlist` returns it."""

    alias: Annotated[str, Field(pattern=r"^Claude[A-Za-z]+$")]
    display_name: Text
    description: Text
    search_key: Text
    columns: Annotated[list[WatchlistColumn], Field(min_length=1)]
    example: dict[str, str]
