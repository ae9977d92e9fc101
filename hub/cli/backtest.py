"""`cshub backtest`: a new definition of health, or a playbook, tried on the stored past before anybody switches to it."""

import json
import math
from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from hub.backtest import Ask, Every, Report, Verified, run, verify
from hub.backtest.plots import write_plots
from hub.cli import show
from hub.cli.app import asynchronous, main, opened
from hub.clock import utc_now
from hub.compose.backtesting import book_at, rule_called, rule_when
from hub.errors import RefusedError
from hub.settings import load

REST = 30


@main.command()
@click.option(
    "--definition",
    type=click.Path(path_type=Path, exists=True),
    help="A health definition's file, tried as the only one, or where it says `when`, in its place among the live ones; "
    "or a folder with a whole book of them.",
)
@click.option("--playbook", help="A configured playbook, or a playbook's file: replay its condition and its rest.")
@click.option("--when", metavar="CONDITION", help="A bare condition instead, such as '{health: {lt: 0.4}}'.")
@click.option("--rest", type=click.IntRange(0, 365), metavar="DAYS", help=f"Quiet period of --when. Default: {REST}.")
@click.option("--months", type=click.IntRange(1, 60), default=18, show_default=True, help="How far back.")
@click.option(
    "--every", type=click.Choice(["month", "week"]), default="month", show_default=True, help="Days replayed."
)
@click.option("--horizon", type=click.IntRange(7, 365), default=90, show_default=True, help="Days to leave within.")
@click.option("--lead", type=click.IntRange(0, 180), default=30, show_default=True, help="Green so many days before.")
@click.option("--plots", type=click.Path(path_type=Path, file_okay=False), help="Write SVG plots into this folder.")
@click.option("--allow-peeking", is_flag=True, help="Show the numbers even where a fact knows the future, marked.")
@click.option("--verify", "verifying", is_flag=True, help="Instead: do stored scores come out again, to the last bit?")
@click.option("--json", "as_json", is_flag=True, help="As JSON, with the points of every curve.")
@click.pass_obj
@asynchronous
async def backtest(
    config: Path | None,
    definition: Path | None,
    playbook: str | None,
    when: str | None,
    rest: int | None,
    months: int,
    every: Every,
    horizon: int,
    lead: int,
    plots: Path | None,
    allow_peeking: bool,
    verifying: bool,
    as_json: bool,
) -> None:
    """Try a definition of health, or a playbook, on the stored past, beside the live definition.

    Every day is replayed as it was known then, and both are judged by who left. Without --definition, --playbook or --when
    the live definition is judged alone. Nothing is written and nothing is sent.

    Exit code 1 where too few customers left to tell, or where a fact that is used knows the future.
    """
    settings, now = load(config), utc_now()
    given = [each for each in (definition, playbook, when) if each is not None]
    if len(given) > 1:
        raise click.UsageError("give one of --definition, --playbook and --when")
    if rest is not None and when is None:
        raise click.UsageError("--rest is for --when; a playbook has its own")
    if verifying and (given or plots is not None):
        raise click.UsageError("--verify replays the scorecards there are, and tries nothing: give it alone, or --json")
    tried = (
        book_at(definition, settings)
        if definition is not None
        else rule_called(playbook, settings)
        if playbook is not None
        else rule_when(when, rest=timedelta(days=REST if rest is None else rest))
        if when is not None
        else None
    )
    ask = Ask(
        live=settings.health,
        tried=tried,
        name="tried" if definition is not None else "",
        churn=settings.churn,
        months=months,
        every=every,
        horizon=horizon,
        lead=lead,
        allow_peeking=allow_peeking,
    )
    async with opened(config) as store:
        if verifying:
            with show.step("replaying stored scorecards", aside=as_json) as step:
                verified = await verify(store, settings.health, now=now, progress=step.to)
            _show_verified(verified, as_json=as_json)
            return
        with show.step("replaying the past", aside=as_json) as step:
            report = await run(store, ask, now=now, progress=step.to)
    if as_json:
        click.echo(json.dumps(_plain(report.as_json()), indent=2))
    else:
        for line in report.lines():
            show.say(line)
    if plots is not None:
        for path in write_plots(report, plots):
            show.complain(f"wrote {path}")
    if report.too_few:
        raise RefusedError(report.too_few)


def _show_verified(verified: Verified, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(_plain(verified.as_json()), indent=2))
    else:
        for line in verified.lines():
            show.say(line)
    if verified.wrong:
        raise RefusedError(f"{verified.wrong} stored scores did not come out again")


def _plain(value: Any) -> Any:
    """What JSON can say: no infinities, which stand for intervals that could not be drawn."""
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


__all__ = ["Report", "backtest"]
