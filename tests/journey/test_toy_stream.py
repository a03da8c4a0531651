"""A stream is a folder and a table file: in a copy of the project with just these two more, it is pulled and listed.

tests/infra/test_table_list.py shows the same table deployed by the compiled template.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
STREAM = '''"""A toy: the organizations a key can see."""

from datetime import timedelta

from shared.source.endpoints import ORGANIZATIONS
from shared.streams import Family, Stream, StreamKind

STREAM = Stream(
    name="toy",
    table="ClaudeToy_CL",
    kind=StreamKind.SNAPSHOT,
    every=timedelta(hours=6),
    families=(Family("organizations", ORGANIZATIONS, lambda item: {"OrganizationId": item["uuid"]}),),
)
'''
COLUMNS = {
    "TimeGenerated": "datetime",
    "EventTime": "datetime",
    "ConnectionName": "string",
    "Stream": "string",
    "RunId": "string",
    "BridgeVersion": "string",
    "Family": "string",
    "OrganizationId": "string",
}
SCRIPT = """
import asyncio, json, sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sandbox.compliance.responses import ListedOrganization
from sandbox.compliance.keys import READ_ACTIVITIES, READ_ORGANIZATIONS
from sandbox.world import open_world
from shared.clock import SimulatedClock
from shared.runs import live
from shared.runs.status import status
from shared.settings import load
from shared.wiring import build

ROWS = "ClaudeToy_CL | summarize count(), dcount(OrganizationId) by RunId, Stream | project-away RunId"
HEALTH = "ClaudeBridgeHealth_CL | where Stream == 'toy' | project RunKind, State, RowsSent, Digests"


async def main(open_to_key: bool) -> None:
    clock = SimulatedClock(datetime(2026, 10, 31, 12, tzinfo=UTC))
    with open_world(clock) as world:
        world.api.state.organizations = tuple(
            ListedOrganization(f"7d3c1b9e-0000-4000-8000-{number:012d}", f"Contoso {number}", "2026-01-01T00:00:00Z")
            for number in range(1500)
        )
        keys = world.api.state.keys
        scopes = {READ_ACTIVITIES, READ_ORGANIZATIONS} if open_to_key else {READ_ACTIVITIES}
        keys[world.key] = replace(keys[world.key], scopes=frozenset(scopes))
        settings = load(**world.settings(), state_dir=Path(sys.argv[1]))
        async with build(settings, clock=clock, credential=world.credential) as bridge:
            (connection,) = bridge.connections
            await live.init(connection)
            turns = []
            for wait in (timedelta(0), timedelta(hours=1), timedelta(hours=6)):
                clock.advance(wait)
                turns.append([(run.stream, run.kind, run.state) for run in await bridge.work_plan()])
            shown = (await status(connection)).as_json()
        query = lambda kql: [list(row) for row in world.workspace.query(kql).rows]
        print(json.dumps({
            "turns": turns,
            "streams": shown["streams"],
            "rows": query(ROWS),
            "health": query(HEALTH),
        }, default=str))


asyncio.run(main(sys.argv[2] == "open"))
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project with the toy's folder and table, and no other file changed."""
    copy = tmp_path_factory.mktemp("toy")
    for name in ("shared", "sandbox", "kql", "sentinel/parsers"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    folder = copy / "shared" / "streams" / "toy"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "stream.py").write_text(STREAM)
    meaning = {"meaning": "A thing.", "sources": ["bridge"], "sensitivity": "none", "since": 1}
    table = {
        "name": "ClaudeToy_CL",
        "stream": "Custom-ClaudeToy_CL",
        "version": 1,
        "meaning": "One organization in one snapshot.",
        "plan": "Analytics",
        "retentionDays": 90,
        "protected": False,
        "readers": [],
        "columns": [{"name": name, "type": kind, **meaning} for name, kind in COLUMNS.items()],
    }
    (copy / "shared" / "tables" / "ClaudeToy_CL.json").write_text(json.dumps(table))
    (copy / "pull.py").write_text(SCRIPT)
    return copy


def pulled(project: Path, state: Path, key: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "pull.py", str(state), key], cwd=project, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_a_folder_and_a_table_are_a_stream(project: Path, tmp_path: Path) -> None:
    """Two snapshots in seven hours, each whole and by itself, in the workspace, in the health rows and in `status`."""
    found = pulled(project, tmp_path, "open")
    assert found["turns"][0] == found["turns"][2][-1:] == [["toy", "snapshot", "ok"]]
    assert not any(stream == "toy" for stream, _, _ in found["turns"][1])
    assert found["rows"] == [["toy", 1500, 1500]] * 2
    assert [row[:3] for row in found["health"]] == [["snapshot", "ok", 1500]] * 2
    digests = found["health"][0][3]
    (family,) = json.loads(digests) if isinstance(digests, str) else digests
    assert family == {"family": "organizations", "pages": 2, "items": 1500, "whole": True}
    (listed,) = found["streams"]
    assert (listed["stream"], listed["table"], listed["state"], listed["rows"]) == ("toy", "ClaudeToy_CL", "ok", 1500)


def test_a_key_without_the_scope_is_one_row_and_no_failure(project: Path, tmp_path: Path) -> None:
    """`not_available` is said once an interval, and the feed goes on."""
    found = pulled(project, tmp_path, "closed")
    assert found["rows"] == [] and [row[1] for row in found["health"]] == ["not_available"] * 2
    assert found["streams"][0]["state"] == "not_available"
