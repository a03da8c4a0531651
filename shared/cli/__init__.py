"""The operator's door: the same code as the timers, by hand. `python -m shared.cli --help` lists the commands."""

import typer

from shared.cli import (
    drilling,
    estimating,
    examining,
    looking_back,
    planning,
    proving,
    reporting,
    restoring,
    running,
)

app = typer.Typer(
    help="Operate the bridge from Claude's Compliance API to Log Analytics. Settings come from the environment.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command(epilog="Example: python -m shared.cli init --history-days 90")(running.init)
app.command(epilog="Example: python -m shared.cli run")(running.run)
app.command(epilog="Example: python -m shared.cli replay --connection contoso")(running.replay)
app.command(epilog="Example: python -m shared.cli status --json")(planning.status)
app.add_typer(planning.plan_app, name="plan", epilog="Example: python -m shared.cli plan list")
app.command(epilog="Example: python -m shared.cli prove --from 2026-11-01 --to 2026-11-08 --repair")(proving.prove)
app.command(epilog="Example: python -m shared.cli rebuild --from workspace --days 90")(restoring.rebuild)
app.command(epilog="Example: python -m shared.cli estimate --days 14 --sample-hours 4")(estimating.estimate)
app.command(epilog="Example: python -m shared.cli drill --connection contoso")(drilling.drill)
app.command(epilog="Example: python -m shared.cli doctor --json")(examining.doctor)
app.add_typer(
    reporting.report_app,
    name="report",
    epilog="Example: python -m shared.cli report verify reports/2026-10 --key public.pem",
)
app.command(context_settings=looking_back.PASSED_ON)(looking_back.lookback)
