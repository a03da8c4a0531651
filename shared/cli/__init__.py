"""The operator's door: the same code as the timers, by hand. `python -m shared.cli --help` lists the commands."""

import typer

from shared.cli import running

app = typer.Typer(
    help="Operate the bridge from Claude's Compliance API to Log Analytics. Settings come from the environment.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command(epilog="Example: python -m shared.cli init --history-days 90")(running.init)
app.command(epilog="Example: python -m shared.cli run")(running.run)
app.command(epilog="Example: python -m shared.cli replay --connection contoso")(running.replay)
