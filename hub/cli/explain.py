"""`cshub explain`: why a customer's score is what it is, why it moved, and what would lift it."""

from datetime import date, datetime
from pathlib import Path

import click

from hub.cli import show
from hub.cli.app import asynchronous, main
from hub.clock import utc_now
from hub.compose import Hub
from hub.explanation import Comparison, Explanation, Line, find_lift
from hub.explanation import explain as explain_score
from hub.model.actions import Band
from hub.settings import load
from scoring.explain import Cause
from scoring.facts import FACTS
from scoring.lift import Lift
from scoring.wording import number, percent

DAY = click.DateTime(formats=["%Y-%m-%d"])
CAUSES = {Cause.DATA: "data", Cause.MISSING_DATA: "missing data", Cause.DEFINITION: "definition"}


@main.command()
@click.argument("customer")
@click.option("--as-of", type=DAY, metavar="DAY", help="Explain the newest scorecard up to this day.")
@click.option("--since", type=DAY, metavar="DAY", help="Also why the score is not what it was on this day.")
@click.option("--lift", "target", type=click.Choice([band.value for band in Band]), help="What would reach this band?")
@click.option(
    "--records",
    type=click.IntRange(0, 50),
    default=0,
    show_default=True,
    metavar="N",
    help="Show the newest N records behind each fact.",
)
@click.pass_obj
@asynchronous
async def explain(
    config: Path | None, customer: str, as_of: datetime | None, since: datetime | None, target: str | None, records: int
) -> None:
    """Explain the score of CUSTOMER: an id, a domain or a whole name. Days are YYYY-MM-DD.

    The points of the measures add up to the score, and those of a change to the change, exactly.
    """
    async with Hub.open(load(config), clock=utc_now, work=False) as hub:
        found = await explain_score(hub.store, customer, as_of=_day(as_of), since=_day(since), records=max(records, 1))
        lift = None
        if target is not None:
            lift = await find_lift(hub.store, hub.settings.health, found.customer.id, target=Band(target))
    _show_score(found)
    if records:
        _show_records(found, records)
    if found.comparison is not None:
        _show_change(found, found.comparison)
    if lift is not None:
        _show_lift(lift)


def _day(given: datetime | None) -> date | None:
    return None if given is None else given.date()


def _points(value: float | None, *, signed: bool = False) -> str:
    """0-1 as people see it, 0-100."""
    if value is None:
        return "-"
    text = f"{value * 100:+.1f}" if signed else f"{value * 100:.1f}"
    return text.replace("-0.0", "0.0").replace("+0.0", "0.0")


def _scored(score: float | None, band: Band | None) -> str:
    return "no score" if score is None or band is None else f"{_points(score)} of 100, {band.value}"


def _show_score(found: Explanation) -> None:
    who = found.customer
    show.out.print(f"{who.name} ({who.id}{f', {who.domain}' if who.domain else ''})", markup=False)
    show.out.print(
        f"{_scored(found.score, found.band)} as of {found.as_of}; {percent(found.coverage)} of the weight has data",
        markup=False,
    )
    if found.note:
        show.out.print(found.note, markup=False)
    show.out.print()
    shown = sorted(found.lines, key=lambda line: -line.contribution.weight)
    rows = [_row(line) for line in shown]
    total = sum(line.contribution.amount for line in found.lines)
    rows.append(("", "", "", "", _points(total), "sum of the points" if found.score is None else "the score"))
    show.table(None, ("measure", "group", "reads", "weight", "points", "why"), rows)


def _row(line: Line) -> tuple[str, ...]:
    part = line.contribution
    return (
        part.measure,
        part.group,
        _points(part.value),
        f"{part.weight * 100:.1f} %",
        _points(part.amount),
        part.reason + (f" (missing: {part.missing})" if part.missing else ""),
    )


def _show_records(found: Explanation, most: int) -> None:
    for line in found.lines:
        show.out.print(f"\n{line.contribution.measure}", markup=False)
        for fact, value in line.contribution.facts.items():
            unit = FACTS[fact].unit if fact in FACTS else ""
            shown = "unknown" if value is None else number(value) if isinstance(value, float | int) else str(value)
            show.out.print(f"  {fact} = {shown} {unit}".rstrip(), markup=False)
            for evidence in line.evidence.get(fact, ()):
                since = f"{evidence.since} to " if evidence.since else "up to "
                kind = evidence.kind.replace("_", " ")
                show.out.print(f"    {kind}, {since}{evidence.until}: {evidence.total}", markup=False)
                for record in evidence.records[:most]:
                    show.out.print(f"      {record.on} {record.source}:{record.key}  {record.what}", markup=False)


def _show_change(found: Explanation, comparison: Comparison) -> None:
    show.out.print()
    show.out.print(
        f"{_scored(comparison.score, comparison.band)} on {comparison.since} -> "
        f"{_scored(found.score, found.band)} on {found.as_of}: {_points(comparison.change, signed=True)}",
        markup=False,
    )
    if comparison.note:
        show.out.print(comparison.note, markup=False)
        return
    rows = [
        (
            change.measure,
            CAUSES[change.cause],
            _points(change.amount, signed=True),
            f"of it {_points(change.reweighting, signed=True)} by what others count now" if change.reweighting else "",
        )
        for change in comparison.changes
    ]
    rows += [
        ("", f"all {CAUSES[cause]}", _points(amount, signed=True), "") for cause, amount in comparison.causes.items()
    ]
    show.table(None, ("measure", "cause", "points", ""), rows)


def _show_lift(lift: Lift) -> None:
    show.out.print()
    show.out.print(f"To be {lift.target.value}: {_scored(lift.score, lift.band)} now", markup=False)
    if lift.note:
        show.out.print(lift.note, markup=False)
    elif not lift.moves:
        show.out.print("It is there already", markup=False)
    rows = [
        (move.fact, f"{number(move.before)} -> {number(move.after)} {FACTS[move.fact].unit}", move.doing)
        for move in lift.moves
    ]
    if rows:
        show.table(None, ("fact", "change", "how"), rows)
        show.out.print(f"With that: {_scored(lift.lifted_score, lift.lifted_band)}", markup=False)
