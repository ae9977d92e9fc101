"""`cshub renewals`: what falls due and how it stands, what a period is expected to bring, and what people say of one."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click

from hub.analytics.forecast import Forecast, forecast
from hub.analytics.months import Month
from hub.cli import show
from hub.cli.app import asynchronous, main, opened
from hub.clock import utc_now
from hub.compose import Hub
from hub.compose.auditing import audited
from hub.compose.renewal import update_renewal
from hub.settings import load
from hub.store.renewals import COLUMNS, find_due

DAY = click.DateTime(formats=["%Y-%m-%d"])
STATUSES = ("upcoming", "due", "overdue", "renewed", "churned")
AHEAD = timedelta(days=90)
_json = click.option("--json", "as_json", is_flag=True, help="As JSON.")


@main.group()
def renewals() -> None:
    """See what falls due, what it is expected to bring, and say what became of it."""


@renewals.command("list")
@click.option("--status", "statuses", multiple=True, type=click.Choice(STATUSES), help="Only these; may be repeated.")
@click.option("--from", "first", type=DAY, metavar="DAY", help="Due from this day on. Default: 90 days ago.")
@click.option("--to", "last", type=DAY, metavar="DAY", help="Due until this day. Default: in 90 days.")
@click.option("--limit", type=click.IntRange(1), default=200, show_default=True, help="At most so many.")
@_json
@click.pass_obj
@asynchronous
async def list_(
    config: Path | None,
    statuses: tuple[str, ...],
    first: datetime | None,
    last: datetime | None,
    limit: int,
    as_json: bool,
) -> None:
    """List renewals by the day they fall due. Amounts are a year's, each in its own currency.

    They are brought up to date by every scoring.
    """
    today = utc_now().date()
    begin, end = first.date() if first else today - AHEAD, last.date() if last else today + AHEAD
    async with opened(config) as store, store.reading() as connection:
        rows = await find_due(connection, book=None, first=begin, last=end, statuses=statuses, most=limit)
    if as_json:
        click.echo(json.dumps([_plain(row) for row in rows], indent=2, default=str))
        return
    if not rows:
        show.say(f"Nothing falls due from {begin} to {end}.")
        return
    columns = ("due", "customer", "amount", "", "status", "final", "expected", "by", "why", "id")
    show.table(None, columns, [_row(row) for row in rows])
    if len(rows) == limit:
        show.say(f"There may be more than {limit}: say --limit, or other days.")


def _plain(row: Any) -> dict[str, Any]:
    return {name: row._mapping[name] for name in COLUMNS} | {"customer": row.name, "csm_email": row.csm_email}


def _row(row: Any) -> Sequence[object]:
    return (
        row.due_on,
        row.name,
        f"{row.target:,.0f}",
        row.currency,
        row.status + (" by itself" if row.auto and row.status in ("upcoming", "due") else ""),
        "" if row.final is None else f"{row.final:,.0f}",
        f"{row.expected:,.0f}",
        f"{100 * row.probability:.0f} % {row.probability_by}",
        row.reason + (f" ({row.stated_by})" if row.stated_by else ""),
        row.id,
    )


@renewals.command("forecast")
@click.option("--period", metavar="2026-12|2026-Q4", help="A month or a quarter. Default: this quarter.")
@_json
@click.pass_obj
@asynchronous
async def forecast_(config: Path | None, period: str | None, as_json: bool) -> None:
    """Show what the renewals of a month or a quarter come to, with both bases of retention.

    renewals_due divides by what falls due; cohort by the ARR of who pays before the period. Same initials, another number.
    """
    now = utc_now()
    asked = period or f"{now.year}-Q{(Month.of(now.date()).month + 2) // 3}"
    async with opened(config) as store:
        found = await forecast(store, asked, now=now)
    if as_json:
        click.echo(json.dumps([_forecast_plain(each) for each in found], indent=2, default=str))
        return
    if not found:
        show.say(f"Nothing falls due in {asked}, and nobody pays.")
    for each in found:
        _show_forecast(each)


def _forecast_plain(each: Forecast) -> dict[str, Any]:
    plain = {name: value for name, value in asdict(each).items() if name not in ("period", "figures")}
    figures = [{**asdict(figure), "formula": figure.formula} for figure in each.figures]
    return {"from": each.period.first, "to": each.period.last, **plain, "figures": figures}


def _show_forecast(each: Forecast) -> None:
    rows = [
        (f"due ({each.count} renewals, {each.decided} decided)", each.target),
        ("renewed", each.renewed),
        ("  of it beyond what was due", each.upsell),
        ("  and below it", -each.downsell),
        ("lost", -each.lost),
        ("still open", each.still_open),
        ("  of it overdue", each.overdue),
        ("  of it renewing by itself", each.by_itself),
        ("expected, without growth", each.expected),
        ("committed", each.committed),
        ("best case", each.best_case),
    ]
    show.table(
        f"Renewals of {each.period} as of {each.as_of}, {each.currency} a year",
        ("", "amount"),
        [(name, f"{round(amount) or 0:,}") for name, amount in rows],
    )
    show.say("")
    shown = [
        (figure.metric, figure.basis, figure.scenario, "-" if figure.value is None else f"{100 * figure.value:.2f} %")
        for figure in each.figures
    ]
    show.table(None, ("metric", "basis", "scenario", "value"), shown)
    by = ", ".join(f"{count} {source}" for source, count in each.sources.items())
    if by:
        show.say(f"Probabilities of open ones: {by}.")
    for figure in {(each.metric, each.basis): each for each in each.figures}.values():
        show.say(f"{figure.metric}, {figure.basis}: {figure.formula}{f' ({figure.reason})' if figure.reason else ''}")
    show.say("")


@renewals.command("update")
@click.argument("renewal")
@click.option("--renewed", "status", flag_value="renewed", help="It is renewed.")
@click.option("--churned", "status", flag_value="churned", help="It is lost.")
@click.option("--by-records", "status", flag_value="", help="Take back what was said: the records count again.")
@click.option("--amount", type=float, help="A year's, of what is renewed. Default: what was due.")
@click.option("--reason", default="", help="Why; needed, unless it is taken back.")
@click.option("--by", default="command line", show_default=True, help="Who says so, for the record.")
@click.pass_obj
@asynchronous
async def update(
    config: Path | None, renewal: str, status: str | None, amount: float | None, reason: str, by: str
) -> None:
    """Say what became of RENEWAL, an id of `cshub renewals list`. It outweighs the records and never overwrites them.

    Playbooks that wait for it go on at once, through a running `cshub serve` or `cshub worker`.
    """
    if status is None:
        raise click.UsageError("say --renewed, --churned or --by-records")
    now = utc_now()
    async with Hub.open(load(config), clock=utc_now, work=False) as hub, hub.working():

        async def run() -> Any:
            row = await update_renewal(
                hub.store,
                hub.settings.lifecycle.renewal,
                renewal,
                status=status or None,
                amount=amount,
                reason=reason,
                by=by,
                now=now,
            )
            await hub.playbooks.fire_changes(now=now)
            return row

        request = {"renewal": renewal, "status": status or None, "amount": amount, "reason": reason}
        row = await audited(hub.store, "renewalUpdate", by=by, subject=renewal, request=request, now=now, run=run)
    final = "" if row["final"] is None else f", {row['final']:,.0f} {row['currency']} a year"
    show.say(f"{renewal} is {row['status']}{final}: {row['reason']} (by the records: {row['computed_status']})")
