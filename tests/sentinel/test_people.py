"""Who somebody is, and what one person did, across products and years."""

from datetime import timedelta
from typing import Any

from sentinel.tools.load.models import Case
from sentinel.tools.prove.cases import world
from sentinel.tools.prove.stage import stage

PERSON = {"ActorType": "user_actor", "ActorId": "user_old", "ActorEmail": "old@example.com", "Category": "chats"}
IDENTITY = {"AccountUPN": "Ana.Admin@corp.example", "MailAddress": "Ana@example.com"}


def asked(query: str, **said: Any) -> list[dict[str, Any]]:
    stage().set(world(Case(name="people", fires=True, **said)), [], timedelta(days=14))
    return stage().ask(query).objects()


def test_people_come_from_activities_and_from_the_days_before() -> None:
    """Who is in both has the first and the last of all; whoever only the summary remembers is there, too."""
    daily = [{**PERSON, "created": "-9d", "_BinStartTime": "-10d", "FirstTime": "-10d", "LastTime": "-9d"}]
    daily += [{**daily[0], "ActorId": "user_ana", "ActorEmail": "ana@example.com"}]
    people = {
        row["UserId"]: row
        for row in asked(
            "ClaudePeople",
            activities=[
                {"type": "claude_chat_created", "actor": "ana"},
                {"type": "claude_chat_created", "actor": "api_key:x"},
            ],
            neighbors={"ClaudeDaily_CL": daily, "IdentityInfo": [IDENTITY, {**IDENTITY, "created": "-1d"}]},
        )
    }
    assert people.keys() == {"user_ana", "user_old"}
    assert people["user_ana"]["LastSeen"] - people["user_ana"]["FirstSeen"] > timedelta(days=9)
    assert people["user_ana"]["Upn"] == "ana.admin@corp.example"
    assert people["user_old"]["Upn"] == people["user_old"]["Email"] == "old@example.com"


def test_a_timeline_finds_a_person_under_every_name() -> None:
    """Under any name it has what they did, what was done to them and what Entra saw; nothing of others, or before."""
    said: dict[str, Any] = {
        "activities": [
            {"type": "claude_chat_created", "actor": "ana"},
            {"type": "claude_chat_created", "actor": "ben"},
            {"type": "claude_chat_created", "actor": "ana", "created": "-5d"},
            {"type": "org_user_deleted", "actor": "admin", "deleted_user_id": "user_ana"},
        ],
        "neighbors": {
            "IdentityInfo": [IDENTITY],
            "SigninLogs": [
                {
                    "created": "-2h",
                    "CreatedDateTime": "-2h",
                    "UserPrincipalName": "ana.admin@corp.example",
                    "ResultType": "0",
                },
                {"created": "-2h", "CreatedDateTime": "-2h", "UserPrincipalName": "ben@example.com", "ResultType": "0"},
            ],
        },
    }
    for who in ("Ana.Admin@corp.example", "ana@example.com", "user_ana"):
        answer = asked(f'ClaudeTimeline("{who}", ago(1d), now()) | sort by Time asc', **said)
        shown = [(row["Source"], row["Action"]) for row in answer]
        assert shown[0] == ("Entra", "sign-in")
        assert sorted(shown[1:]) == [("Claude", "claude_chat_created"), ("Claude", "org_user_deleted")]
    assert list(answer[0]) == ["Time", "Source", "Action", "Object", "Ip", "Detail"]
