"""Writes one report: asks everything, makes the files, seals them with the manifest, and never replaces one."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from shared.archive.seal import MANIFEST, SIGNATURE, Signer, sha256
from shared.archive.store import AlreadyThere, Shelf
from shared.clock import Clock
from shared.errors import BridgeError, ConfigError, SinkBusy
from shared.logs import event, logger, safe
from shared.models import Window
from shared.report.answers import Table, ask
from shared.report.coverage import Coverage, coverage
from shared.report.manifest import canonical, manifest
from shared.report.page import Cover, page
from shared.report.periods import name_of
from shared.report.questions import questions
from shared.report.rows import as_csv, as_json
from shared.workspace.client import QueryClient

log = logger(__name__)

PAGE = "report.html"
MOST_REVISIONS = 99


@dataclass(frozen=True, slots=True)
class Reporter:
    """Everything a report needs. `connections` must be proved even where the workspace knows nothing of them."""

    client: QueryClient
    shelf: Shelf
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
        raise ConfigError("a report is about a past period: its end must lie after its begin, and not in the future")
    name, finished = await _free_name(reporter.shelf, name_of(period))
    if finished is not None and not again:
        return Report(finished, reporter.shelf.address(f"{finished}/{PAGE}"), new=False)
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
    told = manifest(name, period, tables, proof, files, created=now, names=reporter.names, signed_with=key)
    await _store(reporter, name, files, told)
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
    return Report(name, reporter.shelf.address(f"{name}/{PAGE}"), proof=proof, failed=failed)


def _rows(tables: Sequence[Table]) -> dict[str, bytes]:
    """CSV and JSON of each table; of one that failed only the JSON, which says so: an empty CSV looks like none."""
    files = {f"{table.question.name}.json": as_json(table) for table in tables}
    return files | {f"{table.question.name}.csv": as_csv(table) for table in tables if table.failure is None}


async def _free_name(shelf: Shelf, base: str) -> tuple[str, str | None]:
    """The first name nothing was written under, and the newest finished report of the period, if there is one."""
    finished = None
    for revision in range(1, MOST_REVISIONS + 1):
        name = base if revision == 1 else f"{base}-r{revision}"
        found = await shelf.names(name)
        if not found:
            return name, finished
        if MANIFEST in found:
            finished = name
    raise ConfigError(f"there are {MOST_REVISIONS} reports of {base} already: keep to those")


async def _store(reporter: Reporter, name: str, files: dict[str, bytes], told: dict[str, Any]) -> None:
    sealed = canonical(told)
    # Signed before anything is written: a vault that refuses leaves no half report behind.
    signature = (await reporter.signer.sign(sealed)).encoded(reporter.signer.public) if reporter.signer else None
    try:
        for path, data in sorted(files.items()):
            await reporter.shelf.put(f"{name}/{path}", data)
        if signature is not None:
            await reporter.shelf.put(f"{name}/{SIGNATURE}", signature)
        await reporter.shelf.put(f"{name}/{MANIFEST}", sealed)
    except AlreadyThere as taken:
        raise SinkBusy(
            f"another run is writing the report {name}: nothing of it was replaced, look again later"
        ) from taken
