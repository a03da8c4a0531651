"""The locks of a state folder exclude other processes, end with their process, and do not require POSIX."""

import ast
import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from shared.errors import LeaseHeld
from shared.state.file_store import FileStore

ROOT = Path(__file__).parents[2]
POSIX_ONLY = {"fcntl", "grp", "posix", "pty", "pwd", "resource", "syslog", "termios", "tty"}
WRITER = """
import asyncio, sys
from pathlib import Path
from shared.errors import CheckpointMoved
from shared.state.file_store import FileStore

async def main(folder, letter):
    store = FileStore(Path(folder))
    for _ in range(100):
        await store.append_each([("ledger/a.sent", letter.encode() * 8000), ("ledger/b.sent", letter.encode() * 8)])
        while True:
            saved = await store.read("n")
            try:
                await store.replace("n", str(int(saved.data) + 1).encode(), saved.etag)
                break
            except CheckpointMoved:
                continue

asyncio.run(main(*sys.argv[1:]))
"""
HOLDER = """
import asyncio, sys
from pathlib import Path
from shared.state.file_store import FileStore

async def main(folder):
    async with FileStore(Path(folder)).lease("lease/live"):
        print("held", flush=True)
        await asyncio.sleep(60)

asyncio.run(main(*sys.argv[1:]))
"""


def started(program: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", program, *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True)


def test_processes_lose_nothing_to_each_other(tmp_path: Path) -> None:
    """Three processes at once: every block arrives whole, and every swap counts."""
    asyncio.run(FileStore(tmp_path).create("n", b"0"))
    writers = [started(WRITER, str(tmp_path), letter) for letter in "abc"]
    assert [writer.wait(timeout=120) for writer in writers] == [0, 0, 0]
    for writer in writers:
        assert writer.stdout is not None
        writer.stdout.close()
    for name, length in (("a", 8000), ("b", 8)):
        data = (tmp_path / "ledger" / f"{name}.sent").read_bytes()
        blocks = [data[at : at + length] for at in range(0, len(data), length)]
        assert sorted(blocks) == sorted(letter.encode() * length for letter in "abc" for _ in range(100))
    assert (tmp_path / "n").read_bytes() == b"300"


async def test_a_killed_process_holds_no_lease(tmp_path: Path) -> None:
    """A process keeps its lease while it runs; as soon as it is killed, another run may start."""
    store = FileStore(tmp_path)
    with started(HOLDER, str(tmp_path)) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == "held\n"
        with pytest.raises(LeaseHeld):
            async with store.lease("lease/live"):
                pass
        holder.kill()
        holder.wait(timeout=30)
    async with store.lease("lease/live") as lease:
        lease.check()


@pytest.mark.parametrize("folder", ["shared", "kql", "sandbox", "sentinel", "tools"])
def test_nothing_imports_what_windows_has_not(folder: str) -> None:
    """Locks are filelock's. Only a look at the imports: no test runs on Windows."""
    found = {
        (path.relative_to(ROOT).as_posix(), name)
        for path in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names])
        if name.partition(".")[0] in POSIX_ONLY
    }
    assert found == set()
