"""The workspace stores rows unchanged and privately, and returns Kusto types."""

import gc
import os
import stat
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from kql import KqlRefused, LocalWorkspace
from shared.clock import SimulatedClock
from shared.tables import Table
from tests.kql.workspace_world import NOON, TABLE, column, workspace

FULL: dict[str, Any] = {
    "EventTime": "2026-11-20T13:00:00.123456+02:00",
    "Id": "a",
    "Name": 'quote " and \n and é',
    "Size": 2**62,
    "Rank": -1,
    "Share": 0.5,
    "IsBackfill": True,
    "Details": {"deep": [1, {"x": None}]},
}


def test_every_type_is_returned_as_stored() -> None:
    """Values are unchanged by the file, a UTC offset is applied, and each column has its Kusto type."""
    answer = workspace(FULL).query("Sample_CL")
    assert answer.columns == (
        ("TimeGenerated", "datetime"),
        ("EventTime", "datetime"),
        ("Id", "string"),
        ("Name", "string"),
        ("Size", "long"),
        ("Rank", "int"),
        ("Share", "real"),
        ("IsBackfill", "bool"),
        ("Details", "dynamic"),
    )
    assert answer.objects() == [
        {**FULL, "TimeGenerated": NOON, "EventTime": datetime(2026, 11, 20, 11, 0, 0, 123456, UTC)}
    ]


def test_missing_values_are_null_and_missing_strings_empty() -> None:
    """Kusto has no null strings: a missing one equals "", a missing number, bool or dynamic is null."""
    made = workspace({"Details": None})
    (row,) = made.query("Sample_CL | project Id, Size, IsBackfill, Details").rows
    assert row == ("", None, None, None)
    assert made.query("Sample_CL | where Id == '' and isempty(Name) and isnull(Details) | count").rows == [(1,)]


@pytest.mark.parametrize(
    "query",
    [
        "Sample_CL",
        "Sample_CL | extend Size = Size + 1",
        "Sample_CL | join kind=inner (Sample_CL) on Id",
        "Sample_CL | summarize arg_max(TimeGenerated, *) by Id",
        "union Sample_CL, (Sample_CL | project Id)",
        "Sample_CL | getschema",
    ],
)
def test_the_hidden_column_never_shows(query: str) -> None:
    """logs-ingestion.md section 5: ingestion time is hidden, whichever operator lists all columns."""
    answer = workspace(FULL).query(query)
    assert answer.rows
    assert "IngestedAt" not in str(answer)


def test_ingestion_time_is_the_time_of_storing() -> None:
    """logs-ingestion.md section 5: ingestion_time() is when a row was stored, also after extend, where and union."""
    made = workspace({"Id": "early"})
    made.store("Sample_CL", [{"Id": "late", "TimeGenerated": NOON}], ingested_at=NOON + timedelta(hours=1))
    query = "union Sample_CL | extend Size = 1 | where ingestion_time() > ago(30m) | project Id, At = ingestion_time()"
    late = ("late", NOON + timedelta(hours=1))
    assert made.query(query, now=NOON + timedelta(hours=1)).rows == [late]
    assert len(made.query(query, now=NOON).rows) == 2


def test_each_row_may_have_its_own_ingestion_time() -> None:
    """A list of times has one per row; a list of another length stores nothing."""
    made = workspace()
    hours = [NOON, NOON + timedelta(hours=2)]
    assert made.store("Sample_CL", [{"Id": "a"}, {"Id": "b"}], ingested_at=hours) == 2
    answer = made.query("Sample_CL | project Id, At = ingestion_time() | sort by Id asc")
    assert answer.rows == [("a", hours[0]), ("b", hours[1])]
    with pytest.raises(ValueError, match="shorter"):
        made.store("Sample_CL", [{"Id": "c"}, {"Id": "d"}], ingested_at=hours[:1])
    assert made.query("Sample_CL | count").rows == [(2,)]


def test_numbers_are_numbers() -> None:
    """Sums of longs are int and long, averages real, dynamics and datetimes within dynamics plain JSON."""
    made = workspace({"Size": 2**62, "Details": {"k": 1}}, {"Size": 2**62, "Details": [1]})
    answer = made.query(
        "Sample_CL | summarize S = sum(Size), A = avg(Size), B = make_list(Details), T = make_set(TimeGenerated)"
    )
    assert [type_ for _, type_ in answer.columns] == ["long", "real", "dynamic", "dynamic"]
    (row,) = answer.rows
    assert row[0] == 2**63 and type(row[0]) is int
    assert row[1] == 2.0**62 and type(row[1]) is float
    assert row[2] == [{"k": 1}, [1]]
    assert [str(moment)[:10] for moment in row[3]] == ["2026-11-20"]


def test_now_and_ago_follow_the_clock_given() -> None:
    """now() is the time of the workspace's clock, or the `now` of the query."""
    made = workspace()
    assert made.query("print now(), ago(1h), 90m").rows == [(NOON, NOON - timedelta(hours=1), timedelta(minutes=90))]
    assert made.query("print now()", now=NOON + timedelta(days=1)).rows == [(NOON + timedelta(days=1),)]


def test_a_timespan_bounds_every_table_of_one_query_only() -> None:
    """The timespan filters TimeGenerated, both ends included, and does not affect later queries."""
    made = workspace({"Id": "old", "TimeGenerated": NOON - timedelta(hours=2)}, {"Id": "new"})
    last_hour = (NOON - timedelta(hours=1), NOON)
    assert made.query("union Sample_CL, Sample_CL | distinct Id", timespan=last_hour).rows == [("new",)]
    assert made.query("Sample_CL | count").rows == [(2,)]


def test_a_file_keeps_its_rows_and_gains_new_columns(tmp_path: Path) -> None:
    """Opening an existing workspace with a newer table adds the missing columns, empty in old rows."""
    path = tmp_path / "workspace.duckdb"
    made = workspace(FULL, path=path)
    made.close()
    newer = replace(TABLE, version=2, columns=(*TABLE.columns, column("City", "string"), column("Tries", "long")))
    again = LocalWorkspace.create(path, SimulatedClock(NOON), [newer], parsers=tmp_path)
    again.store("Sample_CL", [{"Id": "b", "City": "Oslo", "Tries": 2}], ingested_at=NOON)
    rows = again.query("Sample_CL | sort by Id asc | project Id, City, Tries, I = ingestion_time()").rows
    again.close()
    assert rows == [("a", "", None, NOON + timedelta(minutes=1)), ("b", "Oslo", 2, NOON)]


def test_nothing_on_disk_is_readable_by_others(tmp_path: Path) -> None:
    """File and write-ahead log are 0600 under the widest umask, and an older, wider file is narrowed."""
    path = tmp_path / "workspace.duckdb"
    before = os.umask(0)
    try:
        made = workspace(FULL, path=path)
        modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in tmp_path.iterdir()}
        made.close()
        path.chmod(0o644)
        workspace(path=path).close()
        after = os.umask(0)
    finally:
        os.umask(before)
    assert modes == {"workspace.duckdb": 0o600, "workspace.duckdb.wal": 0o600}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert after == 0


def test_staged_rows_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No staged file remains after a batch, and no folder once the workspace is closed or garbage-collected."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    made = workspace(FULL)
    (staging,) = tmp_path.iterdir()
    assert stat.S_IMODE(staging.stat().st_mode) == 0o700
    assert list(staging.iterdir()) == []
    made.close()
    workspace(FULL)
    gc.collect()
    assert list(tmp_path.iterdir()) == []


def test_an_invalid_batch_is_rejected_completely() -> None:
    """An undeclared column, a wrong value or an unknown table raises, and no row of the batch is stored."""
    made = workspace()
    good = {"Id": "good", "TimeGenerated": NOON}
    with pytest.raises(ValueError, match="no column Nope"):
        made.store("Sample_CL", [good, {"Nope": 1}], ingested_at=NOON)
    with pytest.raises(ValueError, match="do not fit Sample_CL"):
        made.store("Sample_CL", [good, {"Size": "many"}], ingested_at=NOON)
    with pytest.raises(KeyError):
        made.store("Other_CL", [good], ingested_at=NOON)
    assert made.query("Sample_CL | count").rows == [(0,)]
    assert made.store("Sample_CL", [], ingested_at=NOON) == 0


def test_ingested_at_may_come_in_any_zone() -> None:
    """The stored time is the same in whichever time zone it was given."""
    made = workspace()
    elsewhere = NOON.astimezone(timezone(timedelta(hours=-5)))
    made.store("Sample_CL", [{"Id": "a"}], ingested_at=elsewhere)
    assert made.query("Sample_CL | project ingestion_time()").rows == [(NOON,)]


def test_a_name_is_never_a_file(tmp_path: Path) -> None:
    """A quoted KQL name cannot read a file, although DuckDB by itself would read one of that name."""
    secret = tmp_path / "secret.csv"
    secret.write_text("a,b\n1,2\n")
    with pytest.raises(KqlRefused, match="no table or function"):
        workspace().query(f"['{secret}'] | take 1")


def test_threads_read_and_write_at_once() -> None:
    """Eight threads store and query at once; every count is of whole batches and no row is lost."""
    made, wrong = workspace(), []

    def work(number: int) -> None:
        for _ in range(5):
            made.store("Sample_CL", [{"Id": f"{number}"}] * 10, ingested_at=NOON)
            count = made.query("Sample_CL | count").rows[0][0]
            if count % 10 or count == 0:
                wrong.append(count)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert made.query("Sample_CL | summarize n = count() by Id | summarize min(n), max(n), count()").rows == [
        (50, 50, 8)
    ]


@pytest.mark.long
def test_bulk_insert_is_fast() -> None:
    """20,000 rows of 60 columns are stored at a rate far above a row-by-row insert (tens of thousands a second)."""
    wide = Table("Wide_CL", "Custom-Wide_CL", 1, "", tuple(column(f"C{number}", "string") for number in range(60)))
    made = LocalWorkspace.create(None, SimulatedClock(NOON), [wide], parsers=Path("no-such-folder"))
    rows = [{f"C{number}": "some text" for number in range(0, 60, 2)}] * 1000
    started = time.perf_counter()
    for _ in range(20):
        made.store("Wide_CL", rows, ingested_at=NOON)
    assert 20_000 / (time.perf_counter() - started) > 10_000  # about 60,000 on two idle cores; shared ones are slower
