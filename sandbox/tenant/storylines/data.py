"""Storylines about content exported, exposed or deleted."""

from datetime import timedelta
from typing import Final

from sandbox.tenant.administration import departure, directory_actor
from sandbox.tenant.places import FAR_PLACES
from sandbox.tenant.storyline import ANTHROPIC, SYSTEM, Script, StorylineBuilder


def _leaver_moves_data(story: StorylineBuilder) -> None:
    person = next(p for p in reversed(story.company.people) if p.left and p.department == "sales")
    assert person.left is not None
    place, home = story.organization(person), person.actor(address=person.home)
    at = person.left - timedelta(days=2) + timedelta(hours=3)
    for number in range(165):
        type = ("claude_chat_viewed", "claude_project_document_viewed", "claude_file_viewed")[number % 3]
        story.add(at, type, home, place)
        at += timedelta(seconds=story.rng.uniform(8, 20))
    at = person.left - timedelta(days=1)
    for _ in range(14):
        at = story.add(at, "claude_file_exported", home, place, export_destination="google_drive")
    for _ in range(12):
        at = story.add(at, "claude_chat_snapshot_created", home, place)
    at = story.add(at, "claude_artifact_published", home, place, artifact_type="text/html", is_redeploy=False)
    at = person.left - timedelta(minutes=50)
    for _ in range(42):
        at = story.add(at, "claude_chat_deleted", person.actor(), place)
    for moment, type, fields in departure(person):
        story.add(moment, type, directory_actor(story.company, story.values), place, **fields)
    story.add(person.left + timedelta(minutes=3), "org_user_shares_retained", SYSTEM, place, resource_count=13)
    story.departed.append(person)

    # An app that reloads one chat, and previews that were not opened.
    other = story.someone("sales")
    chat, quiet = story.ids.new("claude_chat"), person.left - timedelta(days=2, hours=4)
    for _ in range(120):
        quiet = story.add_benign(quiet, "claude_chat_viewed", other.actor(), place, claude_chat_id=chat)
    for _ in range(30):
        quiet = story.add_benign(quiet, "claude_project_viewed", other.actor(), place, preview_only=True)


def _organization_export(story: StorylineBuilder) -> None:
    admin = story.holder("owner", "admin")
    night = admin.actor(address=story.far_address())
    at = story.add(story.at(admin, 1.6), "org_data_export_started", night, export_type="conversations")
    at = story.add(at + timedelta(minutes=41), "org_data_export_completed", ANTHROPIC, export_type="conversations")
    at = story.add(at + timedelta(minutes=2), "org_data_export_accessed", night, export_type="conversations")
    at = story.add(at, "org_data_export_accessed", night, export_type="conversations")
    story.add(at, "audit_log_export_started", night)

    other = story.holder("membership_admin")
    day = story.add_benign(story.at(other, 10), "org_users_listed", other.actor())
    story.add_benign(day, "group_list_viewed", other.actor())


def _public_artifact(story: StorylineBuilder) -> None:
    owner = story.someone("marketing")
    place, artifact = story.organization(owner), story.ids.new("claude_artifact")
    at = story.add(story.at(owner, 15.2), "claude_artifact_created", owner.actor(), place, claude_artifact_id=artifact)
    at = story.add(
        at + timedelta(minutes=20),
        "claude_artifact_sharing_updated",
        owner.actor(),
        place,
        claude_artifact_id=artifact,
        audience=[{"type": "anyone_with_link"}],
        previous_mode="owner",
        new_mode="anyone_with_link",
    )
    for number in range(6):
        at = story.add(
            at,
            "claude_artifact_invite_created",
            owner.actor(),
            place,
            claude_artifact_id=artifact,
            invitee_email=f"reader{number}@partner.example",
            role="viewer",
        )
    for number in range(28):
        at += timedelta(minutes=story.rng.uniform(1, 12))
        reader = story.stranger(story.far_address(FAR_PLACES[number % 4]))
        story.add(at, "claude_artifact_viewed", reader, place, claude_artifact_id=artifact)

    other = story.someone("marketing")
    for audience in ("organization", "users"):
        fields = {"audience": [{"type": audience}], "previous_mode": "owner", "new_mode": audience}
        story.add_benign(story.at(other, 14), "claude_artifact_sharing_updated", other.actor(), place, **fields)
    story.add_benign(story.at(other, 14.5), "claude_artifact_published", other.actor(), place, is_redeploy=True)


def _probing_for_chats(story: StorylineBuilder) -> None:
    person = story.someone("operations")
    place = story.organization(person)
    at = story.at(person, 18.9)
    for _ in range(46):
        story.add(at, "claude_chat_access_failed", person.actor(), place)
        at += timedelta(seconds=story.rng.uniform(4, 12))

    other, stale = story.someone("finance"), story.ids.new("claude_chat")
    at = story.at(other, 16)
    for _ in range(60):
        story.add_benign(at, "claude_chat_access_failed", other.actor(), place, claude_chat_id=stale)
        at += timedelta(seconds=9)


def _provider_access(story: StorylineBuilder) -> None:
    place = story.company.console[0]
    at = story.at(None, 15)
    for reason in ("incident_response", "policy_violation_investigation", "incident_response"):
        accessed = (at - timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
        message = {"type": "message", "id": story.ids.new("msg"), "parent": None}
        fields = {"accessed_at": accessed, "reason_code": reason, "resource_details": message}
        story.add(at, "anthropic_access", ANTHROPIC, place, **fields)
        at += timedelta(minutes=story.rng.uniform(20, 90))
    accessed = (at - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    story.add(at, "cmek_preserve", ANTHROPIC, place, accessed_at=accessed, reason_code="incident_response")
    story.add_benign(at, "extra_usage_credit_granted", ANTHROPIC)


DATA: Final = (
    Script(
        "organization-export",
        "All conversations of the organization exported at night",
        "An administrator's account exports all conversations at night from a foreign address, downloads them twice "
        "and exports the audit log as well.",
        ("claude-organization-export", "claude-member-or-audit-export"),
        _organization_export,
    ),
    Script(
        "public-artifact",
        "An artifact opened to anyone with the link",
        "A marketing artifact is opened to anyone with the link, outsiders are invited, and unknown readers view it.",
        ("claude-opened-to-the-world", "claude-outsider-invited", "claude-anonymous-share-reads"),
        _public_artifact,
    ),
    Script(
        "probing-for-chats",
        "One person tries chats that are not theirs",
        "Within minutes one account is denied access to dozens of chats.",
        ("claude-access-probing",),
        _probing_for_chats,
    ),
    Script(
        "provider-access",
        "Provider staff looked at messages",
        "Anthropic records three views and one preservation of content, each visible after a delay.",
        ("claude-provider-access",),
        _provider_access,
    ),
    Script(
        "leaver-moves-data",
        "A leaver reads, exports, shares and deletes",
        "Two days before leaving, a salesperson reads far more than usual from home, exports files and creates share "
        "links, deletes chats on the last afternoon, and is removed by the directory.",
        (
            "claude-mass-reading",
            "claude-cloud-storage-export",
            "claude-share-link-burst",
            "claude-opened-to-the-world",
            "claude-deletion-spree",
            "claude-deletion-before-exit",
            "claude-leaver-moves-data",
        ),
        _leaver_moves_data,
    ),
)
