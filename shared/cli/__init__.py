"""The operator's door: the same code as the timers, by hand. `claude-bridge --help` lists the commands."""

import typer

from shared.cli import backtest, doctor, estimate, plan, prove, rebuild, report, run, selftest

app = typer.Typer(
    help="Operate the bridge from Claude's Compliance API to Log Analytics. Settings come from the environment.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command(epilog="Example: claude-bridge init --history-days 90")(run.init)
app.command(epilog="Example: claude-bridge run")(run.run)
app.command(epilog="Example: claude-bridge replay --connection contoso")(run.replay)
app.command(epilog="Example: claude-bridge status --json")(plan.status)
app.add_typer(plan.plan_app, name="plan", epilog="Example: claude-bridge plan list")
app.command(epilog="Example: claude-bridge prove --from 2026-11-01 --to 2026-11-08 --repair")(prove.prove)
app.command(epilog="Example: claude-bridge rebuild --from workspace --days 90")(rebuild.rebuild)
app.command(epilog="Example: claude-bridge estimate --days 14 --sample-hours 4")(estimate.estimate)
app.command(epilog="Example: claude-bridge selftest --connection contoso")(selftest.selftest)
app.command(epilog="Example: claude-bridge doctor --json")(doctor.doctor)
app.add_typer(
    report.report_app,
    name="report",
    epilog="Example: claude-bridge report verify reports/2026-10 --key public.pem",
)
app.command(context_settings=backtest.PASSED_ON)(backtest.backtest)
