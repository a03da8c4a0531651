"""The codeless connector's table and ours say the same, each in its own column names."""

from datetime import timedelta
from typing import Any

from sentinel.tools.check.bind import bind
from sentinel.tools.load import content
from sentinel.tools.load.models import Case
from sentinel.tools.prove.cases import world
from sentinel.tools.prove.stage import stage
from shared.streams.activity import catalogue

BAGS = ("actor", "audience", "member_ids", "scopes")
# Withheld by default, and written in the spelling that actors have.
CHANGED = ("filename", "admin_api_key_id")
RENAMED = ("TimeGenerated", "created_at", "id_CF", "type_CF", "title_CF")


def test_every_field_of_every_type_is_found_under_its_own_name() -> None:
    """One activity of each type, with a text in every field that is a text there, comes out as it went in."""
    columns = bind({"view": "ClaudeAsCodeless"})["view"].columns
    texts = [name for name, type_ in columns.items() if type_ == "string" and name not in (*BAGS, *RENAMED, *CHANGED)]
    sent = {}
    for kind, entry in catalogue.load().types.items():
        fields = {name: f"{name}_x" for name in texts if name in entry.fields and name not in ("url", "current_value")}
        sent[kind] = {"type": kind, "actor": "ana", **fields}
    stage().set(world(Case(name="all", fires=True, activities=list(sent.values()))), [], timedelta(days=1))
    answer = {row["type_CF"]: row for row in stage().ask("ClaudeAsCodeless").objects()}
    assert answer.keys() == sent.keys()
    wrong = [
        (kind, name, answer[kind][name])
        for kind, activity in sent.items()
        for name in texts
        if name not in ("organization_id", "organization_uuid", "url") and answer[kind][name] != activity.get(name, "")
    ]
    assert not wrong, sorted({(name, found) for _, name, found in wrong})
    assert answer["org_sso_toggled"]["actor"]["user_id"] == "user_ana"


def test_history_of_the_codeless_table_reads_like_ours() -> None:
    """A row of the codeless connector, collected twice, is one row with our names, and a failure is one."""
    row: dict[str, Any] = {
        "created": "-2h",
        "created_at": "-2h",
        "id_CF": "activity_1",
        "type_CF": "sso_login_failed",
        "actor": {"type": "unauthenticated_user_actor", "unauthenticated_email_address": "Ana@example.com"},
        "organization_id": "org_example",
    }
    case = Case(name="codeless", fires=True, neighbors={"BV_ClaudeCompliance_ComplianceActivities_CL": [row, row]})
    stage().set(world(case), [], timedelta(days=1))
    answer = stage().ask("ClaudeFromCodeless").objects()
    assert [(one["ActivityId"], one["Result"], one["ActorEmailClaimed"]) for one in answer] == [
        ("activity_1", "Failure", "ana@example.com")
    ]
    ours = content.own_tables()["ClaudeActivity_CL"].names
    assert set(answer[0]) <= set(ours)
