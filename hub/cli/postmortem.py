"""`cshub postmortem`: what was to be seen of customers before they left, and whether anyone acted."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from hub.cli import show
from hub.cli.app import asynchronous, main, opened
from hub.clock import utc_now
from hub.errors import NotFoundError, RefusedError
from hub.postmortem import PostMortems, post_mortems
from hub.settings import load
from hub.store.customers import find_customers_called
from scoring.postmortem import Card, PostMortem, Summary
from scoring.signs import Sign

DAY = click.DateTime(formats=["%Y-%m-%d"])
SHOWN = 50


@main.command()
@click.argument("customer", required=False)
@click.option("--since", type=DAY, metavar="DAY", help="Only who left on this day or later.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
@asynchronous
async def postmortem(config: Path | None, customer: str | None, since: datetime | None, as_json: bool) -> None:
    """Look back at customers who left: CUSTOMER (an id, a domain or a whole name), or all of them.

    Of each: the scorecards 90, 60 and 30 days before, the first sign of the year before with its lead, and whether anyone
    acted on it. It says what had been noted, not why they left.
    """
    settings, now = load(config), utc_now()
    async with opened(config) as store:
        ids: list[str] | None = None
        if customer is not None:
            async with store.reading() as connection:
                ids = [_the_only(customer, await find_customers_called(connection, customer))]
        report = await post_mortems(
            store,
            grace_days=settings.churn.grace_days,
            now=now,
            since=None if since is None else since.date(),
            customer_ids=ids,
        )
    if as_json:
        click.echo(json.dumps(_plain(report), indent=2, default=str))
    elif customer is not None:
        for one in report.found:
            _show_one(one)
        if not report.found:
            show.say(f"{customer} has not left, or not for certain: that takes {settings.churn.grace_days} days")
    elif report.found:
        _show_all(report)
    else:
        when = f" since {since.date()}" if since else ""
        show.say(f"nobody has left{when}, or not for certain: that takes {settings.churn.grace_days} days")


def _the_only(called: str, found: Sequence[Any]) -> str:
    if not found:
        raise NotFoundError(f"no customer is called {called!r}, by id, domain or whole name")
    if len(found) > 1:
        raise RefusedError(f"several customers are called {called!r}: {', '.join(each.id for each in found)}")
    return str(found[0].id)


def _show_one(one: PostMortem) -> None:
    show.say(one.summary)
    told = [f"{one.kind} churn of {one.churned_on}"]
    told += [f"notice on {one.noticed_on}"] if one.noticed_on else []
    told += [f"last used on {one.last_used_on}"] if one.last_used_on else []
    show.say("; ".join(told))
    rows = [(f"{each.days_before} days before", *_card(each.card)) for each in one.milestones]
    rows.append(("the last", *_card(one.last)))
    show.table(None, ("", "scorecard of", "in force", "computed", "coverage", "churn risk"), rows)
    for signal in one.signals:
        show.say(f"sign    {signal.on}  {signal.lead_days} days before: {signal.words}")
    for action in one.actions:
        who = f" by {action.by}" if action.by else ""
        what = f" ({action.what})" if action.what else ""
        show.say(f"action  {action.on}  {action.words}{who}{what}")
    show.say("")


def _card(card: Card | None) -> tuple[str, ...]:
    if card is None:
        return ("none yet", "", "", "", "")
    risk = "" if card.churn_risk is None else f"{card.churn_risk:.1%} {card.churn_band}"
    return (
        str(card.as_of),
        _score(card.health, card.band),
        _score(card.computed_health, card.computed_band),
        f"{card.coverage:.0%}",
        risk,
    )


def _score(health: float | None, band: str | None) -> str:
    return "no score" if health is None else f"{health * 100:.0f} {band}"


def _show_all(report: PostMortems) -> None:
    show.table(
        None,
        ("left", "customer", "segment", "CSM", "first sign", "lead", "acted", "green at the end"),
        [
            (
                one.churned_on,
                one.customer_name,
                one.segment or "",
                one.csm_email or "",
                one.first_signal.words if one.first_signal else "none",
                one.first_signal.lead_days if one.first_signal else "",
                one.actions[0].words if one.actions else "nobody",
                {True: "yes", False: "no", None: "unknown"}[one.green],
            )
            for one in report.found[:SHOWN]
        ],
    )
    if len(report.found) > SHOWN:
        show.say(f"… and {len(report.found) - SHOWN} more: --since, or --json")
    show.say("")
    groups = [("everybody", report.everybody)]
    groups += [(f"segment {each.group}", each) for each in report.by_segment]
    groups += [(f"CSM {each.group}", each) for each in report.by_csm]
    show.table(
        None,
        ("", "left", "green at the end", "with a sign", "median lead", "acted on", "by a person"),
        [_group(name, each) for name, each in groups],
    )
    show.table(
        "What the signs tell",
        ("", "of who left", "of who stayed", "times as often", "95 %", ""),
        [_sign(each) for each in report.signs],
    )
    stayed = report.signs[0].stayed if report.signs else 0
    show.say(
        f"A sign within a year: of {len(report.found)} who left, before they gave notice, and of {stayed} who stayed, "
        "before days on which others left."
    )


def _sign(of: Sign) -> tuple[object, ...]:
    if of.ratio is None or of.low is None or of.high is None:
        return (of.words, _share(of.share_left), _share(of.share_stayed), "-", "", "")
    told = "tells" if of.tells else "no difference beyond chance"
    times = f"{of.low:.1f} to {of.high:.1f}"
    return (of.words, _share(of.share_left), _share(of.share_stayed), f"{of.ratio:.1f}", times, told)


def _group(name: str, of: Summary) -> tuple[object, ...]:
    lead = "-" if of.median_lead_days is None else f"{of.median_lead_days:.0f} days"
    by_person = "-" if not of.with_signal else f"{of.acted_by_person / of.with_signal:.0%}"
    return (
        name,
        of.churned,
        _share(of.share_green),
        _share(of.share_with_signal),
        lead,
        _share(of.share_acted),
        by_person,
    )


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.0%}"


def _plain(report: PostMortems) -> dict[str, Any]:
    return {
        "since": report.since,
        "everybody": _summary(report.everybody),
        "by_segment": [_summary(each) for each in report.by_segment],
        "by_csm": [_summary(each) for each in report.by_csm],
        "signs": [
            {
                **asdict(each),
                "share_left": each.share_left,
                "share_stayed": each.share_stayed,
                "ratio": each.ratio,
                "low": each.low,
                "high": each.high,
                "tells": each.tells,
            }
            for each in report.signs
        ],
        "customers": [
            {
                **asdict(one),
                "green_at_churn": one.green,
                "first_signal": None if one.first_signal is None else asdict(one.first_signal),
                "acted": one.acted,
                "acted_by_person": one.acted_by_person,
                "summary": one.summary,
            }
            for one in report.found
        ],
    }


def _summary(of: Summary) -> dict[str, Any]:
    return {
        **asdict(of),
        "share_green": of.share_green,
        "share_with_signal": of.share_with_signal,
        "share_acted": of.share_acted,
    }
