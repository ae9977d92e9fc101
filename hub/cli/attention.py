"""`cshub attention`: what is before people, what is kept from them and why, snoozes, votes, and how precise playbooks are."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from hub.attention.voting import Precision, Share
from hub.cli import show
from hub.cli.app import asynchronous, main
from hub.clock import utc_now
from hub.compose import Hub
from hub.errors import NotFoundError
from hub.playbooks.durations import parse_duration, show_duration
from hub.settings import load
from hub.store.customers import get_customer
from schema.errors import BadInputError
from schema.nodes import parse_id

LONGEST_CELL = 60
_by = click.option("--by", default="command line", show_default=True, help="Who says so, for the record.")
_of = click.option("--of", "owner", metavar="ADDRESS", help="Only of the CSM with this address.")
_limit = click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True)


@main.group()
def attention() -> None:
    """See what is before people and what was kept from them; snooze, rate, and see how precise playbooks are."""


@attention.command("show")
@click.option(
    "--days", type=click.IntRange(1, 730), default=90, show_default=True, help="Votes and outcomes of so many."
)
@click.pass_obj
@asynchronous
async def attention_show(config: Path | None, days: int) -> None:
    """Show the budget's rules, and how much of what each playbook says is of use."""
    async with _opened(config) as hub:
        found = await hub.attending.precision(days=days)
        rules = hub.attending.attention.rules
    hours = "in the CSM's working hours" if rules.hours else "at any hour"
    most = "as many as there are" if rules.most_a_day is None else f"at most {rules.most_a_day} a day"
    digests = ", ".join(f"{each:%H:%M}" for each in rules.digest_at)
    always = ", ".join(sorted(each.value for each in rules.into_digest)) or "none"
    show.say(f"messages to CSMs  {hours}, {most}; the others in the digest")
    show.say(f"digests           {digests}, where the CSM is; severities that only come there: {always}")
    show.say(f"same reason       within {show_duration(rules.together)} one message of several playbooks")
    show.say("urgent            never held")
    show.table(
        f"Of use, by what was said and closed in {days} days",
        ("playbook", "votes", "useful", "interval", "closed", "real", "interval"),
        [_precision(each) for each in found],
    )


@attention.command("inbox")
@_of
@_limit
@click.pass_obj
@asynchronous
async def attention_inbox(config: Path | None, owner: str | None, limit: int) -> None:
    """List open alerts and tasks: urgent ones first, then by churn risk times a year's revenue."""
    async with _opened(config) as hub:
        found = await hub.attending.inbox(owner, limit=limit)
    show.table(
        None,
        ("id", "severity", "customer", "what", "reason", "due", "churn risk", "a year", "at stake", "whose"),
        [
            (
                each.call.id,
                each.call.severity,
                each.call.customer_name or each.call.customer_id,
                _short(each.call.title),
                each.call.reason_key or "",
                f"{each.call.due_on}" if each.call.due_on else "",
                "" if each.call.churn_risk is None else f"{each.call.churn_risk:.0%}",
                "" if each.call.arr is None else f"{each.call.arr:,.0f}",
                f"{each.stake:,.0f}",
                each.call.owner_email or "nobody",
            )
            for each in found
        ],
    )
    if not found:
        show.say("nothing is open")


@attention.command("held")
@_of
@_limit
@click.pass_obj
@asynchronous
async def attention_held(config: Path | None, owner: str | None, limit: int) -> None:
    """List what people did not get by itself, and why: held, told in a digest, said already, snoozed. Newest first."""
    async with _opened(config) as hub:
        found = await hub.attending.withheld(owner, limit=limit)
    show.table(
        None,
        ("id", "what", "held", "customer", "about", "severity", "playbook", "reserved (UTC)", "why"),
        [
            (
                each.id,
                each.what,
                each.held,
                each.customer_name or each.customer_id,
                _short(each.title or ""),
                each.severity or "",
                each.playbook or "",
                f"{each.at:%Y-%m-%d %H:%M}",
                each.detail or "",
            )
            for each in found
        ],
    )
    if not found:
        show.say("nothing was held")


@attention.command("snooze")
@click.argument("customer", required=False)
@click.argument("reason", required=False)
@click.option("--until", type=click.DateTime(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M"]), help="A day, or a time in UTC.")
@click.option("--for", "pause", metavar="DURATION", help='Or how long, such as "2 weeks".')
@click.option("--note", help="Why, for those who look.")
@_by
@click.pass_obj
@asynchronous
async def attention_snooze(
    config: Path | None,
    customer: str | None,
    reason: str | None,
    until: datetime | None,
    pause: str | None,
    note: str | None,
    by: str,
) -> None:
    """Let nothing new come up about CUSTOMER for REASON, whichever playbook it comes from; urgent things come through.

    CUSTOMER is an id, a domain or a whole name. REASON is as playbooks say it (health, churn, …; without `reason:` a
    playbook's name), or * for any. Without both, list what is in force.

    \b
    cshub attention snooze acme.example churn --for "2 weeks" --note "renewal is being negotiated"
    cshub attention unsnooze ID
    """
    if customer is None:
        await _list_snoozes(config)
        return
    if reason is None or (until is None) is (pause is None):
        raise click.UsageError("say for which REASON, and either --until or --for")
    async with _opened(config) as hub:
        end = until.replace(tzinfo=UTC) if until is not None else hub.clock() + _duration(pause or "")
        async with hub.store.reading() as connection:
            found = await get_customer(connection, customer)
        made = await hub.attending.audited(
            "customerSnooze",
            by=by,
            subject=found.id,
            request={"customer": found.id, "reason": reason, "until": end.isoformat(), "note": note},
            run=lambda: hub.attending.snooze(found.id, reason=reason, until=end, by=by, note=note),
        )
    show.say(f"{made.id}: nothing new about {made.customer_name or made.customer_id} for {reason} until {_at(end)} UTC")


@attention.command("unsnooze")
@click.argument("id_", metavar="ID")
@_by
@click.pass_obj
@asynchronous
async def attention_unsnooze(config: Path | None, id_: str, by: str) -> None:
    """End the snooze ID before its time."""
    async with _opened(config) as hub:
        lifted = await hub.attending.audited(
            "snoozeLift",
            by=by,
            subject=id_,
            request={"snooze": id_},
            run=lambda: hub.attending.unsnooze(id_, by=by),
        )
    show.say(f"{lifted.customer_name or lifted.customer_id} comes up again for {lifted.reason_key}")


@attention.command("rate")
@click.argument("id_", metavar="ID")
@click.option("--useful/--not-useful", "useful", required=True)
@click.option("--note", help="Why.")
@_by
@click.pass_obj
@asynchronous
async def attention_rate(config: Path | None, id_: str, useful: bool, note: str | None, by: str) -> None:
    """Say whether run, alert or message ID was of use; said again by the same person, the newest counts."""
    kind, key = _rated(id_)
    async with _opened(config) as hub:
        voted = await hub.attending.audited(
            "playbookRate",
            by=by,
            subject=key,
            request={kind: key, "useful": useful, "note": note},
            run=lambda: hub.attending.vote(voter=by, useful=useful, way="cli", note=note, **{kind: key}),
        )
    show.say(f"{voted.playbook}: {'useful' if voted.useful else 'not useful'}, says {voted.voter}")


@attention.command("digest")
@_of
@click.option("--dry-run", is_flag=True, help="Show what each CSM's digest would say now, and send nothing.")
@click.pass_obj
@asynchronous
async def attention_digest(config: Path | None, owner: str | None, dry_run: bool) -> None:
    """Make the digests that are due now, as the worker does every minute; --dry-run shows those to come."""
    async with _opened(config) as hub:
        if dry_run:
            digests = await hub.attending.digests(owner)
            for each in digests:
                show.say(f"To {each.owner_email}: {each.deliveries[0]['subject']}\n")
                show.say(str(each.deliveries[0]["payload"].get("text", "")))
            if not digests:
                show.say("nothing is held for a digest")
            return
        if owner is not None:
            raise click.UsageError("--of goes with --dry-run: digests are made for everybody whose time has come")
        made = await hub.attending.make_digests()
    show.say(f"{len(made)} made; they are sent by a running `cshub serve` or `cshub worker`")


async def _list_snoozes(config: Path | None) -> None:
    async with _opened(config) as hub:
        found = await hub.attending.snoozes()
    show.table(
        None,
        ("id", "customer", "reason", "until (UTC)", "by", "note"),
        [
            (
                each.id,
                each.customer_name or each.customer_id,
                each.reason_key,
                _at(each.until),
                each.made_by,
                each.note or "",
            )
            for each in found
        ],
    )
    if not found:
        show.say("nothing is snoozed")


def _opened(config: Path | None) -> Any:
    return Hub.open(load(config), clock=utc_now, work=False)


def _precision(found: Precision) -> tuple[object, ...]:
    return (found.playbook, *_share(found.votes), *_share(found.outcomes))


def _share(share: Share) -> tuple[object, ...]:
    if not share.told or share.share is None:
        return share.of, "too few to tell" if share.of else "", ""
    return share.of, f"{share.share:.0%}", f"{share.low:.0%} to {share.high:.0%}"


def _duration(text: str) -> timedelta:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--for") from None


def _rated(given: str) -> tuple[str, str]:
    """What is rated, by an id of the hub or of the API."""
    try:
        entity, key = parse_id(given)
    except BadInputError:
        entity, key = {"run": "playbook_run", "del": "delivery"}.get(given.partition("_")[0], "alert"), given
    kinds = {"playbook_run": "run_id", "alert": "alert_id", "delivery": "delivery_id"}
    if entity not in kinds:
        raise NotFoundError(f"{given!r} is neither a run nor an alert nor a message")
    return kinds[entity], key


def _at(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_CELL else line[: LONGEST_CELL - 1] + "…"
