"""The simulated tenant's month goes through the real bridge, and each of its incidents is found by what was written
for it: rules in the runs of their schedule, hunts over the hours of the storyline."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from kql import LocalWorkspace
from sandbox.compliance.feed import SimulatedFeed
from sandbox.tenant import Storyline, Tenant, build_tenant
from sandbox.world import open_world
from sentinel.tools.backtest import engine
from sentinel.tools.backtest.engine import Past
from sentinel.tools.check.bind import Bound
from sentinel.tools.load import content
from sentinel.tools.load.content import File
from sentinel.tools.load.models import Rule
from sentinel.tools.prove.verdict import bound_queries
from shared.clock import SimulatedClock
from shared.runs import live
from shared.settings import load
from shared.state import plan as plans
from shared.wiring import build

END = datetime(2026, 11, 4, 8, tzinfo=UTC)
START = END - timedelta(days=30)
# An alert comes with the rule's next run; two hours leave room for the slowest.
AFTER = timedelta(hours=2)

FOUND: dict[str, set[str]] = {
    "sso-switched-off": {"claude-sso-disabled", "claude-second-factor-disabled", "claude-sign-in-around-sso"},
    "password-spray": {"claude-sign-in-spray", "claude-failures-then-success", "claude-scripted-session"},
    "impossible-travel": {"claude-impossible-travel", "claude-session-many-places", "claude-scripted-session"},
    "organization-export": {"claude-organization-export", "claude-member-or-audit-export"},
    "public-artifact": {"claude-opened-to-the-world", "claude-outsider-invited", "claude-anonymous-share-reads"},
    "probing-for-chats": {"claude-access-probing"},
    "provider-access": {"claude-provider-access"},
    "leaver-moves-data": {
        "claude-mass-reading",
        "claude-cloud-storage-export",
        "claude-share-link-burst",
        "claude-opened-to-the-world",
        "claude-deletion-spree",
        "claude-deletion-before-exit",
        "claude-leaver-moves-data",
    },
    "audit-blinded": {
        "claude-audit-switched-off",
        "claude-audit-blind-window",
        "claude-member-or-audit-export",
        "claude-admin-key-created",
    },
    "retention-loosened": {"claude-retention-or-residency-loosened", "claude-risky-setting-loosened"},
    "hook-switched-off": {
        "claude-inference-hook-weakened",
        "claude-inference-hook-failing-open",
        "claude-hook-denials-one-person",
    },
    "compliance-key-abuse": {
        "claude-compliance-key-created",
        "claude-delete-capable-key-created",
        "claude-key-first-used-elsewhere",
        "claude-unknown-key-reads-api",
        "claude-content-deleted-by-api",
        "claude-compliance-api-refusals",
    },
    "privilege-climb": {"claude-self-granted", "claude-admin-granted", "claude-role-widened"},
    "members-removed": {"claude-member-removal-burst"},
    "federation-trust-widened": {"claude-federation-trust-changed"},
    "shadow-connector": {"claude-unapproved-connector", "claude-tool-policy-loosened"},
    "agent-let-loose": {
        "claude-agent-autonomy-raised",
        "claude-agent-egress-widened",
        "claude-telemetry-redirected",
    },
}

# Told by the storyline, but beyond what can be shown here.
UNSEEN = {
    ("impossible-travel", "claude-session-many-places"): "all places of the simulated world share two first octets, "
    "which is what the hunt takes for a network",
}


def detections() -> dict[str, File[Any]]:
    """What FOUND names, but for what the local engine does not execute."""
    wanted = set[str]().union(*FOUND.values())
    paths = [path for path in [*content.rule_paths(), *content.hunt_paths()] if path.stem in wanted]
    files = [content.detection(path) for path in paths]
    return {file.slug: file for file in files if file.value.execution == "executed"}


@asynccontextmanager
async def carried(tenant: Tenant, folder: Path) -> AsyncIterator[LocalWorkspace]:
    """The workspace after the bridge has read the tenant's month as history."""
    clock = SimulatedClock(END)
    with open_world(clock, feed=SimulatedFeed(tenant.entries), own_rows=False) as world:
        settings = load(**world.settings(), state_dir=folder)
        async with build(settings, clock=clock, credential=world.credential) as bridge:
            keeper = bridge.connections[0].plan_store
            await live.init(bridge.connections[0])
            await keeper.update(lambda plan: plans.with_history(plan, START, END, limit=5000))
            while any(window.state == "waiting" for window in (await keeper.read()).windows):
                await bridge.work_plan()
        yield world.workspace


def finders(workspace: LocalWorkspace, tenant: Tenant) -> dict[str, set[str]]:
    """What fired or answered, of what FOUND names, for each storyline."""
    files = detections()
    bound = bound_queries(files.values())
    past = Past(workspace, types=engine.types_read(bound.values()))
    found = {
        storyline.name: {
            slug
            for slug in FOUND[storyline.name] & files.keys()
            if any(named(row, storyline) for row in answers(past, files[slug], bound[slug], storyline))
        }
        for storyline in tenant.storylines
    }
    past.close()
    return found


def answers(past: Past, file: File[Any], bound: Bound, storyline: Storyline) -> Iterator[dict[str, Any]]:
    """The rows of a rule's alerts, or of a hunt, in the hours of a storyline."""
    start = storyline.started.replace(minute=0, second=0, microsecond=0)
    end = storyline.ended + AFTER
    if isinstance(file.value, Rule):
        for fired in past.fired(file, bound, start, end):
            yield from fired.rows
    else:
        period = max(file.value.query_period, end - start)
        yield from past.ask(engine.as_of(bound, engine.AT), end, period).objects()


def named(row: dict[str, Any], storyline: Storyline) -> bool:
    """Whether an answer is about the storyline: it names one of its activities, where it names one at all."""
    return row.get("ActivityId", "") in ("", *storyline.activity_ids)


@pytest.mark.long
async def test_every_storyline_is_found(tmp_path: Path) -> None:
    """In each storyline's hours fire the rules, and answer the hunts, that FOUND names for it."""
    tenant = build_tenant(start=START, end=END, people=120)
    assert {storyline.name for storyline in tenant.storylines} == FOUND.keys()
    async with carried(tenant, tmp_path) as workspace:
        found = finders(workspace, tenant)
    written = detections().keys()
    wanted = {name: {slug for slug in slugs & written if (name, slug) not in UNSEEN} for name, slugs in FOUND.items()}
    assert found == wanted


def test_the_table_is_the_storylines_own() -> None:
    """What the tenant promises to be found is what is looked for here."""
    tenant = build_tenant(start=START, end=END, people=30)
    assert {storyline.name: set(storyline.rules) for storyline in tenant.storylines} == FOUND
