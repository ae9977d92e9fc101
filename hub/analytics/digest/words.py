"""A digest as its templates read it: every number said as people read it, health as 0 to 100."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from hub.analytics.digest.parts import BANDS, NO_SCORE, Digest, Move, Played, Reason
from hub.analytics.forecast import Forecast
from hub.analytics.targets import Standing

REASONS = 3
"""So many reasons of a move are told, and the others as one sum."""


def words(digest: Digest, *, hub_url: str, name: str, company: str) -> dict[str, Any]:
    """The context of templates digest_…; `name`: who reads it."""
    link = hub_url.rstrip("/")

    def at(customer_id: str) -> str:
        return f"{link}/customers/{customer_id}"

    portfolio = digest.portfolio
    return {
        "name": name,
        "company": company,
        "link": link,
        "own": digest.owner is not None,
        "begin": day(digest.begin),
        "today": day(digest.today),
        "quiet": not digest.moved,
        "headline": headline(digest),
        "portfolio": {
            "customers": portfolio.customers,
            "was": portfolio.was,
            "came": portfolio.came,
            "left": portfolio.left,
            "arr": [
                {
                    "currency": currency,
                    "now": portfolio.arr.get(currency, 0.0),
                    "was": portfolio.arr_then.get(currency, 0.0),
                }
                for currency in sorted({*portfolio.arr, *portfolio.arr_then})
            ],
            "bands": [
                {"name": band, "now": portfolio.bands.get(band, 0), "was": portfolio.bands_then.get(band, 0)}
                for band in (*BANDS, NO_SCORE)
                if portfolio.bands.get(band) or portfolio.bands_then.get(band)
            ],
            "health": _score(portfolio.health),
            "health_was": _score(portfolio.health_then),
            "coverage": portfolio.coverage,
            "unscored": portfolio.customers - sum(portfolio.bands.get(band, 0) for band in BANDS),
        },
        "falls": [_move(move, at(move.customer_id)) for move in digest.falls],
        "rises": [_move(move, at(move.customer_id)) for move in digest.rises],
        "at_risk": [
            {"customer": each.name, "link": at(each.customer_id), "band": each.band, "was": each.was}
            for each in digest.at_risk
        ],
        "more_at_risk": digest.more_at_risk,
        "renewals": [_forecast(days, each) for days, found in digest.forecasts.items() for each in found],
        "due": [
            {
                "customer": each.name,
                "link": at(each.customer_id),
                "on": each.on.isoformat(),
                "amount": each.amount,
                "currency": each.currency,
                "status": each.status,
                "chance": each.probability,
            }
            for each in digest.due
        ],
        "more_due": digest.more_due,
        "onboardings": {
            "any": digest.onboardings.any,
            "on_track": digest.onboardings.on_track,
            "behind": digest.onboardings.behind,
            "stalled": digest.onboardings.stalled,
            "begun": digest.onboardings.begun,
            "completed": digest.onboardings.completed,
            "failed": digest.onboardings.failed,
            "stuck": [
                {
                    "customer": each.name,
                    "link": at(each.customer_id),
                    "step": (each.step or "").replace("_", " ") or None,
                    "days": each.days,
                }
                for each in digest.onboardings.stuck
            ],
        },
        "playbooks": [_played(each) for each in digest.played],
        "effects": [{"playbook": each.playbook, "says": each.effect} for each in digest.played if each.effect],
        "targets": [_target(each) for each in digest.targets],
        "calls": {"open": digest.open_calls, "overdue": digest.overdue_calls},
        "approvals": [
            {
                "customer": each.name,
                "link": at(each.customer_id),
                "playbook": each.playbook,
                "question": each.question,
                "since": each.asked_at.date().isoformat(),
            }
            for each in digest.approvals
        ],
        "more_approvals": digest.more_approvals,
        "gaps": list(digest.gaps),
    }


def headline(digest: Digest) -> str:
    """What matters most, in a line."""
    parts = []
    if digest.falls:
        parts.append(f"{_count(len(digest.falls), 'customer')} fell")
    at_risk = len(digest.at_risk) + digest.more_at_risk
    if at_risk:
        parts.append(f"{at_risk} new at risk")
    due = sum(each.count for each in digest.forecasts.get(30, ()))
    if due:
        parts.append(f"{_count(due, 'renewal')} within 30 days")
    missed = sum(each.status == "missed" for each in digest.targets)
    if missed and not parts:
        parts.append(f"{_count(missed, 'target')} missed")
    return ", ".join(parts) or "nothing moved"


def day(value: date) -> str:
    return f"{value.day} {value:%B %Y}"


def _count(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _score(value: float | None) -> str | None:
    return None if value is None else f"{100 * value:.0f}"


def _points(amount: float) -> str:
    return f"{100 * amount:+.0f}" if abs(amount) >= 0.005 else f"{100 * amount:+.1f}"


def _move(move: Move, link: str) -> dict[str, Any]:
    told = move.reasons[:REASONS]
    rest = sum(reason.amount for reason in move.reasons[REASONS:])
    return {
        "customer": move.name,
        "link": link,
        "before": _score(move.before),
        "after": _score(move.after),
        "change": _points(move.after - move.before),
        "reasons": [{"points": _points(reason.amount), "said": _said(reason)} for reason in told],
        "others": len(move.reasons) - len(told),
        "rest": _points(rest),
        "note": move.note,
    }


def _said(reason: Reason) -> str:
    return f"{reason.said} (data went missing or came back)" if reason.cause == "missing_data" else reason.said


def _forecast(days: int, found: Forecast) -> dict[str, Any]:
    figures = {
        f"{metric}_{'due' if basis == 'renewals_due' else 'all'}": found.figure(metric, basis).value
        for metric in ("grr", "nrr")
        for basis in ("renewals_due", "cohort")
    }
    return {
        "days": days,
        "currency": found.currency,
        "count": found.count,
        "target": found.target,
        "expected": found.expected,
        "committed": found.committed,
        **figures,
    }


def _played(each: Played) -> dict[str, Any]:
    runs: Mapping[str, int] = each.runs
    ended = ", ".join(f"{count} {outcome.replace('_', ' ')}" for outcome, count in sorted(each.closed.items()))
    return {
        "playbook": each.playbook,
        "runs": sum(count for state, count in runs.items() if state != "held_out"),
        "held_out": runs.get("held_out", 0),
        "failed": runs.get("failed", 0),
        "closed": ended or None,
        "useful": f"{each.useful} of {each.votes}" if each.votes else None,
        "told": each.told,
    }


def _target(each: Standing) -> dict[str, Any]:
    return {
        "title": each.title,
        "goal": each.goal,
        "actual": each.actual,
        "status": each.status.value,
        "trend": each.trend.value,
        "n": each.value.n,
        "why": each.why,
        "metric": each.definition.name,
    }


def gaps_of(sources: Sequence[Any], *, now: Any, portfolio_scored_on: tuple[date, date] | None) -> list[str]:
    """What is missing in the data, in words: sources that do not sync, or not wholly, and scores that are old."""
    found = []
    for each in sources:
        if each.run_state is None:
            found.append(f"{each.name} has never synced")
            continue
        newest = each.last_succeeded_at
        when = "never wholly" if newest is None else f"wholly on {day(newest.date())}"
        if each.run_state not in ("succeeded", "running"):
            found.append(f"{each.name}: its last sync is {each.run_state}; it synced {when} last")
        elif newest is not None and (now - newest).days >= 2:
            found.append(f"{each.name} synced {when} last")
        if each.in_quarantine:
            found.append(f"{each.name}: {_count(each.in_quarantine, 'row')} could not be read and are in quarantine")
    if portfolio_scored_on is None:
        found.append("nobody has a current scorecard")
    elif (now.date() - portfolio_scored_on[1]).days >= 2:
        found.append(f"nobody was scored since {day(portfolio_scored_on[1])}")
    return found
