"""The page on paper: Debian's Chromium prints it, and every row must be on it, whole, under its head."""

import asyncio
import re
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from pypdf import PdfReader

from shared.report.writing import write_report
from shared.workspace.query import Answer
from tests.unit.report.fakes import DAY, FakeQueries, MemoryArchive, quiet, reporter
from tools import optional

ROWS = 150
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-pdf-header-footer",
]


def changes(rows: int) -> Answer:
    """Changes whose values are long and cannot be broken at a space; `R0042` and `E0042` are a row's two ends."""
    long = '[{"data_type":"chats","type":"fixed","duration":90}]'
    return Answer(
        ("EventTime", "Change", "What", "Who", "Announced"),
        [
            (
                DAY.gte + number * timedelta(minutes=1),
                f"R{number:04} claude_organization_settings_updated",
                f"data_retention_periods: {long} → {long * (1 + number % 12)} E{number:04}",
                "user_01GSggCMqrHMBuUGjABk4t1H5Q",
                "not announced",
            )
            for number in range(rows)
        ],
    )


def test_a_printed_report_cuts_no_row(tmp_path: Path) -> None:
    """A4, numbered pages, each row on one page from its first word to its last, each page of a table with its head."""
    chromium = optional.browser()
    if chromium is None:
        pytest.skip(f"THE PRINTED REPORT IS NOT TESTED: {optional.missing('chromium')}")
    archive = MemoryArchive()
    client = FakeQueries({**quiet(), "changes": changes(ROWS)})
    written = asyncio.run(write_report(reporter(archive, client), DAY))
    source, target = tmp_path / "report.html", tmp_path / "report.pdf"
    source.write_bytes(archive.files[f"{written.name}/report.html"])
    command = [chromium, *FLAGS, f"--user-data-dir={tmp_path / 'profile'}", f"--print-to-pdf={target}", source.as_uri()]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    pdf = PdfReader(target)
    texts = [page.extract_text() for page in pdf.pages]
    assert {(round(page.mediabox.width), round(page.mediabox.height)) for page in pdf.pages} == {(595, 842)}
    for number, text in enumerate(texts, start=1):
        assert f"Page {number} of {len(texts)}" in text
    assert 8 <= len(texts) <= 40
    begins = {name: page for page, text in enumerate(texts) for name in re.findall(r"R(\d{4})\b", text)}
    ends = {name: page for page, text in enumerate(texts) for name in re.findall(r"E(\d{4})\b", text)}
    assert begins == ends and len(begins) == ROWS
    assert all("Announced" in texts[page] for page in set(begins.values()))
    # A cell that cannot be broken makes Chromium print everything smaller: text keeps its 10 points.
    sizes: list[float] = []
    pdf.pages[0].extract_text(visitor_text=lambda text, cm, tm, font, size: sizes.append(size * abs(tm[0] * cm[0])))
    assert max(sizes) > 20
