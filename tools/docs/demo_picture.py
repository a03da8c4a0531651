"""Draws the README picture, from the end of a demo, as SVG: `python -m tools docs picture docs/images/demo.svg`"""

import asyncio
import io
import re
import tempfile
from pathlib import Path

from rich.console import Console

from sandbox import demo
from sandbox.demo_report import print_part
from sandbox.world import World

SHOWN = (
    "Activities by category",
    "Risky changes",
    "Completeness proof: all closed hours",
)


def draw(target: Path) -> None:
    """Run the demo and write some sections of its output to `target`."""
    console = Console(record=True, width=112, file=io.StringIO())

    def inspect(world: World, report: demo.DemoReport) -> None:
        console.print("[bold]$ make demo[/]")
        print_part(console, world.workspace, report, SHOWN)

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(demo.run_demo(Path(folder) / "demo", lambda *_: None, people=400, seed=7, inspect=inspect))
    svg = console.export_svg(title="make demo")
    # The picture must not load fonts from another host.
    target.write_text(re.sub(r"@font-face\s*{.*?}", "", svg, flags=re.DOTALL), encoding="utf-8")
