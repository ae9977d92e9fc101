"""`cshub expansion`: opportunities that rules found at customers, and what people say became of them."""

import json
from pathlib import Path
from typing import Any

import click

from hub.cli import show
from hub.cli.app import asynchronous, main, opened
from hub.clock import utc_now
from hub.compose import Hub
from hub.compose.auditing import audited
from hub.lifecycle.expansion import state_opportunity
from hub.lifecycle.expansion.stating import STATES
from hub.settings import load
from hub.store.expansion import COLUMNS, LIVE, find_opportunities

ALL = ("open", *STATES)
KINDS = ("plan_upgrade", "add_on", "seats")


@main.group()
def expansion() -> None:
    """See which customers have outgrown what they pay for, and say what became of it."""


@expansion.command("list")
@click.option("--state", "states", multiple=True, type=click.Choice(ALL), help="Default: open and offered.")
@click.option("--kind", "kinds", multiple=True, type=click.Choice(KINDS), help="Only these; may be repeated.")
@click.option("--limit", type=click.IntRange(1), default=200, show_default=True, help="At most so many.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
@asynchronous
async def list_(
    config: Path | None, states: tuple[str, ...], kinds: tuple[str, ...], limit: int, as_json: bool
) -> None:
    """List opportunities to expand, those that are expected to bring most first. Amounts are a year's.

    They are brought up to date by every scoring, by the rules of config/lifecycle.yaml.
    """
    async with opened(config) as store, store.reading() as connection:
        rows = await find_opportunities(connection, states=states or LIVE, kinds=kinds, most=limit)
    if as_json:
        click.echo(json.dumps([_plain(row) for row in rows], indent=2, default=str))
        return
    if not rows:
        show.say("No rule has found anything, or nothing of that kind.")
        return
    columns = ("customer", "what", "state", "expected", "value", "odds", "evidence", "found", "against it", "id")
    shown = [
        (
            row.name,
            row.title,
            row.state,
            f"{row.expected:,.0f}",
            f"{row.value:,.0f}",
            f"{100 * row.probability:.0f} %",
            ", ".join(f"{name} {_short(value)}" for name, value in row.evidence.items()),
            row.found_on,
            row.blocked or row.reason or "",
            row.id,
        )
        for row in rows
    ]
    show.table(None, columns, shown)
    if len(rows) == limit:
        show.say(f"There may be more than {limit}: say --limit.")


def _plain(row: Any) -> dict[str, Any]:
    return {name: row._mapping[name] for name in COLUMNS} | {"customer": row.name, "csm_email": row.csm_email}


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


@expansion.command("update")
@click.argument("opportunity")
@click.argument("state", type=click.Choice(STATES))
@click.option("--amount", type=float, help="A year's, of what is won. Default: what was forecast.")
@click.option("--reason", help="Why; needed for lost and withdrawn.")
@click.option("--by", default="command line", show_default=True, help="Who says so, for the record.")
@click.pass_obj
@asynchronous
async def update(
    config: Path | None, opportunity: str, state: str, amount: float | None, reason: str | None, by: str
) -> None:
    """Say what became of OPPORTUNITY, an id of `cshub expansion list`.

    Playbooks that wait for it go on at once, through a running `cshub serve` or `cshub worker`.
    """
    now = utc_now()
    async with Hub.open(load(config), clock=utc_now, work=False) as hub, hub.working():

        async def run() -> Any:
            row = await state_opportunity(
                hub.store, opportunity, state=state, amount=amount, reason=reason, by=by, now=now
            )
            await hub.playbooks.fire_changes(now=now)
            return row

        request = {"opportunity": opportunity, "state": state, "amount": amount, "reason": reason}
        row = await audited(
            hub.store, "expansionOpportunityUpdate", by=by, subject=opportunity, request=request, now=now, run=run
        )
    won = "" if row["won_amount"] is None else f" at {row['won_amount']:,.0f} a year"
    show.say(f"{row['title']} for {row['customer_id']} is {row['state']}{won}")
