"""The timer of the report: off by default, due once, and loud when it fails."""

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import azure.functions as func
import pytest

from sandbox.world import World
from shared.archive.store import BlobArchive
from shared.clock import SimulatedClock
from shared.report.writing import Report, write_due
from shared.settings import load
from shared.triggers.timers import REPORT_SCHEDULE, ReportFailed, compliance_report, timers
from shared.wiring import identity

if TYPE_CHECKING:  # the fixtures come as a plugin
    from tests.azurite import Azurite

MONDAY = datetime(2026, 11, 2, 5, 15, tzinfo=UTC)


def test_the_timer_is_daily_and_never_at_start_up() -> None:
    """One function, in the morning, after the proof; its schedule needs no setting, which a host would insist on."""
    app = func.FunctionApp()
    app.register_functions(timers)
    (function,) = [each for each in app.get_functions() if each.get_function_name() == "compliance_report"]
    (binding,) = [each.get_dict_repr() for each in function.get_bindings()]
    assert binding["schedule"] == REPORT_SCHEDULE == "0 15 5 * * *" and not binding.get("runOnStartup")


async def test_it_is_off_by_default(environment: pytest.MonkeyPatch) -> None:
    """No client is opened and no setting missed."""
    environment.delenv("WORKSPACE_ID")
    async with identity() as credential:
        assert await write_due(load(), credential, SimulatedClock(MONDAY)) is None
    await compliance_report(None)


async def test_without_a_container_it_fails_with_its_remedy(
    environment: pytest.MonkeyPatch, worker: object, caplog: pytest.LogCaptureFixture
) -> None:
    """The run fails in the host's own list, in the words of the refusal."""
    environment.setenv("REPORT_SCHEDULE", "monthly")
    with pytest.raises(ReportFailed, match="REPORT_CONTAINER_URL must be set"):
        await compliance_report(None)


async def test_the_last_period_is_written_once(
    environment: pytest.MonkeyPatch,
    world: World,
    request: pytest.FixtureRequest,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """On the second morning there is nothing to do; the next week has a report of its own."""
    caplog.set_level(logging.INFO, logger="bridge")
    emulator: Azurite = request.getfixturevalue("azurite")
    async with emulator.container("reports") as container:
        archive = BlobArchive(container)
        environment.setenv("REPORT_SCHEDULE", "weekly")

        async def on(day: int) -> Report | None:
            async with identity() as credential:
                return await write_due(load(), credential, SimulatedClock(MONDAY.replace(day=day)), archive=archive)

        first = await on(2)
        assert first is not None and first.name == "2026-W44"
        names = [name async for name in container.list_blob_names()]
        assert "2026-W44/manifest.json" in names
        assert await on(3) is None
        assert [name async for name in container.list_blob_names()] == names
        later = await on(9)
        assert later is not None and later.name == "2026-W45"
    told = [each.getMessage() for each in caplog.records if each.getMessage().startswith("report.")]
    assert [line.split()[0] for line in told] == ["report.written", "report.incomplete"] * 2
