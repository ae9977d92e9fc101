"""`cshub playbook plan` and `report`: what a playbook would have done, before it acts, and what became of it afterwards."""

import json
from pathlib import Path

import click

from hub.cli import show
from hub.cli.app import asynchronous, opened
from hub.clock import utc_now
from hub.compose.planning import Budget, plan, playbook_of, report_on
from hub.errors import RefusedError
from hub.playbooks.rehearsal import markdown
from hub.playbooks.report_text import lines
from hub.settings import load


@click.command("plan")
@click.argument("file")
@click.option(
    "--days", type=click.IntRange(1, 730), default=90, show_default=True, help="The window: so many last days."
)
@click.option("--horizon", type=click.IntRange(7, 365), help="Days to leave within. Default: that of the churn model.")
@click.option(
    "--against",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A file of the version to compare with. Default: the live one of the same name.",
)
@click.option(
    "--fail-above",
    metavar="BUDGET",
    help="Exit code 1 if it would have fired more often: '10 per csm per week' (the worst of all), '200 per week' (in all).",
)
@click.option(
    "--markdown", "as_markdown", is_flag=True, help="As Markdown for a pull request; so it is, too, in a pipe."
)
@click.option("--json", "as_json", is_flag=True, help="As JSON, with all of it.")
@click.pass_obj
@asynchronous
async def playbook_plan(
    config: Path | None,
    file: str,
    days: int,
    horizon: int | None,
    against: Path | None,
    fail_above: str | None,
    as_markdown: bool,
    as_json: bool,
) -> None:
    """Rehearse the playbook of FILE (or a configured one by name) on the stored past: nothing is sent or written.

    Every day is replayed as it was scored: whom it would have fired for, how often a CSM would have heard of it, who of these
    customers left and how early it came, and what is different to the live version. The examples of FILE run first.
    """
    if as_markdown and as_json:
        raise click.UsageError("give one of --markdown and --json")
    settings = load(config)
    budget = None if fail_above is None else Budget.parse(fail_above)
    chosen = playbook_of(file, settings)
    other = None if against is None else playbook_of(str(against), settings)
    async with opened(config) as store:
        with show.step("replaying the past", aside=True) as step:
            made = await plan(
                store, chosen, settings, days=days, horizon=horizon, against=other, now=utc_now(), progress=step.to
            )
    if as_json:
        click.echo(json.dumps(made.as_json(), indent=2))
    elif as_markdown or not show.out.is_terminal:
        click.echo(markdown(made), nl=False)
    else:
        show.document(markdown(made))
    if budget is not None and (told := budget.exceeded(made)) is not None:
        raise RefusedError(told)


@click.command("report")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
@asynchronous
async def playbook_report(config: Path | None, names: tuple[str, ...], as_json: bool) -> None:
    """Say what playbooks did, and where customers are held out, what it was worth."""
    async with opened(config) as store:
        effects = await report_on(store, load(config), names=names, now=utc_now())
    if as_json:
        click.echo(json.dumps([each.as_json() for each in effects], indent=2))
        return
    for line in lines(effects):
        show.say(line)
