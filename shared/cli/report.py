"""`report`: write the compliance report of a period; `report verify`: check one that was written."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from shared.archive.seal import PublicKey, from_pem, open_public_key
from shared.archive.store import ArchiveStore, FolderArchive
from shared.archive.verify import Finding, verify
from shared.cli.common import AsJson, From, To, complain, console, print_json, with_settings
from shared.clock import SystemClock
from shared.errors import ConfigError
from shared.models import Window
from shared.report.writing import Report, last_period, open_archive, open_reporter, write_report
from shared.rows.times import moment
from shared.settings import Settings
from shared.wiring import identity

VAULT = "vault"

report_app = typer.Typer(help="The compliance report: write it, check it.", invoke_without_command=True)


@report_app.callback(epilog="Example: claude-bridge report --from 2026-10-01 --to 2026-11-01 --out reports")
def report(
    context: typer.Context,
    start: From = None,
    end: To = None,
    out: Annotated[Path | None, typer.Option("--out", help="A folder, instead of REPORT_CONTAINER_URL.")] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Write a further revision beside a finished report of the period.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write the report of a period (default: last month). Exit 1 when an hour or an answer is missing."""
    if context.invoked_subcommand is not None:
        return

    async def work(settings: Settings) -> int:
        clock = SystemClock()
        if (start is None) != (end is None):
            raise ConfigError("name both --from and --to, or neither (last month)")
        if start is not None and end is not None:
            period: Window | None = Window(moment(start), moment(end))
        else:
            period = last_period("monthly", clock.now())
        assert period is not None  # monthly always has one
        async with AsyncExitStack() as stack:
            credential = await stack.enter_async_context(identity())
            archive = FolderArchive(out) if out is not None else None
            reporter = await stack.enter_async_context(open_reporter(settings, credential, clock, archive=archive))
            return print_report(await write_report(reporter, period, again=again), as_json=as_json)

    with_settings(work)


@report_app.command("verify", epilog="Example: claude-bridge report verify reports/2026-10 --key public.pem")
def verify_report(
    path: Annotated[str, typer.Argument(help="The report's folder, or its address in Blob storage.")],
    key: Annotated[
        str | None, typer.Option("--key", help="The public key: a PEM file, or `vault` for REPORT_SIGNING_KEY's.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check every file's digest and the manifest's signature, one sentence each. Exit 1 if anything is wrong."""

    async def work(settings: Settings) -> int:
        async with AsyncExitStack() as stack:
            archive, name = await _opened(path, stack)
            findings = await verify(archive, name, await _key(key, settings, stack))
        if as_json:
            print_json({"holds": all(each.good for each in findings), "findings": [asdict(each) for each in findings]})
        else:
            for each in findings:
                _print_finding(each)
        return 0 if all(each.good for each in findings) else 1

    with_settings(work)


def print_report(written: Report, *, as_json: bool) -> int:
    """Print what was written; 1 when it is not complete, or when a finished report was left as it is."""
    proof = written.proof
    if as_json:
        print_json(
            {
                "report": written.name,
                "address": written.address,
                "new": written.new,
                "hours_asked": proof.asked if proof else None,
                "hours_proved": proof.proved if proof else None,
                "failed": list(written.failed),
            }
        )
    if not written.new:
        complain(f"{written.name} is written already and stays as it is; --again writes a revision beside it")
        return 1
    if proof is not None and not as_json:
        console.print(f"{written.name}: {proof.sentence}", highlight=False, markup=False, soft_wrap=True)
        console.print(written.address, highlight=False, markup=False, soft_wrap=True)
    for name in written.failed:
        complain(f"the question {name} was not answered; the report has the reason")
    return 0 if proof is not None and proof.complete and not written.failed else 1


async def _opened(path: str, stack: AsyncExitStack) -> tuple[ArchiveStore, str]:
    """The archive and the report's name in it; a report's page or manifest may be named instead of its folder."""
    if not path.startswith("https://"):
        folder = await asyncio.to_thread(Path(path).resolve)
        folder = folder if await asyncio.to_thread(folder.is_dir) else folder.parent
        return FolderArchive(folder.parent), folder.name
    parts = urlsplit(path)
    container, _, name = parts.path.strip("/").partition("/")
    name = name.partition("/")[0]
    if not name or parts.query:
        raise ConfigError("name the report's address, such as https://ACCOUNT.blob.core.windows.net/reports/2026-10")
    credential = await stack.enter_async_context(identity())
    url = f"https://{parts.netloc}/{container}"
    return await stack.enter_async_context(open_archive(url, credential)), name


async def _key(key: str | None, settings: Settings, stack: AsyncExitStack) -> PublicKey | None:
    if key is None:
        return None
    if key == VAULT:
        if settings.report_signing_key is None:
            raise ConfigError("REPORT_SIGNING_KEY is not set: name the public key as a file")
        credential = await stack.enter_async_context(identity())
        return (await open_public_key(settings.report_signing_key, credential))[1]
    try:
        return from_pem(await asyncio.to_thread(Path(key).read_bytes))
    except OSError as broken:
        raise ConfigError(f"the file of --key cannot be read ({broken.strerror})") from broken


def _print_finding(finding: Finding) -> None:
    mark, style = ("ok ", "green") if finding.good else ("NO ", "red")
    console.print(f"{mark} {finding.sentence}", style=style, highlight=False, markup=False, soft_wrap=True)
