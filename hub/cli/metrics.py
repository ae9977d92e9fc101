"""`cshub metrics`: retention, churn, lifetime value, survey scores and time to value, each with its definition."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from hub.analytics import GROUPINGS, Agreement, Month, Report, Request, Value, agree, last_months, measure
from hub.analytics.definitions import NAMES
from hub.cli import show
from hub.cli.app import asynchronous, main, opened
from hub.clock import utc_now
from hub.settings import load
from hub.store.migrate import require_newest

TYPICAL_MONTHS = 12
SHOWN_ROWS = 20


@main.command()
@click.option(
    "--from", "first", metavar="MONTH", help="First month, as 2025-11. Default: twelve months before the last."
)
@click.option("--to", "last", metavar="MONTH", help="Last month. Default: the last that is over.")
@click.option("--monthly", is_flag=True, help="A value for each month instead of one for all of them.")
@click.option("--by", type=click.Choice(GROUPINGS), help="Also a value for each segment, CSM or plan.")
@click.option("--metric", "metrics", multiple=True, type=click.Choice(NAMES), help="Only this one; may be repeated.")
@click.option("--rows", is_flag=True, help=f"Also the first {SHOWN_ROWS} rows each value is made of; all with --json.")
@click.option("--agreement", is_flag=True, help="Churn by balances against churn by events, and why they differ.")
@click.option(
    "--value-users", type=click.IntRange(1), default=3, show_default=True, help="People on a first day of value."
)
@click.option("--value-event", help="A feature whose first use is the first value, instead of people.")
@click.option(
    "--gross-margin",
    type=click.FloatRange(0, 1, min_open=True),
    metavar="0-1",
    help="For the lifetime value of margins.",
)
@click.option("--json", "as_json", is_flag=True, help="As JSON, with definitions and components.")
@click.pass_obj
@asynchronous
async def metrics(
    config: Path | None,
    first: str | None,
    last: str | None,
    monthly: bool,
    by: str | None,
    metrics: tuple[str, ...],
    rows: bool,
    agreement: bool,
    value_users: int,
    value_event: str | None,
    gross_margin: float | None,
    as_json: bool,
) -> None:
    """Show the figures of customer success, with the definition each was computed by.

    Amounts of several currencies and answers on several scales are never mixed: each has a line of its own. A value that
    can't be told is empty and says why.
    """
    settings, now = load(config), utc_now()
    begin, end = _months(first, last)
    request = Request(
        first=begin,
        last=end,
        monthly=monthly,
        metrics=metrics,
        by=by,
        value_users=value_users,
        value_event=value_event,
        grace_days=settings.churn.grace_days,
        gross_margin=gross_margin,
    )
    async with opened(config) as store:
        await require_newest(store)
        report = await measure(store, request, now=now)
        agreements = await agree(store, request, now=now) if agreement else ()
    if as_json:
        click.echo(json.dumps(_plain(report, agreements, rows=rows), indent=2))
    else:
        _print(report, agreements, rows=rows)


def _months(first: str | None, last: str | None) -> tuple[Month, Month]:
    usual_first, usual_last = last_months(TYPICAL_MONTHS, today=utc_now().date())
    end = Month.parse(last) if last else usual_last
    if first:
        begin = Month.parse(first)
        return begin, end if last else max(begin, end)
    return (end.plus(1 - TYPICAL_MONTHS) if last else usual_first), end


def _print(report: Report, agreements: Sequence[Agreement], *, rows: bool) -> None:
    """A table of values, the definitions they were computed by, and what else was asked for."""
    by = report.request.by
    head = ("period", "metric", "basis", *((by,) if by else ()), "of", "value", "n", "why there is none")
    show.table(
        None,
        head,
        [
            (
                str(value.period),
                value.definition.title,
                f"{value.definition.basis} v{value.definition.version}",
                *((value.group or "everybody",) if by else ()),
                value.currency or value.scale or "",
                _shown(value),
                value.n,
                value.reason or "",
            )
            for value in report.values
        ],
    )
    show.out.print()
    for each, given in dict.fromkeys((value.definition, value.given) for value in report.values):
        formula = f"{each.formula} ({given})" if given else each.formula
        show.out.print(f"{each.title} ({each.name}, {each.basis} v{each.version}): {formula}", markup=False)
    for value in report.values if rows else ():
        _print_rows(value)
    for each_agreement in agreements:
        _print_agreement(each_agreement)


def _print_rows(value: Value) -> None:
    if not value.n:
        return
    of = " ".join(part for part in (value.group, value.currency or value.scale) if part)
    rows = value.rows(SHOWN_ROWS)
    show.out.print()
    show.table(
        f"{value.definition.title} ({value.definition.basis}) {value.period} {of}: {_shown(value)} = "
        f"{value.definition.drill_down}",
        ("customer", "id", "numerator", "denominator", "what"),
        [(row.customer_name, row.id, round(row.numerator, 4), round(row.denominator, 4), row.note) for row in rows],
    )
    if value.n > len(rows):
        show.out.print(f"… and {value.n - len(rows):,} more", markup=False)


def _print_agreement(agreement: Agreement) -> None:
    show.out.print()
    show.out.print(
        f"{agreement.period}: {agreement.cohort} churned by balances (cohort), {agreement.events} by events "
        f"(grace of {agreement.grace_days} days); they differ on {len(agreement.differences)}",
        markup=False,
    )
    for each in agreement.differences:
        show.out.print(f"  {each.surplus:+d} {each.customer_name} ({each.customer_id}): {each.why}", markup=False)


def _shown(value: Value) -> str:
    if value.value is None:
        return "-"
    match value.definition.unit:
        case "share":
            return f"{100 * value.value:.2f} %"
        case "score":
            return f"{100 * value.value:.1f} of 100"
        case "money":
            return f"{value.value:,.2f}"
        case "points":
            return f"{value.value:+.1f}" if value.definition.name == "nps" else f"{value.value:.2f}"
        case _:
            return f"{value.value:,.0f}"


def _plain(report: Report, agreements: Sequence[Agreement], *, rows: bool) -> dict[str, Any]:
    values = []
    for value in report.values:
        definition = value.definition
        found: dict[str, Any] = {
            "metric": definition.name,
            "version": definition.version,
            "basis": definition.basis,
            "unit": definition.unit,
            "formula": definition.formula,
            "given": value.given,
            "drill_down": definition.drill_down,
            "from": str(value.period.first),
            "to": str(value.period.last),
            "group": value.group,
            "currency": value.currency,
            "scale": value.scale,
            "value": value.value,
            "reason": value.reason,
            "n": value.n,
            "components": dict(value.components),
        }
        if rows:
            found["rows"] = [
                {
                    "id": row.id,
                    "customer_id": row.customer_id,
                    "customer": row.customer_name,
                    "numerator": row.numerator,
                    "denominator": row.denominator,
                    "note": row.note,
                }
                for row in value.rows()
            ]
        values.append(found)
    return {
        "by": report.request.by,
        "values": values,
        "agreement": [
            {
                "from": str(each.period.first),
                "to": str(each.period.last),
                "grace_days": each.grace_days,
                "cohort": each.cohort,
                "events": each.events,
                "differences": [
                    {"customer_id": one.customer_id, "case": one.case, "surplus": one.surplus, "why": one.why}
                    for one in each.differences
                ],
            }
            for each in agreements
        ],
    }
