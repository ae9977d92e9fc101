"""`cshub explain`: why a customer's score is what it is, why it moved, and what would lift it."""

from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path

import click

from hub.backtest import TrackRecord
from hub.cli import show
from hub.cli.app import asynchronous, main
from hub.clock import utc_now
from hub.compose import Hub
from hub.explanation import ChangeLine, Comparison, Explanation, Line, find_lift
from hub.explanation import explain as explain_score
from hub.explanation.parts import Evidences
from hub.model.actions import Band
from hub.settings import load
from hub.store.rollups import RolledUp
from scoring.explain import Cause
from scoring.facts import FACTS
from scoring.lift import Lift
from scoring.wording import number, percent

DAY = click.DateTime(formats=["%Y-%m-%d"])
CAUSES = {
    Cause.DATA: "data",
    Cause.MISSING_DATA: "missing data",
    Cause.DEFINITION: "definition",
    Cause.OVERRIDE: "override",
}
MOST_PARTS = 20


@main.command()
@click.argument("customer")
@click.option("--as-of", type=DAY, metavar="DAY", help="Explain the newest scorecard up to this day.")
@click.option("--since", type=DAY, metavar="DAY", help="Also why the score is not what it was on this day.")
@click.option("--scorecard", metavar="NAME", help="Explain this extra scorecard instead: a file of config/health/.")
@click.option("--lift", "target", type=click.Choice([band.value for band in Band]), help="What would reach this band?")
@click.option(
    "--record/--no-record", default=True, show_default=True, help="How often the definitions have been right."
)
@click.option(
    "--records",
    type=click.IntRange(0, 50),
    default=0,
    show_default=True,
    metavar="N",
    help="Show the newest N records behind each fact, with --since those of then, too.",
)
@click.pass_obj
@asynchronous
async def explain(
    config: Path | None,
    customer: str,
    as_of: datetime | None,
    since: datetime | None,
    scorecard: str | None,
    target: str | None,
    record: bool,
    records: int,
) -> None:
    """Explain the score of CUSTOMER: an id, a domain or a whole name. Days are YYYY-MM-DD.

    The points of the measures add up to the computed score, and those of a change to the change of the score in force,
    exactly; what a CSM has overridden is a line of its own.

    \b
    cshub explain acme.example                             why the score is what it is
    cshub explain acme.example --since 2026-10-01          and why it has changed since
    cshub explain acme.example --lift healthy              and what would make it green
    cshub explain acme.example --records 5                 and the records behind every number
    """
    if scorecard is not None and target is not None:
        raise click.UsageError("--lift is for the scorecard itself; leave --scorecard out")
    async with Hub.open(load(config), clock=utc_now, work=False) as hub:
        found = await explain_score(
            hub.store,
            customer,
            as_of=_day(as_of),
            since=_day(since),
            records=max(records, 1),
            scorecard=scorecard,
        )
        track = await hub.track_record() if record and scorecard is None else None
        lift = None
        if target is not None:
            lift = await find_lift(hub.store, hub.settings.health, found.customer.id, target=Band(target))
    _show_score(found)
    if found.rollup is not None:
        _show_rollup(found.rollup)
    for line in found.lines if records else ():
        _show_records(line.contribution.measure, line.contribution.facts, line.evidence, records)
    if found.comparison is not None:
        _show_change(found, found.comparison, records)
    if lift is not None:
        _show_lift(lift, overridden=found.override is not None)
    if track is not None:
        _show_record(found, track)


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
    extra = f", scorecard {found.scorecard}" if found.scorecard else ""
    show.out.print(f"{who.name} ({who.id}{f', {who.domain}' if who.domain else ''}){extra}", markup=False)
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
    rows.append(("", "", "", "", _points(total), _sum(found)))
    show.table(None, ("measure", "group", "reads", "weight", "points", "why"), rows)


def _sum(found: Explanation) -> str:
    if found.computed is None:
        return "sum of the points"
    if found.override is None:
        return "the score"
    return f"the computed score; {_points(found.score)} is in force"


def _show_rollup(rollup: RolledUp) -> None:
    """Of a parent: what its family comes to."""
    band = None if rollup.band is None else Band(rollup.band)
    how = {"value": "weighed by recurring revenue", "mean": "the plain mean", "worst": "the worst of them"}[
        rollup.method
    ]
    show.out.print()
    show.out.print(
        f"With everybody below it: {_scored(rollup.health, band)} as of {rollup.as_of}, {how}, {rollup.customers} customers",
        markup=False,
    )
    if rollup.note:
        show.out.print(rollup.note, markup=False)
    parts = sorted(rollup.parts, key=lambda part: (-part["weight"], part["name"], part["customer_id"]))
    rows = [
        (
            f"{part['name']} ({part['customer_id']})",
            _points(part["score"]),
            f"{part['weight'] * 100:.1f} %",
            _points(part["contribution"]),
        )
        for part in parts[:MOST_PARTS]
    ]
    if left := parts[MOST_PARTS:]:
        weight, points = (sum(part[name] for part in left) for name in ("weight", "contribution"))
        rows.append((f"{len(left)} more", "", f"{weight * 100:.1f} %", _points(points)))
    show.table(None, ("customer", "score", "weight", "points"), rows)


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


def _show_records(measure: str, facts: Mapping[str, object], evidence: Evidences, most: int) -> None:
    show.out.print(f"\n{measure}", markup=False)
    for fact, value in facts.items():
        unit = FACTS[fact].unit if fact in FACTS else ""
        show.out.print(f"  {fact} = {_value(value)} {unit}".rstrip(), markup=False)
        for each in evidence.get(fact, ()):
            since = f"{each.since} to " if each.since else "up to "
            kind = each.kind.replace("_", " ")
            show.out.print(f"    {kind}, {since}{each.until}: {each.total}", markup=False)
            for record in each.records[:most]:
                show.out.print(f"      {record.on} {record.source}:{record.key}  {record.what}", markup=False)


def _show_change(found: Explanation, comparison: Comparison, records: int) -> None:
    show.out.print()
    show.out.print(
        f"{_scored(comparison.score, comparison.band)} on {comparison.since} -> "
        f"{_scored(found.score, found.band)} on {found.as_of}: {_points(comparison.change, signed=True)}",
        markup=False,
    )
    (then, old), (now, new) = comparison.definitions
    if old != new:
        show.out.print(f"Definition: {then} ({old[:8]}) -> {now} ({new[:8]})", markup=False)
    if comparison.note:
        show.out.print(comparison.note, markup=False)
    if not comparison.changes:
        return
    rows = [
        (change.measure, CAUSES[change.cause], _points(change.amount, signed=True), _behind(change))
        for change in comparison.changes
    ]
    rows += [
        ("", f"all {CAUSES[cause]}", _points(amount, signed=True), "") for cause, amount in comparison.causes.items()
    ]
    show.table(None, ("measure", "cause", "points", ""), rows)
    changed = {change.measure: change for change in comparison.changes if change.facts} if records else {}
    if changed:
        show.out.print(f"\nWhat they were counted from on {comparison.since}", markup=False)
    for name, change in changed.items():
        before = {fact: old for fact, (old, _) in change.facts.items()}
        _show_records(name, before, change.evidence_before, records)


def _behind(line: ChangeLine) -> str:
    """What moved: the facts of the measure, or who overrode what and why."""
    if line.override is not None:
        made = line.override
        until = f", withdrawn {made.withdrawn_at:%Y-%m-%d}" if made.withdrawn_at else f" until {made.expires_on}"
        return f"{made.by} on {made.set_at:%Y-%m-%d}{until}: {_points(made.value)}, {made.reason} ({made.id})"
    moved = [f"{fact} {_value(old)} -> {_value(new)}" for fact, (old, new) in line.facts.items() if old != new]
    if line.reweighting:
        moved.append(f"of it {_points(line.reweighting, signed=True)} by what others count now")
    return "; ".join(moved)


def _value(value: object) -> str:
    return "unknown" if value is None else number(value) if isinstance(value, float | int) else str(value)


def _show_record(found: Explanation, record: TrackRecord) -> None:
    show.out.print("\nHow often this has been right", markup=False)
    rate = record.band(found.computed_band.value if found.computed_band else None)
    if rate is not None and rate.rate is not None and rate.low is not None and rate.high is not None:
        show.out.print(
            f"Of customers who read {rate.name}, {percent(rate.rate)} left within {record.horizon} days "
            f"(90 % interval {percent(rate.low)} to {percent(rate.high)})",
            markup=False,
        )
    for line in record.lines():
        show.say(line)


def _show_lift(lift: Lift, *, overridden: bool) -> None:
    show.out.print()
    if overridden:
        show.out.print("An override is in force; this is about the computed score:", markup=False)
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
