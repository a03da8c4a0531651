"""`backtest`: what every rule would have said over days that are past. A door only: rules live in sentinel/.

Rules are run by the local KQL engine and bound by Microsoft's language service, which are no part of what Azure runs;
so this works in a checkout with its development tools, and says so elsewhere. docs/decisions/0008 has the reason.
"""

import subprocess
import sys
from importlib.util import find_spec

import typer

from shared.cli.common import complain
from shared.errors import ConfigError
from shared.settings import load

_SAID = ("--local", "--workspace-id", "--help")
_NEEDED = ("tools", "sentinel", "sandbox", "duckdb_kql", "yaml")

PASSED_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
"""Context settings of the command: every argument, `--help` too, is for `python -m tools content backtest`."""


def backtest(context: typer.Context) -> None:
    """Run every rule over history (--from, --to) into a report: no alerts, no incidents."""
    if any(find_spec(name) is None for name in _NEEDED):
        complain("backtest needs a checkout with its development tools: git clone it, then make setup")
        raise typer.Exit(2)
    arguments = list(context.args)
    if not any(given.split("=")[0] in _SAID for given in arguments):
        arguments += _deployed()
    try:
        code = subprocess.call([sys.executable, "-m", "tools", "content", "backtest", *arguments])
    except KeyboardInterrupt:
        code = 130
    raise typer.Exit(code)


def _deployed() -> list[str]:
    """The workspace of the settings and where it is asked, as arguments; none where settings name none."""
    try:
        settings = load()
    except ConfigError as wrong:
        complain(f"cannot start: {wrong}")
        raise typer.Exit(2) from wrong
    if settings.workspace_id is None:
        return []
    return ["--workspace-id", settings.workspace_id, "--query-endpoint", settings.query_endpoint]
