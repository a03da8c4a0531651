"""Nothing personal is logged: no key, address, name or body, at any level, by us or by a library."""

import io
import json
import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.activity import feed_entry, raw_entry
from sandbox.faults import Fault
from sandbox.world import World, open_world
from shared import logs
from shared.clock import SimulatedClock
from shared.logs import configure, event, logger, masked, safe
from shared.runs import live
from shared.settings import load
from shared.wiring import build
from tests.fakes import NOON
from tests.worlds import MINUTE, activity

NAMES = ("uvicorn", "uvicorn.error", "azure", "httpx", "httpcore", "msal", "aiohttp", "asyncio", logs.ROOT)


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    """`configure` replaces the root's handlers; other tests need theirs."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    levels = {name: logging.getLogger(name).level for name in NAMES}
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)


@pytest.fixture
def log() -> io.StringIO:
    """All that is logged at DEBUG, as the bridge's handler writes it."""
    written = io.StringIO()
    configure("DEBUG", logging.StreamHandler(written))
    return written


@pytest.mark.parametrize(
    "text",
    [
        "sk-ant-api01-AbC_d-9",
        "sk-ant-admin01-x9-long_enough",
        "sk-ant-api03-zzzz0000",
        "Authorization: Bearer eyJ0eXAi.eyJhdWQi.c2ln",
        "authorization: bearer abc.def",
        "BEARER abc.def",
        "eyJ0eXAiOiJKV1Qi.eyJhdWQiOiJ4.c2lnbmF0dXJl",
        "https://x.blob.core.windows.net/a?se=2026&sig=AbC%2Fd8e9f0",
        "AccountKey=AbCdEf0123456789==",
        "x-functions-key: abcdefgh12345678",
        "https://x.azurewebsites.net/api/plan?code=AbCdEfGhIjKlMnOpQrSt_u",
        "Authorization: Basic dXNlcjpwYXNz",
    ],
)
def test_keys_and_tokens_are_masked(text: str) -> None:
    """Whatever surrounds them."""
    masked = safe(f'header "{text}", sent')
    assert text.split()[-1] not in masked and "<key>" in masked


@pytest.mark.parametrize(
    "address",
    [
        "ann@example.com",
        "Ann.O'Brien+tag@mail.example.co.uk",
        "jörg.müller@example.com",
        "ann@münchen.example",
        "ann%40example.com",
        "用户@例子.example",
    ],
)
def test_addresses_are_masked_in_every_alphabet(address: str) -> None:
    """The whole address goes, not only its ASCII part."""
    masked = safe(f"user <{address}> not found")
    assert masked == "user <<address>> not found"


@pytest.mark.parametrize(
    "unit", ["x", "a@bbb", "a@b.b.b.", "x%40", "@", "x y ", "bearer ", "sk-ant-", "eyJ", "sig=", "%40.", "a.b@"]
)
def test_masking_takes_linear_time(unit: str) -> None:
    """A text four times as long takes about four times as long, whatever it repeats; quadratic would be sixteen."""

    def seconds(length: int) -> float:
        text, spent = (unit * length)[:length], list[float]()
        for _ in range(3):
            start = time.process_time()
            masked(text)
            spent.append(time.process_time() - start)
        return min(spent)

    assert seconds(40_000) < 10 * max(seconds(10_000), 0.002)


def test_what_is_cut_leaves_no_half_of_an_address() -> None:
    """Also where keys before it shrink, so that the cut is within what is shown."""
    for filler in range(9_000, 10_010, 7):
        shown = safe("sk-ant-api01-" + "x" * filler + " somebody.with.a.name@mail.example.com and more")
        assert "somebody" not in shown, filler


def test_control_characters_are_escaped() -> None:
    """Neither a second log line nor a terminal's escape sequence can be forged."""
    shown = safe("a\x1b[2Jb\u2028c\u0085d\x00e\nf")
    assert shown == "a\\x1b[2Jb\\u2028c\\x85d\\x00e\\nf"


def test_a_long_text_is_cut() -> None:
    """A log line stays a line one can read."""
    assert len(safe("x" * 10_000)) == 500


def test_an_event_is_one_line(log: io.StringIO) -> None:
    """A line break in a text from outside cannot forge a second line."""
    event(logger("shared.test"), "page.read", reason="first\n2026-10-31 12:00:00 ERROR bridge forged\r\nthird", rows=3)
    (line,) = log.getvalue().splitlines()
    assert "page.read" in line and "rows=3" in line and line.split()[3] == "bridge.test"


def test_libraries_are_masked_too(log: io.StringIO) -> None:
    """Message, arguments and traceback of any logger."""
    other = logging.getLogger("some.library")
    other.warning("sent %s for %s", "sk-ant-api01-secret", "ann@example.com")
    try:
        try:
            raise ValueError("no such user ann@example.com")
        except ValueError as inner:
            raise KeyError("sk-ant-api01-secret") from inner
    except KeyError:
        other.exception("failed for %(who)s", {"who": "bob@example.com"})
    text = log.getvalue()
    assert "<key>" in text and "<address>" in text and "KeyError" in text
    assert "@example.com" not in text and "secret" not in text.replace('raise KeyError("sk-ant', "")


def test_a_traceback_that_is_already_text_is_masked_too(log: io.StringIO) -> None:
    """A queue between threads hands records on with `exc_text` and without `exc_info`."""
    record = logging.LogRecord("some.library", logging.ERROR, "p", 1, "failed", (), None)
    record.exc_text = "ValueError: ann@example.com"
    logging.getLogger("some.library").handle(record)
    assert "ValueError" in log.getvalue() and "ann@example.com" not in log.getvalue()


def test_a_wrong_log_call_of_a_library_breaks_nothing(log: io.StringIO, capsys: pytest.CaptureFixture[str]) -> None:
    """logging itself never raises into the program; and its complaint must not show the arguments either."""
    logging.getLogger("some.library").warning("%d rows for %s", "ann@example.com")
    logging.getLogger("some.library").warning("still alive")
    assert "still alive" in log.getvalue()
    assert "ann@example.com" not in log.getvalue() + capsys.readouterr().err


@pytest.mark.parametrize("level", ["DEBUG", "INFO", "WARNING", "ERROR"])
def test_the_azure_clients_lines_stay_out_below_warning(level: str) -> None:
    """Their request lines would be most of the log, and hold headers."""
    written = io.StringIO()
    configure(level, logging.StreamHandler(written))
    for name in ("azure.core.pipeline.policies.http_logging_policy", "httpx", "httpcore.http11", "msal.token"):
        logging.getLogger(name).info("Request URL: https://ingest.example.com")
    assert written.getvalue() == ""


def test_configuring_twice_writes_once() -> None:
    """A second start in one process does not double the lines."""
    written = io.StringIO()
    for _ in range(2):
        configure("INFO", logging.StreamHandler(written))
    event(logger("shared.test"), "page.read", rows=1)
    assert written.getvalue().count("page.read") == 1


PERSONAL: dict[str, Any] = {
    "filename": "Merger-Plan-Zephyr.docx",
    "title": "Zephyr board minutes",
    "query": "what did Quillfeather earn",
    "description": "Zephyr talks with Quillfeather",
}
WORDS = ("Zephyr", "Quillfeather", "quillfeather", "@example.com", "203.0.113.77", "sk-ant-api", "sk-ant-admin")


def personal(number: int, **fields: Any) -> dict[str, Any]:
    """An activity full of what must not be logged."""
    actor = {
        "type": "user_actor",
        "user_id": "user_01",
        "email_address": "hugo.quillfeather@example.com",
        "ip_address": "203.0.113.77",
    }
    return activity(number, actor=actor, type="claude_file_uploaded", **PERSONAL, **fields)


def fill(world: World) -> None:
    """Ordinary, odd, oversize and broken activities, and one the sink will refuse."""
    for number in range(6):
        world.feed.add(feed_entry(personal(number)))
    world.feed.add(feed_entry(personal(7, essay="Zephyr " * 700_000)))
    world.feed.add(feed_entry({**personal(8), "type": "zephyr_Zephyr_unheard_of", "Quillfeather": ["Zephyr"]}))
    odd = json.dumps(personal(9, odd="@@")).encode().replace(b'"@@"', b'"Zephyr \\ud800"')
    for position, body in enumerate((odd, b'"Quillfeather"', b'{"Zephyr":' + b"9" * 40 + b"}", b"[null]")):
        world.feed.add(raw_entry(body, at=NOON, id=f"odd_{position}"))


async def test_a_real_run_at_debug_logs_nothing_personal(tmp_path: Path, log: io.StringIO) -> None:
    """Live, plan and replay with odd and refused rows, refusals of API and sink, and a defect with its traceback."""
    clock = SimulatedClock(NOON)
    with open_world(clock) as world:
        logging.getLogger("uvicorn").setLevel(logging.WARNING)
        settings = load(**{**world.settings(), "state_dir": tmp_path})
        async with build(settings, clock=clock, credential=world.credential) as bridge:
            (connection,) = bridge.connections
            await live.init(connection)
            fill(world)
            refused = {"where": lambda row: row.get("ActivityId") == "activity_0003"}
            world.sink_faults.add(Fault("refuse_rows", times=10_000, options=refused))
            for fault in ("cut_body", "not_json", "rate_limited", "server_error"):
                world.api_faults.add(Fault(fault))
            clock.advance(2 * MINUTE)
            (run,) = await bridge.poll()
            assert run.state == "ok" and run.counts.dead >= 2 and run.counts.overflowed and run.counts.unknown_types
            world.sink_faults.clear()
            assert [run.counts.sent for run in await bridge.replay()] == [1]
            clock.advance(120 * MINUTE)
            await bridge.poll()
            await bridge.work_plan()
            world.sink_faults.add(Fault("forbidden", times=10))
            world.api_faults.add(Fault("server_error_final"))
            clock.advance(2 * MINUTE)
            await bridge.poll()
        text = log.getvalue()
    assert "row.dead_lettered" in text and "run.ended" in text and text.count("batch.sent") >= 2
    for word in (*WORDS, world.key, world.token):
        assert word not in text, word


async def test_a_defect_in_a_run_logs_its_traceback_without_the_data(tmp_path: Path, log: io.StringIO) -> None:
    """An exception whose text quotes a row is the usual way for data to reach a log."""
    clock = SimulatedClock(NOON)
    with open_world(clock, own_rows=False) as world:
        settings = load(**{**world.settings(), "state_dir": tmp_path})
        async with build(settings, clock=clock, credential=world.credential) as bridge:
            (connection,) = bridge.connections
            await live.init(connection)
            world.feed.add(feed_entry(personal(1)))
            clock.advance(2 * MINUTE)

            async def broken(*_: Any, **__: Any) -> None:
                raise KeyError(json.dumps(personal(1)))

            connection.sink.send = broken  # type: ignore[assignment]
            (run,) = await bridge.poll()
            assert run.state == "defect"
    text = log.getvalue()
    assert "run.broke" in text and "paging.py" in text and "a defect; the log says where" in text
    for word in WORDS:
        assert word not in text, word
