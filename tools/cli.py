"""`python -m tools`: the commands of developers and pipelines. Only parses; each command has its own module."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from sentinel.tools import cli as content
from sentinel.tools.cli import Check
from tools import optional
from tools import words as word_list
from tools.docs import build_catalogue, build_detections, build_reference, demo_picture
from tools.infra import build as templates
from tools.infra import package as packages
from tools.infra import plan as plans
from tools.infra import remove as removals
from tools.infra.compiler import HERE, Target
from tools.infra.wheels import PYTHONS, ROOT

app = typer.Typer(
    help="Build, check and release the bridge. None of this is deployed.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
docs_app = typer.Typer(no_args_is_help=True, help="Pages rendered from code and content.")
infra_app = typer.Typer(no_args_is_help=True, help="Build, plan, package and remove deployments.")
app.add_typer(content.app, name="content", epilog="Example: python -m tools content test --only claude-sso-disabled")
app.add_typer(docs_app, name="docs", epilog="Example: python -m tools docs reference --check")
app.add_typer(infra_app, name="infra", epilog="Example: python -m tools infra plan my.bicepparam -g rg-claude")

Parameters = Annotated[Path, typer.Argument(metavar="FILE", help="A .bicepparam file.", show_default=False)]
Group = Annotated[str | None, typer.Option("-g", "--resource-group", help="Resource group of the deployment.")]
Subscription = Annotated[str, typer.Option(help="Subscription used in names when Azure is not queried.")]
Location = Annotated[str, typer.Option(help="Region used in names when Azure is not queried.")]
MAIN = templates.BICEP / "main.bicepparam"


@app.command(epilog="Example: python -m tools build --check")
def build(check: Check = False) -> None:
    """Rebuild all generated files that are committed.

    In order of dependency: content, workbook, reference pages, templates.
    """
    failed = False
    steps: tuple[Callable[[bool], None], ...] = (content.build, content.workbook, reference, detections, infra_build)
    for step in steps:
        try:
            step(check)
        except typer.Exit as ended:
            if not check:
                raise
            failed = failed or ended.exit_code != 0
    raise typer.Exit(int(failed))


@app.command(epilog="Example: python -m tools doctor --require")
def doctor(
    require: Annotated[bool, typer.Option("--require", help="Exit 1 if a tool that tests need is missing.")] = False,
) -> None:
    """List the optional tools on this machine, and how to install the missing ones."""
    lacking = 0
    for tool, found in optional.table():
        lacking += tool.required and found is None
        typer.echo(f"{tool.name:30}{found or f'MISSING ({tool.used_for}): {tool.how_to_get}'}")
    _exit(int(require and lacking > 0))


@app.command(epilog="Example: python -m tools words")
def words() -> None:
    """Find words of tools/words.toml in documents, content, templates and the text of Python files."""
    found = list(word_list.search())
    for one in found:
        typer.echo(str(one))
    _exit(int(bool(found)))


@docs_app.command(epilog="Example: python -m tools docs reference --check")
def reference(check: Check = False) -> None:
    """Render docs/reference/ from tables, settings and the catalogue."""
    _exit(build_reference.settle(check=check))


@docs_app.command(epilog="Example: python -m tools docs detections --check")
def detections(check: Check = False) -> None:
    """Render docs/detections.md from sentinel/."""
    _exit(build_detections.settle(build_detections.rendered(), check=check))


@docs_app.command(
    epilog="Example: python -m tools docs catalogue types.tsv fold.json shared/streams/activity/catalogue.json"
)
def catalogue(
    types: Annotated[Path, typer.Argument(help="Activity types from the API documentation, as TSV.")],
    fold: Annotated[Path, typer.Argument(help="Mapping of fields to columns, as JSON.")],
    out: Annotated[Path, typer.Argument(help="The catalogue to write.")],
) -> None:
    """Build the catalogue of activity types from the API documentation."""
    out.write_text(build_catalogue.as_text(build_catalogue.build(types, fold)), encoding="utf-8")


@docs_app.command(epilog="Example: python -m tools docs picture docs/images/demo.svg")
def picture(target: Annotated[Path, typer.Argument(help="The SVG to write.")]) -> None:
    """Draw the README picture from a real demo."""
    demo_picture.draw(target)


@infra_app.command("build", epilog="Example: python -m tools infra build --check")
def infra_build(check: Check = False) -> None:
    """Build the portal template and a snapshot of each scenario."""
    _exit(templates.settle(check=check))


@infra_app.command(epilog="Example: python -m tools infra plan my.bicepparam -g rg-claude")
def plan(
    file: Parameters = MAIN,
    resource_group: Group = None,
    subscription: Subscription = HERE.subscription,
    location: Location = HERE.region,
    offline: Annotated[
        bool, typer.Option("--offline", help="Do not query Azure, even if a resource group is given.")
    ] = False,
) -> None:
    """Show what a deployment would change, and the roles it requires.

    Read-only. Queries Azure (what-if) if a resource group is given; otherwise uses the template only.
    """
    target = Target(subscription, resource_group or HERE.resource_group, location)
    _exit(plans.show(file, target, ask_azure=bool(resource_group) and not offline))


@infra_app.command(epilog="Example: python -m tools infra package --python 3.13")
def package(
    python: Annotated[str, typer.Option(help=f"Python version of the function app: {', '.join(PYTHONS)}.")] = PYTHONS[
        0
    ],
    output: Annotated[Path, typer.Option(help="Output folder.", show_default="build")] = ROOT / "build",
    lock: Annotated[bool, typer.Option("--lock", help="Only update infra/wheels.txt from requirements.txt.")] = False,
) -> None:
    """Build the release zip: the app with all its wheels.

    Reproducible: the same commit gives the same bytes on every machine.
    """
    if python not in PYTHONS:
        raise typer.BadParameter(f"one of {', '.join(PYTHONS)}", param_hint="--python")
    _exit(packages.release(python, output, lock=lock))


@infra_app.command(epilog="Example: python -m tools infra remove my.bicepparam -g rg-claude --plan")
def remove(
    file: Parameters = MAIN,
    resource_group: Group = None,
    subscription: Subscription = HERE.subscription,
    location: Location = HERE.region,
    plan: Annotated[bool, typer.Option("--plan", help="Print the commands without running them.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Run the commands.")] = False,
    with_data: Annotated[
        bool,
        typer.Option("--with-data", help="Also delete rows, watchlists, state and a workspace the deployment created."),
    ] = False,
) -> None:
    """Remove a deployment: print or run the commands, in order."""
    if plan == yes:
        raise typer.BadParameter("use --plan to print the commands, or --yes to run them")
    if yes and not resource_group:
        raise typer.BadParameter("--yes requires the resource group (-g) and --subscription of the deployment")
    target = Target(subscription, resource_group or HERE.resource_group, location)
    _exit(removals.remove(file, target, with_data=with_data, execute=yes))


def _exit(code: int) -> None:
    if code:
        raise typer.Exit(code)
