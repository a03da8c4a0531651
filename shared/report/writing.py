"""Writes one report: asks everything, makes the files, seals them with the manifest, and never replaces one."""

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from urllib.parse import urlsplit

from azure.core.credentials_async import AsyncTokenCredential
from azure.monitor.query.aio import LogsQueryClient

from shared.archive.seal import MANIFEST, SEAL, Signer, open_signer, sha256
from shared.archive.store import AlreadyThere, ArchiveStore, BlobArchive
from shared.clock import Clock
from shared.errors import BridgeError, ConfigError, SinkBusy
from shared.logs import event, logger, safe
from shared.models import Window
from shared.report.coverage import Coverage, coverage
from shared.report.files import as_csv, as_json, manifest
from shared.report.page import Cover, page
from shared.report.questions import Table, ask, questions
from shared.settings import LOOPBACK, Settings
from shared.state.blob_store import open_container
from shared.workspace.client import LogAnalyticsWorkspace
from shared.workspace.query import QueryClient

log = logger(__name__)

PAGE = "report.html"
MOST_REVISIONS = 99
READ_SECONDS = 60
"""A report's files are larger than state, and no lease runs out meanwhile."""
DAY = timedelta(days=1)

Every = Literal["off", "weekly", "monthly"]


@dataclass(frozen=True, slots=True)
class Reporter:
    """Everything a report needs. `connections` must be proved even where the workspace has no row of them."""

    client: QueryClient
    archive: ArchiveStore
    clock: Clock
    signer: Signer | None = None
    names: bool = False
    connections: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """What was written, or had been before (`new` is False, and the rest is left out)."""

    name: str
    address: str
    new: bool = True
    proof: Coverage | None = None
    failed: tuple[str, ...] = ()


async def write_due(
    settings: Settings, credential: AsyncTokenCredential, clock: Clock, *, archive: ArchiveStore | None = None
) -> Report | None:
    """The last period's report, on `archive` or in the container; None when none is due or it exists.

    Raises BridgeError.
    """
    period = last_period(settings.report_schedule, clock.now())
    if period is None:
        return None
    async with open_reporter(settings, credential, clock, archive=archive) as reporter:
        written = await write_report(reporter, period)
    if not written.new:
        return None
    if written.failed or written.proof is None or not written.proof.complete:
        event(log, "report.incomplete", level=logging.WARNING, report=written.name, failed=",".join(written.failed))
    return written


async def write_report(reporter: Reporter, period: Window, *, again: bool = False) -> Report:
    """The report of `period`; a finished one is left as it is, unless `again` asks for a further revision beside it.

    Files are written first and the manifest last, so that a report without one is unfinished; the next attempt takes
    the next revision's name. Raises ConfigError, SinkRefused, SinkBusy or StoreFailed: nothing that counts was written.
    """
    try:
        return await _write(reporter, period, again=again)
    except BridgeError as why:
        event(log, "report.failed", level=logging.ERROR, report=name_of(period), reason=safe(str(why)))
        raise


async def _write(reporter: Reporter, period: Window, *, again: bool) -> Report:
    now = reporter.clock.now()
    if not period.gte < period.lt <= now:
        raise ConfigError("a report is about a past period: its end must be after its begin, and not in the future")
    name, finished = await _free_name(reporter.archive, name_of(period))
    if finished is not None and not again:
        return Report(finished, reporter.archive.address(f"{finished}/{PAGE}"), new=False)
    tables = [await ask(reporter.client, each, period, names=reporter.names) for each in questions()]
    failed = tuple(table.question.name for table in tables if table.failure)
    if len(failed) == len(tables):
        raise SinkBusy(f"no question was answered, and no report written: {tables[0].failure}")
    hours = next(table for table in tables if table.question.name == "hours")
    proof = coverage(hours, period, reporter.connections)
    key = reporter.signer.key if reporter.signer else None
    files = _rows(tables)
    cover = Cover(name, period, now, reporter.names, key)
    files[PAGE] = page(cover, tables, proof, [(path, sha256(data)) for path, data in sorted(files.items())])
    content = manifest(name, period, tables, proof, files, created=now, names=reporter.names, signed_with=key)
    await _store(reporter, name, files, content)
    event(
        log,
        "report.written",
        report=name,
        hours_asked=proof.asked,
        hours_proved=proof.proved,
        rows=sum(len(table.rows) for table in tables),
        failed=len(failed),
        signed=key is not None,
    )
    return Report(name, reporter.archive.address(f"{name}/{PAGE}"), proof=proof, failed=failed)


def _rows(tables: Sequence[Table]) -> dict[str, bytes]:
    """CSV and JSON of each table; of one that failed only the JSON, with the reason: an empty CSV looks complete."""
    files = {f"{table.question.name}.json": as_json(table) for table in tables}
    return files | {f"{table.question.name}.csv": as_csv(table) for table in tables if table.failure is None}


async def _free_name(archive: ArchiveStore, base: str) -> tuple[str, str | None]:
    """The first name nothing was written under, and the newest finished report of the period, if there is one."""
    finished = None
    for revision in range(1, MOST_REVISIONS + 1):
        name = base if revision == 1 else f"{base}-r{revision}"
        found = await archive.names(name)
        if not found:
            return name, finished
        if MANIFEST in found:
            finished = name
    raise ConfigError(f"there are {MOST_REVISIONS} reports of {base} already: keep to those")


async def _store(reporter: Reporter, name: str, files: dict[str, bytes], content: bytes) -> None:
    # Signed before anything is written: a vault that refuses leaves no half report behind.
    seal = await reporter.signer.seal(content) if reporter.signer else None
    try:
        for path, data in sorted(files.items()):
            await reporter.archive.put(f"{name}/{path}", data)
        if seal is not None:
            await reporter.archive.put(f"{name}/{SEAL}", seal)
        await reporter.archive.put(f"{name}/{MANIFEST}", content)
    except AlreadyThere as taken:
        raise SinkBusy(
            f"another run is writing the report {name}: nothing of it was replaced, look again later"
        ) from taken


def last_period(every: Every, now: datetime) -> Window | None:
    """The last whole calendar week (Monday to Sunday) or month, UTC; None when reports are off."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if every == "weekly":
        end = midnight - midnight.weekday() * DAY
        return Window(end - 7 * DAY, end)
    if every == "monthly":
        end = midnight.replace(day=1)
        return Window((end - DAY).replace(day=1), end)
    return None


def name_of(period: Window) -> str:
    """`2026-10` for a month, `2026-W44` for an ISO week, else both moments to the second: `20261005T000000Z-...`."""
    start, end = period.gte, period.lt
    whole = start == start.replace(hour=0, minute=0, second=0, microsecond=0)
    if whole and start.day == 1 and end == (start + 31 * DAY).replace(day=1):
        return f"{start:%Y-%m}"
    if whole and start.weekday() == 0 and period.span == 7 * DAY:
        return f"{start:%G-W%V}"
    return f"{start:%Y%m%dT%H%M%SZ}-{end:%Y%m%dT%H%M%SZ}"


@asynccontextmanager
async def open_reporter(
    settings: Settings, credential: AsyncTokenCredential, clock: Clock, *, archive: ArchiveStore | None = None
) -> AsyncIterator[Reporter]:
    """What the settings name; `archive` replaces the container. Raises ConfigError for what is missing."""
    if settings.workspace_id is None:
        raise ConfigError("WORKSPACE_ID must be set: a report asks the workspace")
    async with AsyncExitStack() as stack:
        url = settings.query_endpoint
        client = await stack.enter_async_context(LogsQueryClient(credential, endpoint=url))
        if archive is None:
            if settings.report_container_url is None:
                raise ConfigError("REPORT_CONTAINER_URL must be set (a blob container), or --out must name a folder")
            archive = await stack.enter_async_context(open_archive(settings.report_container_url, credential))
        signer = None
        if settings.report_signing_key is not None:
            signer = await stack.enter_async_context(open_signer(settings.report_signing_key, credential))
        yield Reporter(
            client=LogAnalyticsWorkspace(
                client, settings.workspace_id, clock, enforce_https=urlsplit(url).hostname not in LOOPBACK
            ),
            archive=archive,
            clock=clock,
            signer=signer,
            names=settings.report_names,
            connections=tuple(connection.name for connection in settings.connections),
        )


@asynccontextmanager
async def open_archive(url: str, credential: AsyncTokenCredential) -> AsyncIterator[ArchiveStore]:
    """The archive in one container."""
    async with open_container(url, credential, read_timeout=READ_SECONDS) as container:
        yield BlobArchive(container)
