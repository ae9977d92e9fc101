"""`cshub score` and `cshub train`: health and churn risk of every customer, and the model behind the risk."""

from datetime import date, timedelta
from pathlib import Path

import click

from hub.cli import show
from hub.cli.app import asynchronous, main
from hub.cli.plotting import write_plots
from hub.clock import utc_now
from hub.compose import Hub
from hub.settings import load
from scoring.horizon import in_words


@main.command()
@click.option("--backfill", type=click.IntRange(1, 120), metavar="MONTHS", help="Also the month starts of the past.")
@click.option("--fire/--no-fire", default=True, show_default=True, help="Fire the playbooks that today concerns.")
@click.pass_obj
@asynchronous
async def score(config: Path | None, backfill: int | None, fire: bool) -> None:
    """Compute today's scorecards. Scorecards of past days are never overwritten; today's is, until the day ends.

    What playbooks send is sent by a running `cshub serve` or `cshub worker`.
    """
    async with Hub.open(load(config), clock=utc_now, work=False) as hub:
        if backfill:
            days = month_starts(utc_now().date(), backfill)
            with show.step("scoring past months", total=len(days)) as step:
                await hub.backfill(days, progress=step.to)
        if fire:
            async with hub.working():
                scored = await hub.score()
        else:
            scored = await hub.score(fire=False)
        version = scored.scores.model_version
        why = (await hub.models.get(version)).parameters.get("why") if version else None
    show.scored(scored)
    if why and scored.scores.customer_ids:
        show.complain(f"the churn risk is the rate of all customers, for there is no model: {why}")


@main.command()
@click.option(
    "--plots",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Also write plots of calibration and lift on later months there, as SVG: two a horizon.",
)
@click.pass_obj
@asynchronous
async def train(config: Path | None, plots: Path | None) -> None:
    """Train a churn model on the stored history, judge it on later months, and keep it where it is good enough.

    With too few churned customers it says so, and customers get a labelled prior instead of a number that looks learned.
    """
    async with Hub.open(load(config), clock=utc_now, work=False) as hub:
        with show.step("snapshots of the past") as step:
            training = await hub.train(progress=step.to)
        settled = await hub.models.settle()
    for line in training.lines():
        show.say(line)
    if plots is not None:
        for one in (training, *training.others):
            if one.evaluation:
                title = f"Leaving {in_words(one.horizon)}, {one.evaluation.split}"
                for path in write_plots(plots, f"churn-{one.horizon}", one.evaluation, title=title):
                    show.say(f"wrote {path}")
    for each in settled:
        for line in each.lines():
            show.say(line)


def month_starts(today: date, months: int) -> list[date]:
    """The firsts of the last `months` months before `today`, oldest first."""
    days: list[date] = []
    day = today.replace(day=1)
    while len(days) < months:
        if day < today:
            days.append(day)
        day = (day - timedelta(days=1)).replace(day=1)
    return days[::-1]
