"""Terms put together into what falls due: which of a customer's terms fall due on a day, and which follow them.

Everything a customer pays in one currency that falls due on one day is *one* renewal: a base plan and an add-on that are
replaced by one larger plan are renewed with growth, not half lost. Of a customer's terms in one currency:

    a change in the middle   a term that begins when another ends before its day, and falls due no later than that one did:
                             more seats, another price. The ended one never fell due; the new one falls due in its place
                             and counts as begun when that one began
    too short                a term (with what it replaced) shorter than `shortest_term` runs on from month to month: no renewal
    a follower               a term that begins when a renewal's terms end (before their day, too: renewed early) or up to the
                             grace after their day, and falls due later. It follows the renewal whose day is nearest to its
                             beginning. A change in the middle follows nothing
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Protocol

ONE_DAY = timedelta(days=1)


class Term(Protocol):
    """A paid term, as the store returns it."""

    @property
    def id(self) -> str: ...
    @property
    def mrr(self) -> float: ...
    @property
    def started_on(self) -> date: ...
    @property
    def renews_on(self) -> date | None: ...
    @property
    def ended_on(self) -> date | None: ...
    @property
    def auto_renew(self) -> bool: ...
    @property
    def noticed_on(self) -> date | None: ...


@dataclass(frozen=True, slots=True)
class Falling:
    """What falls due on a day: its terms, since when they have run, and the terms that follow them."""

    due_on: date
    terms: tuple[Term, ...]
    since: date
    followers: tuple[Term, ...]


def falling(terms: Sequence[Term], *, grace: int, shortest_term: int) -> list[Falling]:
    """What falls due of one customer in one currency, by day; `terms` in order of their beginning."""
    begun, replaced = _changes(terms)
    groups: dict[date, list[Term]] = defaultdict(list)
    for term in terms:
        day = term.renews_on
        if day is not None and term.id not in replaced and (day - begun[term.id]).days >= shortest_term:
            groups[day].append(term)
    following = _followers(terms, groups, begun, grace=timedelta(days=grace))
    return [
        Falling(day, tuple(groups[day]), min(begun[term.id] for term in groups[day]), tuple(following[day]))
        for day in sorted(groups)
    ]


def _changes(terms: Sequence[Term]) -> tuple[dict[str, date], set[str]]:
    """{term: since when it has run, with what it replaced in the middle}, and the terms that were replaced."""
    begun: dict[str, date] = {}
    replaced: set[str] = set()
    for term in terms:
        begun[term.id] = term.started_on
        for other in terms:
            if other.id != term.id and other.id in begun and _changed(other, term):
                begun[term.id] = min(begun[term.id], begun[other.id])
                replaced.add(other.id)
    return begun, replaced


def _changed(old: Term, new: Term) -> bool:
    """Whether `new` took the place of `old` in the middle of its term."""
    return (
        old.ended_on is not None
        and old.renews_on is not None
        and old.ended_on < old.renews_on
        and abs(new.started_on - old.ended_on) <= ONE_DAY
        and new.renews_on is not None
        and new.renews_on <= old.renews_on
    )


def _followers(
    terms: Sequence[Term], groups: Mapping[date, Sequence[Term]], begun: Mapping[str, date], *, grace: timedelta
) -> dict[date, list[Term]]:
    found: dict[date, list[Term]] = defaultdict(list)
    ends = {day: min(day, *(each.ended_on or day for each in group), day) for day, group in groups.items()}
    for term in terms:
        if begun[term.id] < term.started_on:  # a change in the middle
            continue
        days = [
            day
            for day, group in groups.items()
            if ends[day] - ONE_DAY <= term.started_on <= day + grace
            and (term.renews_on is None or term.renews_on > day)
            and all(term.started_on > each.started_on for each in group)
        ]
        if days:
            found[min(days, key=lambda day: (abs(day - term.started_on), day))].append(term)
    return found
