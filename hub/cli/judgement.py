"""`cshub override`, `cshub sentiment` and `cshub judgement`: what CSMs know beside the data, and what it was worth."""

from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path

import click

from hub.cli import show
from hub.cli.app import asynchronous, main, opened
from hub.clock import utc_now
from hub.compose import Hub
from hub.judgement import Judged, read_sentiment
from hub.model.actions import Band
from hub.settings import load
from hub.store.customers import find_names, get_customer
from hub.store.judgement import Kind, Statement, find_in_force, find_statements, get_statements
from hub.store.scorecards import find_newest
from scoring.judgement import Verdict

DAY = click.DateTime(formats=["%Y-%m-%d"])
KINDS: Mapping[Kind, str] = {"override": "Overrides", "sentiment": "Sentiment"}
_by = click.option("--by", default="command line", show_default=True, help="Who says so, for the record.")
_reason = click.option("--reason", help="What you know that the data does not show. Needed.")
_list = click.option(
    "--list", "listing", is_flag=True, help="List all that are in force, or with CUSTOMER all there ever were of it."
)
_withdraw = click.option("--withdraw", is_flag=True, help="End what is in force, instead of stating something.")


@main.command()
@click.argument("customer", required=False)
@click.option(
    "--score",
    type=click.FloatRange(0, 1),
    metavar="0-1",
    help="The score to put in force, 0.35 for 35 of 100; the band follows.",
)
@click.option("--band", type=click.Choice([band.value for band in Band]), help="Or a band: the middle of it.")
@_reason
@click.option("--until", type=DAY, metavar="DAY", help="Last day in force, at most 180 days off. Default: 30 days.")
@_withdraw
@_list
@_by
@click.pass_obj
@asynchronous
async def override(
    config: Path | None,
    customer: str | None,
    score: float | None,
    band: str | None,
    reason: str | None,
    until: datetime | None,
    withdraw: bool,
    listing: bool,
    by: str,
) -> None:
    """Put your own score in the place of CUSTOMER's computed health, for a while and with a reason.

    CUSTOMER is an id, a domain or a whole name. Lists, filters and playbooks go by your score until it expires; the
    computed one is kept beside it and comes back by itself. What overrides were worth: cshub judgement.

    \b
    cshub override acme.example --score 0.35 --reason "new CIO, wants to consolidate vendors"
    cshub override acme.example --band healthy --reason "migration month, use is low on purpose" --until 2026-12-31
    cshub override acme.example --withdraw
    cshub override --list
    """
    if listing:
        _nothing_else(score, band, reason, until, withdraw or None)
        await _list_stated(config, "override", customer)
        return
    customer = _needed(customer)
    if withdraw:
        _none_with_withdraw(score, band, reason, until)
    elif (score is None) == (band is None):
        raise click.UsageError("say either --score 0-1 or --band, or --withdraw")
    async with Hub.open(load(config), clock=utc_now, work=False) as hub:
        if withdraw:
            customer_id = await hub.withdraw("override", customer, by=by)
        else:
            stated = Band(band) if band is not None else score
            assert stated is not None, "one of the two was said"
            made = await hub.override(customer, stated, by=by, reason=reason or "", until=_day(until))
            customer_id = made.customer_id
        await _show_health(hub, customer_id)


@main.command()
@click.argument("customer", required=False)
@click.argument("value", required=False, metavar="[red|yellow|green|1-5]")
@_reason
@click.option("--until", type=DAY, metavar="DAY", help="Last day it holds, at most 365 days off. Default: 90 days.")
@_withdraw
@_list
@_by
@click.pass_obj
@asynchronous
async def sentiment(
    config: Path | None,
    customer: str | None,
    value: str | None,
    reason: str | None,
    until: datetime | None,
    withdraw: bool,
    listing: bool,
    by: str,
) -> None:
    """State how CUSTOMER feels to you: red, yellow, green, or 1 (worst) to 5 (best).

    It is a series of its own and no part of health, unless a definition gives the measure sentiment weight.

    \b
    cshub sentiment acme.example green --reason "champion renewed her own contract, praised support"
    cshub sentiment acme.example 2 --reason "no answer to three mails"
    cshub sentiment acme.example --withdraw
    cshub sentiment acme.example --list
    """
    if listing:
        _nothing_else(value, reason, until, withdraw or None)
        await _list_stated(config, "sentiment", customer)
        return
    customer = _needed(customer)
    if withdraw:
        _none_with_withdraw(value, reason, until)
    elif value is None:
        raise click.UsageError("say red, yellow, green, or 1 to 5; or --withdraw")
    async with Hub.open(load(config), clock=utc_now, work=False) as hub:
        if withdraw:
            customer_id = await hub.withdraw("sentiment", customer, by=by)
            show.say(f"The sentiment of {customer_id} is withdrawn")
        else:
            made = await hub.feel(customer, read_sentiment(value or ""), by=by, reason=reason or "", until=_day(until))
            show.say(_stated("Sentiment", made))


@main.command()
@click.option(
    "--since", type=DAY, metavar="DAY", help="Only what was stated from this day on. Default: three years ago."
)
@click.pass_obj
@asynchronous
async def judgement(config: Path | None, since: datetime | None) -> None:
    """Show what overrides and sentiment were worth, by who left and beside the computed scores.

    A judgement counts once its horizon (the first in config/churn.yaml) is over. Brier is the distance to what happened,
    lower is better; AUC is how often one who left was scored below one who stayed, 0.5 is chance. Intervals are 90 %.
    """
    async with Hub.open(load(config), clock=utc_now, work=False) as hub:
        judged = await hub.judge(since=_day(since))
    for each in judged:
        _show_judged(each)


def _none_with_withdraw(*given: object) -> None:
    if any(each is not None for each in given):
        raise click.UsageError("--withdraw ends what is in force and takes nothing but --by")


def _nothing_else(*given: object) -> None:
    if any(each is not None for each in given):
        raise click.UsageError("--list lists, and takes nothing but CUSTOMER")


def _needed(customer: str | None) -> str:
    if customer is None:
        raise click.UsageError("Missing argument 'CUSTOMER'.")
    return customer


async def _list_stated(config: Path | None, kind: Kind, customer: str | None) -> None:
    """What is in force of everybody, or was ever stated of one."""
    today = utc_now().date()
    async with opened(config) as store, store.reading() as connection:
        if customer is None:
            found = await find_in_force(connection, kind, as_of=today)
        else:
            found = await find_statements(connection, kind, (await get_customer(connection, customer)).id)
        names = await find_names(connection, [each.customer_id for each in found])
    rows = [
        (
            f"{names.get(each.customer_id, '')} ({each.customer_id})",
            f"{each.value * 100:.1f}",
            f"{each.set_at:%Y-%m-%d}",
            _standing(each, today),
            each.by,
            each.reason,
        )
        for each in found
    ]
    if rows:
        show.table(None, ("customer", "of 100", "stated", "state", "by", "reason"), rows)
    else:
        show.say(f"no {kind} is in force" if customer is None else f"no {kind} was ever stated of it")


def _standing(made: Statement, today: date) -> str:
    if made.withdrawn_at is not None:
        return f"ended on {made.withdrawn_at:%Y-%m-%d} by {made.withdrawn_by}"
    return f"in force until {made.expires_on}" if made.expires_on >= today else f"expired after {made.expires_on}"


def _day(given: datetime | None) -> date | None:
    return None if given is None else given.date()


def _stated(what: str, made: Statement) -> str:
    return f"{what} of {made.customer_id}: {made.value * 100:.1f} of 100 until {made.expires_on}, by {made.by}: {made.reason}"


async def _show_health(hub: Hub, customer_id: str) -> None:
    async with hub.store.reading() as connection:
        card = await find_newest(connection, customer_id)
        ids = [card.override_id] if card and card.override_id else []
        stated = await get_statements(connection, "override", ids)
    if card is None:
        show.say(f"{customer_id} has no scorecard; the override counts as soon as it has one")
        return
    if card.as_of < hub.clock().date():
        show.say(
            f"{customer_id} is no customer today, so nothing is scored; an override counts if it comes back in time"
        )
    for made in stated.values():
        show.say(_stated("Override", made))
    computed = "none" if card.computed_health is None else f"{card.computed_health * 100:.1f} ({card.computed_band})"
    health = "no score" if card.health is None else f"{card.health * 100:.1f} of 100, {card.band}"
    show.say(f"{customer_id} on {card.as_of}: {health}; computed: {computed}")


def _show_judged(judged: Judged) -> None:
    show.say(f"{KINDS[judged.kind]} since {judged.since}, by who left within {judged.horizon_days} days")
    rows = [_row("all", judged.overall), *(_row(name, verdict) for name, verdict in judged.by_csm.items())]
    columns = ("by", "stated", "matured", "left", "raised", "of them left", "lowered", "of them left")
    show.table(None, columns, rows)
    show.say(judged.overall.sentence + ".")
    measured = judged.overall.measured
    if measured is not None:
        show.say(f"  Brier {measured.brier}, of the computed scores {measured.computed_brier}")
        show.say(f"  AUC   {measured.auc}, of the computed scores {measured.computed_auc}")
    for name, verdict in judged.by_csm.items():
        show.say(f"{name}: {verdict.sentence}.")
    if judged.left_out:
        show.say(f"{judged.left_out} left out: of customers who did not pay then, or had given notice.")
    show.say("")


def _row(name: str, verdict: Verdict) -> tuple[object, ...]:
    return (
        name,
        verdict.stated,
        verdict.matured,
        verdict.churned,
        verdict.raised,
        verdict.raised_churned,
        verdict.lowered,
        verdict.lowered_churned,
    )
