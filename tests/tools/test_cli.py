"""`python -m tools`: every command has help and a working example, and every mention is of an existing command."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import typer
from typer.testing import CliRunner

from tools.cli import app

ROOT = Path(__file__).parents[2]
MENTION = re.compile(r"-m tools ((?:[a-z]+ ?)*)")
MENTIONING = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "sentinel/*.md", "Makefile", ".ci/*", ".github/**/*.yml", "tools/**/*.py")
    for path in ROOT.glob(pattern)
)


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Each command below `group`, by its command words."""
    for name, command in group.commands.items():
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


ALL = dict(commands(typer.main.get_command(app)))


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_every_command_has_help_and_an_example_of_itself(words: tuple[str, ...]) -> None:
    """--help works, and its example calls this command, or one of its group, with valid options."""
    assert CliRunner().invoke(app, [*words, "--help"]).exit_code == 0
    command = ALL[words]
    assert command.help and command.epilog
    begins, _, example = command.epilog.partition("python -m tools ")
    assert begins == "Example: "
    called = shlex.split(example)
    assert tuple(called[: len(words)]) == words
    while len(called) > len(words) and tuple(called[: len(words) + 1]) in ALL:
        words = tuple(called[: len(words) + 1])
    ALL[words].make_context("example", called[len(words) :])


@pytest.mark.parametrize("page", MENTIONING, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_mentioned_command_exists(page: Path) -> None:
    """Every `python -m tools ...` in pages, pipelines and docstrings exists."""
    for mention in MENTION.findall(page.read_text(encoding="utf-8")):
        words = tuple(mention.split())
        assert not words or any(words[: len(known)] == known for known in ALL), mention
