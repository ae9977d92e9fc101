"""`cshub survey`: who is asked how likely they would recommend us, and what they answered."""

import json
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from hub.cli import show
from hub.cli.app import asynchronous, main, opened
from hub.clock import utc_now
from hub.compose import Hub
from hub.compose.advocacy import SurveyDesk
from hub.compose.auditing import audited
from hub.lifecycle.advocacy import Invited
from hub.settings import load
from hub.store import Store
from hub.store.advocacy import count_results, find_results
from hub.store.customers import find_names, get_customer

_json = click.option("--json", "as_json", is_flag=True, help="As JSON.")
_force = click.option(
    "--force", is_flag=True, help="Even in their first days, in an onboarding, or with an urgent ticket open."
)


@main.group()
def survey() -> None:
    """Ask contacts how likely they would recommend us, see who is due, and what they answered.

    Every customer is asked once a quarter by itself, on a day of its own: lifecycle.yaml, `advocacy: survey:`, says whom of it,
    and when not. Answers of other survey tools count as well: whoever answered one lately is not asked by us.
    """


@survey.command("due")
@_json
@click.pass_obj
@asynchronous
async def survey_due(config: Path | None, as_json: bool) -> None:
    """Show whom the schedule would ask now, and who is left out and why. Nothing is written or sent."""
    async with Hub.open(load(config), clock=utc_now, work=False) as hub:
        desk = SurveyDesk(hub)
        invited = await desk.send(dry_run=True, wake=False)
        await _tell(hub.store, invited, as_json=as_json, dry_run=True)
        if (missing := desk.missing()) is not None and not as_json:
            show.complain(f"as things are set up nobody is asked: {missing}")


@survey.command("send")
@click.argument("customers", nargs=-1)
@click.option("--dry-run", is_flag=True, help="Show who would be asked; nothing is written or sent.")
@_force
@click.option("--by", default="command line", show_default=True, help="Who says so, for the record.")
@_json
@click.pass_obj
@asynchronous
async def survey_send(
    config: Path | None, customers: tuple[str, ...], dry_run: bool, force: bool, by: str, as_json: bool
) -> None:
    """Ask the contacts of CUSTOMERS (ids, domains or whole names) now, or whoever is due where none is named.

    A contact that was asked or answered lately is not asked again, by whichever tool and whatever is said here. Mails go out
    through a running `cshub serve` or `cshub worker`, within the hours for mail to customers.
    """
    if force and not customers:
        raise click.UsageError("--force is for customers that are named")
    async with Hub.open(load(config), clock=utc_now, work=False) as hub:
        async with hub.store.reading() as connection:
            ids = [(await get_customer(connection, each)).id for each in customers]
        desk = SurveyDesk(hub)

        async def run() -> Invited:
            return await desk.send(by=by, customer_ids=ids or None, force=force, dry_run=dry_run, wake=False)

        if dry_run:
            invited = await run()
        else:
            request = {"customers": ids, "force": force}
            subject = ids[0] if len(ids) == 1 else f"{len(ids)} customers" if ids else "whoever is due"
            invited = await audited(
                hub.store, "surveyInvitationSend", by=by, subject=subject, request=request, now=utc_now(), run=run
            )
        await _tell(hub.store, invited, as_json=as_json, dry_run=dry_run)


@survey.command("results")
@click.option("--days", type=click.IntRange(1, 3650), default=92, show_default=True, help="Of questions asked since.")
@click.option("--customer", help="Only of this customer: an id, a domain or a whole name.")
@click.option("--limit", type=click.IntRange(1), default=200, show_default=True, help="At most so many.")
@_json
@click.pass_obj
@asynchronous
async def survey_results(config: Path | None, days: int, customer: str | None, limit: int, as_json: bool) -> None:
    """Show what the hub's own survey brought: who was asked, and who answered what. `cshub metrics` shows NPS of all tools."""
    since = utc_now() - timedelta(days=days)
    async with opened(config) as store, store.reading() as connection:
        ids = None if customer is None else [(await get_customer(connection, customer)).id]
        rows = await find_results(connection, since=since, customer_ids=ids, most=limit)
        asked, promoters, passives, detractors = await count_results(connection, since=since, customer_ids=ids)
    answered = promoters + passives + detractors
    nps = None if not answered else round(100 * (promoters - detractors) / answered)
    if as_json:
        counts = {"asked": asked, "promoters": promoters, "passives": passives, "detractors": detractors, "nps": nps}
        click.echo(json.dumps({**counts, "invitations": [_plain(row) for row in rows]}, indent=2, default=str))
        return
    if not rows:
        show.say(f"Nobody was asked within {days} days.")
        return
    columns = ("customer", "contact", "asked (UTC)", "mail", "score", "comment")
    shown = [
        (
            row.customer,
            row.address,
            _at(row.asked_at),
            row.delivery,
            "" if row.score is None else row.score,
            row.comment or "",
        )
        for row in rows
    ]
    show.table(None, columns, shown)
    share = f", {100 * answered / asked:.0f} %" if asked else ""
    show.say(
        f"{answered} of {asked} answered{share}: {promoters} promoters, {passives} passives, {detractors} detractors."
    )
    if nps is not None:
        show.say(f"NPS of these answers: {nps:+d}")


async def _tell(store: Store, invited: Invited, *, as_json: bool, dry_run: bool) -> None:
    word = "would be asked" if dry_run else "asked"
    if as_json:
        people = [{"customer": each.customer_id, "address": each.address} for each in invited.invitations]
        left = [asdict(each) for each in invited.left_out]
        click.echo(json.dumps({word.replace(" ", "_"): people, "left_out": left}, indent=2))
        return
    async with store.reading() as connection:
        ids = {each.customer_id for each in invited.invitations} | {each.customer_id for each in invited.left_out}
        names = await find_names(connection, ids)
    if invited.invitations:
        asked = [(names[each.customer_id], each.address) for each in invited.invitations]
        show.table(word, ("customer", "contact"), asked)
    if invited.left_out:
        rows = [(names[each.customer_id], each.address or "all of it", each.reason) for each in invited.left_out]
        show.table("left out", ("customer", "contact", "why"), rows)
    if not invited.invitations:
        show.say("Nobody would be asked." if dry_run else "Nobody was asked.")


def _plain(row: Any) -> dict[str, Any]:
    names = (
        "id",
        "customer_id",
        "customer",
        "address",
        "asked_at",
        "asked_by",
        "delivery",
        "answered_at",
        "score",
        "comment",
    )
    return {name: row._mapping[name] for name in names}


def _at(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}"
