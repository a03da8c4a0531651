"""First KQL queries of an analyst: the demo prints their results, and they run in any workspace."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DemoQuery:
    """A title and its query."""

    title: str
    kql: str


DEMO_QUERIES = (
    DemoQuery(
        "Activities by category",
        """
ClaudeActivity
| summarize Activities = count(), Types = dcount(ActivityType), People = dcountif(ActorId, ActorType == "user_actor"),
    Failed = countif(Result == "Failure"), Latest = max(EventTime) by Category
| top 12 by Activities
""",
    ),
    DemoQuery(
        "Most active actors",
        """
ClaudeActivity
| where not(IsOwnRead)
| extend Actor = iff(isnotempty(ActorEmail), ActorEmail, ActorId)
| where isnotempty(Actor)
| summarize Activities = count(), Types = dcount(ActivityType), Last = max(EventTime) by Actor, ActorType
| top 8 by Activities
""",
    ),
    DemoQuery(
        "Failed sign-ins: one address, many accounts",
        """
ClaudeActivity
| where Category == "auth" and Result == "Failure"
| summarize Failures = count(), Accounts = dcountif(ActorEmailClaimed, isnotempty(ActorEmailClaimed)),
    From = min(EventTime), To = max(EventTime) by ActorIp
| order by Accounts desc, Failures desc
| take 6
""",
    ),
    DemoQuery(
        "Risky changes",
        """
ClaudeActivity
| where (ActivityType == "org_sso_toggled" and Enabled == false)
    or (ActivityType == "org_compliance_api_settings_updated"
        and (Enabled == false or tobool(Details.compliance_api_logging_enabled) == false))
    or (ActivityType == "api_key_created" and tostring(Scopes) has "delete:compliance_user_data")
    or ActivityType in ("org_data_export_started", "org_ip_restriction_deleted", "primary_owner_transferred",
        "org_cowork_act_without_asking_mode_enabled", "inference_hooks_config_deleted", "anthropic_access")
| extend Actor = iff(isnotempty(ActorEmail), ActorEmail, iff(isnotempty(ActorId), ActorId, ActorType))
| summarize Times = count(), Last = max(EventTime) by ActivityType, Actor
| order by Last desc
| take 15
""",
    ),
    DemoQuery(
        "Who reads the Compliance API",
        """
ClaudeActivity
| where ActivityType == "compliance_api_accessed"
| summarize Reads = count(), Refused = countif(Result == "Failure"), Last = max(EventTime)
    by Key = ActorId, OwnRead = IsOwnRead
| top 8 by Reads
""",
    ),
    DemoQuery(
        "Completeness proof: the last ten hours with activities",
        """
ClaudeProof
| where isnotnull(Feed) and Rows > 10
| top 10 by Hour
| order by Hour asc
| project Hour, Feed, Delivered, DeadLetters, Rows, Verdict
""",
    ),
    DemoQuery(
        "Completeness proof: all closed hours",
        """
ClaudeProof
| summarize Hours = count(), Rows = sum(Rows), Dead = sum(DeadLetters), From = min(Hour), To = max(Hour) by Verdict
""",
    ),
    DemoQuery(
        "Bridge health by run kind",
        """
ClaudeBridgeHealth_CL
| where Part == 1
| summarize Runs = count(), Requests = sum(Requests), Sent = sum(RowsSent), Late = sum(RowsLate),
    Repeated = sum(RowsRepeated), Dead = sum(RowsDeadLettered), MB = round(sum(BytesSent) / 1000000.0, 1)
    by RunKind, State
| order by Runs desc
""",
    ),
    DemoQuery(
        "Drift: activity types missing from this release's catalog",
        """
ClaudeBridgeHealth_CL
| where isnotempty(UnknownTypes)
| mv-expand Name = bag_keys(UnknownTypes) to typeof(string)
| summarize Runs = count(), Last = max(EventTime) by Name
| take 10
""",
    ),
)
