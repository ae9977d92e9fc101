"""Digests out of what was read: for each CSM of their customers, and for the whole of all."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta
from math import fsum
from typing import Any

from hub.analytics.digest.data import AHEAD, Data
from hub.analytics.digest.moving import moves
from hub.analytics.digest.parts import (
    BANDS,
    NO_SCORE,
    AtRisk,
    Begun,
    Digest,
    Due,
    Move,
    Onboardings,
    Played,
    Portfolio,
    Waiting,
)
from hub.analytics.digest.settings import DigestSettings
from hub.analytics.forecast import forecasts
from hub.analytics.months import Period

SHOWN = 8
AT_RISK = ("critical", "warning")
CUSTOMER, CURRENCY = 0, 1
THEN, YESTERDAY, TODAY = 4, 5, 6
"""Columns of balances."""


class Making:
    """The data by whose customers they are; `effects`: {playbook: what its hold-out says}."""

    def __init__(
        self, kind: str, settings: DigestSettings, data: Data, *, effects: Mapping[str, str], gaps: Sequence[str]
    ) -> None:
        self._kind, self._settings, self._data, self._effects, self._gaps = kind, settings, data, effects, gaps
        self._owner = {row.id: (row.csm_email or "").lower() or None for row in data.book}
        self._names = {row.id: row.name for row in data.book}
        self._book = self._split(data.book, lambda row: row.id)
        self._balances = self._split(data.balances, lambda row: row[CUSTOMER])
        self._due = self._split(data.due, lambda row: row.customer_id)
        self._onboardings = self._split(data.onboardings, lambda row: row.customer_id)
        self._approvals = self._split(data.approvals, lambda row: row.customer_id)
        paying = {row[CUSTOMER] for row in data.balances if row[TODAY] > 0}
        current = {row.id for row in data.book if row.card_id is not None or row.id in paying}
        self._current = current
        self.owners = sorted({owner for id_, owner in self._owner.items() if owner is not None and id_ in current})
        """CSMs who have a customer."""

    def _split(self, rows: Iterable[Any], customer: Any) -> dict[str | None, list[Any]]:
        """{CSM: rows of their customers}, and under None all; rows of customers merged into another are left out."""
        found: dict[str | None, list[Any]] = defaultdict(list)
        for row in rows:
            id_ = customer(row)
            if id_ not in self._owner:
                continue
            found[None].append(row)
            if (owner := self._owner[id_]) is not None:
                found[owner].append(row)
        return found

    def of(self, owner: str | None) -> Digest:
        """The digest of a CSM, or of all customers; reasons of moves are still to come."""
        data = self._data
        falls, rises = moves(self._book[owner], most=self._settings.movers, least=self._settings.least_move)
        at_risk = self._at_risk(owner)
        due = [self._renewal(row) for row in self._due[owner] if row.status not in ("renewed", "churned")]
        approvals = [self._waiting(row) for row in self._approvals[owner]]
        calls = [count for csm, count in data.calls.items() if owner is None or (csm or "").lower() == owner]
        return Digest(
            kind=self._kind,
            owner=owner,
            begin=data.begin,
            today=data.today,
            portfolio=self._portfolio(owner),
            bands=self._bands(owner),
            falls=falls,
            rises=rises,
            at_risk=tuple(at_risk[:SHOWN]),
            more_at_risk=max(len(at_risk) - SHOWN, 0),
            forecasts={days: self._forecasts(owner, days) for days in AHEAD},
            due=tuple(due[:SHOWN]),
            more_due=max(len(due) - SHOWN, 0),
            onboardings=self._begun(owner),
            played=self._played(owner),
            targets=tuple(data.measured.standings.get(owner, ())),
            nps=tuple(data.measured.nps.get(owner, ())),
            open_calls=sum(count for count, _ in calls),
            overdue_calls=sum(late for _, late in calls),
            approvals=tuple(approvals[:SHOWN]),
            more_approvals=max(len(approvals) - SHOWN, 0),
            gaps=tuple(self._gaps),
        )

    def _portfolio(self, owner: str | None) -> Portfolio:
        book, balances = self._book[owner], self._balances[owner]
        now = {row.id for row in book if row.id in self._current}
        paid = {row[CUSTOMER] for row in balances if row[THEN] > 0}
        then = {row.id for row in book if row.then_id is not None} | paid
        cards = [row for row in book if row.card_id is not None]
        band = {row.id: row.band or NO_SCORE for row in cards}
        arr_of: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
        for row in balances:
            if row[TODAY] > 0:
                arr_of[row[CURRENCY]][band.get(row[CUSTOMER], NO_SCORE)] += 12 * row[TODAY]
        scored = [row for row in cards if row.health is not None]
        healths = [row.then_health for row in book if row.then_health is not None]
        days = [row.as_of for row in cards]
        return Portfolio(
            customers=len(now),
            was=len(then),
            came=len(now - then),
            left=len(then - now),
            arr=_arr(balances, TODAY),
            arr_then=_arr(balances, THEN),
            arr_of=arr_of,
            bands=Counter(band.values()),
            bands_then=Counter(row.then_band or NO_SCORE for row in book if row.then_id is not None),
            health=fsum(row.health for row in scored) / len(scored) if scored else None,
            health_then=fsum(healths) / len(healths) if healths else None,
            coverage=fsum(row.coverage for row in scored) / len(scored) if scored else None,
            scored_on=(min(days), max(days)) if days else None,
        )

    def _bands(self, owner: str | None) -> dict[Any, dict[str, int]]:
        made: dict[Any, dict[str, int]] = {}
        for day, counts in self._data.bands.items():
            of_day: Counter[str] = Counter()
            for (csm, band), count in counts.items():
                if owner is None or (csm or "").lower() == owner:
                    of_day[band] += count
            made[day] = dict(of_day)
        return made

    def _at_risk(self, owner: str | None) -> list[AtRisk]:
        """Those with the least health first."""
        rank = {name: place for place, name in enumerate(BANDS)}
        came = [
            row
            for row in self._book[owner]
            if row.band in AT_RISK and row.then_band in rank and rank[row.band] < rank[row.then_band]
        ]
        came.sort(key=lambda row: (rank[row.band], row.health if row.health is not None else 1.0, row.id))
        return [AtRisk(row.id, row.name, row.band, row.then_band) for row in came]

    def _forecasts(self, owner: str | None, days: int) -> tuple[Any, ...]:
        today = self._data.today
        span = Period(today, today + timedelta(days=days - 1))
        due = [row for row in self._due[owner] if row.due_on <= span.last]
        balances = [(*row[:THEN], row[YESTERDAY], row[TODAY]) for row in self._balances[owner]]
        return tuple(each for each in forecasts(due, balances, span, today=today) if each.count)

    def _renewal(self, row: Any) -> Due:
        return Due(row.customer_id, row.name, row.due_on, row.target, row.currency, row.status, row.probability)

    def _waiting(self, row: Any) -> Waiting:
        return Waiting(row.customer_id, self._names[row.customer_id], row.playbook, row.question, row.asked_at)

    def _begun(self, owner: str | None) -> Onboardings:
        since = datetime.combine(self._data.begin, time.min, self._data.now.tzinfo)
        rows = self._onboardings[owner]
        paces = Counter(row.pace for row in rows if row.state == "active")
        ended = Counter(row.state for row in rows if row.ended_at is not None and row.ended_at >= since)
        stuck = [row for row in rows if row.state == "active" and row.pace == "stalled"]
        return Onboardings(
            on_track=paces["on_track"],
            behind=paces["behind"],
            stalled=paces["stalled"],
            begun=sum(row.started_at >= since for row in rows),
            completed=ended["completed"],
            failed=ended["failed"],
            stuck=tuple(
                Begun(row.customer_id, self._names[row.customer_id], row.step, (self._data.now - row.started_at).days)
                for row in stuck[:SHOWN]
            ),
        )

    def _played(self, owner: str | None) -> tuple[Played, ...]:
        runs: dict[str, Counter[str]] = defaultdict(Counter)
        closed: dict[str, Counter[str]] = defaultdict(Counter)
        for counted, into in ((self._data.runs, runs), (self._data.closed, closed)):
            for did in counted:
                if owner is None or (did.csm_email or "").lower() == owner:
                    into[did.playbook][did.what] += did.count
        votes = {each.playbook: each.votes for each in self._data.precision}
        return tuple(
            Played(
                playbook=name,
                runs=dict(runs[name]),
                closed=dict(closed[name]),
                useful=votes[name].good if name in votes else 0,
                votes=votes[name].of if name in votes else 0,
                told=votes[name].told if name in votes else False,
                effect=self._effects.get(name),
            )
            for name in sorted({*runs, *closed})
        )


def _arr(balances: Sequence[Any], day: int) -> dict[str, float]:
    found: dict[str, float] = defaultdict(float)
    for row in balances:
        if row[day] > 0:
            found[row[CURRENCY]] += 12 * row[day]
    return dict(sorted(found.items()))


def explained(digest: Digest, reasons: Mapping[tuple[str, str], Move]) -> Digest:
    """The digest with the reasons of its moves."""

    def with_reasons(told: tuple[Move, ...]) -> tuple[Move, ...]:
        return tuple(reasons[move.then_id, move.card_id] for move in told)

    return replace(digest, falls=with_reasons(digest.falls), rises=with_reasons(digest.rises))
