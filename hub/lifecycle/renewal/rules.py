"""What became of each renewal: the rules, one customer and currency at a time, without a database.

The first that applies. `day` is the renewal's, `grace` the days of config/lifecycle.yaml.

    renewed    the CRM's renewal deal was won. Final: the deal's amount; where it has none, what its followers cost, else
               the target
    renewed    other terms follow (hub.lifecycle.renewal.terms). Final: 12 x their MRR
    renewed    after its day, and terms that renew by themselves still run: on the day itself, at what still runs. A lost
               deal outweighs that until the grace is over; money that comes in after it outweighs the deal
    churned    the deal was lost. On its close, so usually before the day
    churned    notice was given for every term, and not to go on smaller: on the day of the notice. Where the notice is taken
               back, the renewal is open again
    churned    every term has ended, and nothing followed within the grace: on the day the last one ended
    overdue    every term has ended, and the grace runs
    overdue    after its day, and terms that do not renew by themselves run on unsigned: until a person, a deal or a term says
               otherwise, for whoever still pays has not left
    due        its day is at most `due` days off
    upcoming   before that

A deal is about the renewal nearest to its close (where it is open, the day it is expected to close), in the same
currency and at most `deal` days off; of several a won one counts before an open one before a lost one. The target is
the deal's target amount where the CRM keeps one, else 12 x MRR of the terms.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Protocol

from hub.lifecycle.renewal.settings import RenewalSettings
from hub.lifecycle.renewal.terms import Falling, Term, falling

OPEN = frozenset({"upcoming", "due", "overdue"})
DECIDED = frozenset({"renewed", "churned"})
_RANK = {"won": 0, "open": 1, "lost": 2}


class Deal(Protocol):
    """A renewal deal of the CRM."""

    @property
    def id(self) -> str: ...
    @property
    def stage(self) -> str: ...
    @property
    def amount(self) -> float | None: ...
    @property
    def target_amount(self) -> float | None: ...
    @property
    def close_on(self) -> date: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a renewal has come to. `final`: a year's, of one that is decided."""

    status: str
    reason: str
    final: float | None = None
    decided_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A renewal as the records tell it. Amounts are a year's. See the table `renewal` for what each means."""

    due_on: date
    since: date
    terms: tuple[str, ...]
    deal_id: str | None
    auto: bool
    notice_by: date | None
    arr: float
    target: float
    running: bool
    outcome: Outcome


def find_renewals(
    terms: Sequence[Term], deals: Sequence[Deal], settings: RenewalSettings, *, today: date
) -> list[Found]:
    """The renewals of one customer in one currency, by day; `terms` in order of their beginning."""
    groups = falling(terms, grace=settings.grace, shortest_term=settings.shortest_term)
    chosen = _deals(deals, [each.due_on for each in groups], within=settings.deal)
    return [_found(each, chosen.get(each.due_on), settings, today) for each in groups]


def _deals(deals: Sequence[Deal], days: Sequence[date], *, within: int) -> dict[date, Deal]:
    """{day: the deal that is about the renewal of it}."""
    about: dict[date, Deal] = {}
    best: dict[date, tuple[int, int, str]] = {}
    for deal in deals if days else ():
        off, day = min((abs((day - deal.close_on).days), day) for day in days)
        rank = (_RANK[deal.stage], off, deal.id)
        if off <= within and (day not in best or rank < best[day]):
            about[day], best[day] = deal, rank
    return about


def _found(group: Falling, deal: Deal | None, settings: RenewalSettings, today: date) -> Found:
    arr = _yearly(group.terms)
    stated = None if deal is None else deal.target_amount
    target = arr if stated is None or stated <= 0 else stated
    undecided = [term for term in group.terms if term.noticed_on is None]
    auto = bool(undecided) and all(term.auto_renew for term in undecided)
    return Found(
        due_on=group.due_on,
        since=group.since,
        terms=tuple(term.id for term in group.terms),
        deal_id=None if deal is None else deal.id,
        auto=auto,
        notice_by=group.due_on - timedelta(days=settings.notice) if auto else None,
        arr=arr,
        target=target,
        running=any(_runs(term, today) for term in group.terms),
        outcome=_outcome(group, deal, target, auto=auto, settings=settings, today=today),
    )


def _outcome(
    group: Falling, deal: Deal | None, target: float, *, auto: bool, settings: RenewalSettings, today: date
) -> Outcome:
    stage = None if deal is None else deal.stage
    if stage == "won" or group.followers:
        return _renewed(group, deal, target, today)
    grace = timedelta(days=settings.grace)
    running = [term for term in group.terms if _runs(term, today)]
    if auto and running and group.due_on < today and (stage != "lost" or today > group.due_on + grace):
        return Outcome(status="renewed", reason="renewed by itself", final=_yearly(running), decided_on=group.due_on)
    if deal is not None and stage == "lost":
        reason = f"the renewal deal was lost on {deal.close_on}"
        return Outcome(status="churned", reason=reason, final=0.0, decided_on=min(deal.close_on, today))
    notices = [term.noticed_on for term in group.terms if term.noticed_on is not None and term.noticed_on <= today]
    if len(notices) == len(group.terms):
        reason = f"notice was given on {max(notices)}"
        return Outcome(status="churned", reason=reason, final=0.0, decided_on=max(notices))
    if not running:
        return _ended(group, grace, today)
    if today > group.due_on:
        return Outcome(status="overdue", reason=f"fell due on {group.due_on} and runs on unsigned")
    left = (group.due_on - today).days
    reason = f"renews by itself on {group.due_on}" if auto else f"falls due on {group.due_on}"
    return Outcome(status="due" if left <= settings.due else "upcoming", reason=reason)


def _renewed(group: Falling, deal: Deal | None, target: float, today: date) -> Outcome:
    followed = _yearly(group.followers)
    starts = [min(term.started_on, today) for term in group.followers]
    if deal is not None and deal.stage == "won":
        final = deal.amount if deal.amount is not None else followed or target
        day = min([*starts, min(deal.close_on, today)])
        return Outcome(
            status="renewed", reason=f"the renewal deal was won on {deal.close_on}", final=final, decided_on=day
        )
    first = min(term.started_on for term in group.followers)
    return Outcome(status="renewed", reason=f"the next term begins on {first}", final=followed, decided_on=min(starts))


def _ended(group: Falling, grace: timedelta, today: date) -> Outcome:
    end = max(term.ended_on for term in group.terms if term.ended_on is not None)
    if today <= end + grace:
        return Outcome(status="overdue", reason=f"ended on {end}, and nothing has followed yet")
    reason = f"ended on {end}, and nothing followed within {grace.days} days"
    return Outcome(status="churned", reason=reason, final=0.0, decided_on=end)


def _runs(term: Term, today: date) -> bool:
    return term.ended_on is None or term.ended_on > today


def _yearly(terms: Sequence[Term]) -> float:
    return round(sum(12 * term.mrr for term in terms), 2)
