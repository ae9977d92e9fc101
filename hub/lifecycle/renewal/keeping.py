"""Keeps, for all customers at once, which renewals there are and how they stand.

What a person said (`renewal_statement`) stands beside what the records say and outweighs it; the records' own status is
kept as `computed_status`. A renewal whose terms are told otherwise later:

- its term now falls due later and its day is over: the vendor keeps one row for all terms and moved it on, so it is renewed
- its term now falls due on another day and its own had not come, or its terms are gone: there is no such renewal
- it was decided: it keeps its status, whatever became of the records
"""

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any

from hub.lifecycle.renewal.rules import DECIDED, OPEN, Found, find_renewals
from hub.lifecycle.renewal.settings import RenewalSettings
from hub.lifecycle.renewal.standing import FIELDS, standings
from hub.store import Connection, Store, renewals
from hub.store.lifecycle import clear_lifecycles, write_lifecycles
from hub.store.renewals import Said, TermRow

LOOK_BACK = timedelta(days=400)
"""What fell due longer ago is not looked at again once it is known."""
RATE_OVER = timedelta(days=365)
Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """What is worked from. since: the first day of what is looked at; None: all of history. decided: None: of the rows."""

    since: date | None
    kept: Mapping[str, Row]
    terms: Sequence[TermRow]
    deals: Mapping[tuple[str, str], Sequence[Any]]
    said: Mapping[str, Said]
    risks: Mapping[str, float]
    decided: Mapping[tuple[bool, str], int] | None


async def keep_renewals(store: Store, settings: RenewalSettings, *, now: datetime) -> None:
    """Bring all renewals, and the lifecycle's columns of them, up to `now`; twice is harmless.

    Reading and working take seconds where customers are many, and hold up nobody who writes meanwhile.
    """
    if not settings.enabled:
        async with store.transaction() as connection:
            await clear_lifecycles(connection, FIELDS, now=now)
        return
    async with store.reading() as connection:
        read = await _read(connection, settings, today=now.date())
    rows, gone = await asyncio.to_thread(_work, read, settings, now.date())
    async with store.transaction() as connection:
        said = await renewals.find_said(connection)
        if said != read.said:  # somebody spoke meanwhile, and has been written already
            rows, gone = _work(replace(read, said=said), settings, now.date())
        await _write(connection, read, rows, gone, settings, now=now, whole=True)


async def keep_one(connection: Connection, settings: RenewalSettings, customer_id: str, *, now: datetime) -> None:
    """The same of one customer, in a transaction that is open."""
    read = await _read(connection, settings, today=now.date(), customer_id=customer_id)
    rows, gone = _work(read, settings, now.date())
    await _write(connection, read, rows, gone, settings, now=now, whole=False)


async def _read(
    connection: Connection, settings: RenewalSettings, *, today: date, customer_id: str | None = None
) -> _Read:
    kept = await renewals.find_kept(connection, since=today - LOOK_BACK, customer_id=customer_id)
    since = today - LOOK_BACK if kept else None  # the first time all of history is read
    closed = None if since is None else since - timedelta(settings.deal)
    one = customer_id is not None
    return _Read(
        since=since,
        kept=kept,
        terms=await renewals.find_terms(connection, since=since, customer_id=customer_id),
        deals=await renewals.find_deals(connection, since=closed, customer_id=customer_id),
        said=await renewals.find_said(connection),
        risks=await renewals.find_renewal_risks(connection, customer_id=customer_id),
        decided=await renewals.count_decided(connection, since=today - RATE_OVER) if one else None,
    )


def _work(read: _Read, settings: RenewalSettings, today: date) -> tuple[list[Row], list[str]]:
    """All renewals as they stand, and the ids of those that there are no more."""
    found = {row["id"]: row for row in _rows(read.terms, read.deals, settings, since=read.since, today=today)}
    gone = _revise(found, read.kept, read.terms, today=today)
    rows = [_stated(row, read.said.get(id_)) for id_, row in found.items()]
    decided = read.decided
    if decided is None:
        decided = Counter((row["auto"], row["status"]) for row in rows if _decided(row, today))
    rates = base_rates(decided, settings)
    for row in rows:
        row.update(chance(row, read.risks, rates))
    return rows, gone


async def _write(
    connection: Connection,
    read: _Read,
    rows: Sequence[Row],
    gone: Sequence[str],
    settings: RenewalSettings,
    *,
    now: datetime,
    whole: bool,
) -> None:
    changed = [row for row in rows if row != read.kept.get(row["id"])]
    await renewals.write_renewals(connection, changed, now=now)
    await renewals.drop_renewals(connection, gone)
    await write_lifecycles(connection, standings(rows, settings, today=now.date()), now=now, whole=whole)


def _decided(row: Row, today: date) -> bool:
    return row["decided_on"] is not None and row["decided_on"] >= today - RATE_OVER


def _rows(
    terms: Sequence[TermRow],
    deals: Mapping[tuple[str, str], Sequence[Any]],
    settings: RenewalSettings,
    *,
    since: date | None,
    today: date,
) -> Iterator[Row]:
    for key, group in groupby(terms, itemgetter(1, 2)):  # customer and currency, as they are ordered
        customer_id, currency = key
        for each in find_renewals(list(group), deals.get(key, ()), settings, today=today):
            if since is None or each.due_on >= since:
                yield _row(each, customer_id, currency)


def _row(found: Found, customer_id: str, currency: str) -> Row:
    outcome = found.outcome
    return {
        "id": f"{customer_id}:{found.due_on}:{currency}",
        "customer_id": customer_id,
        "due_on": found.due_on,
        "currency": currency,
        "started_on": found.since,
        "terms": list(found.terms),
        "deal_id": found.deal_id,
        "auto": found.auto,
        "notice_by": found.notice_by,
        "arr": found.arr,
        "target": found.target,
        "running": found.running,
        "status": outcome.status,
        "computed_status": outcome.status,
        "final": outcome.final,
        "decided_on": outcome.decided_on,
        "reason": outcome.reason,
        "stated_by": None,
    }


def _revise(found: dict[str, Row], kept: Mapping[str, Row], terms: Sequence[TermRow], *, today: date) -> list[str]:
    """Add to `found` what is kept and told by no record any more; return the ids of what there is no more of."""
    known = {term.id: term for term in terms}
    gone = []
    for id_, row in kept.items():
        if id_ in found:
            continue
        moved = [
            term for each in row["terms"] if (term := known.get(each)) and (term.renews_on or today) > row["due_on"]
        ]
        if row["computed_status"] in DECIDED and row["due_on"] <= today:
            found[id_] = {**row, "status": row["computed_status"], "stated_by": None}
        elif moved and row["due_on"] <= today:
            final = round(sum(12 * term.mrr for term in moved), 2)
            reason = f"its term was moved on to {moved[0].renews_on}"
            found[id_] = {
                **row,
                "status": "renewed",
                "computed_status": "renewed",
                "final": final,
                "decided_on": row["due_on"],
                "reason": reason,
                "running": False,  # as they were; what runs now falls due later
                "stated_by": None,
            }
        else:
            gone.append(id_)
    return gone


def _stated(row: Row, said: Said | None) -> Row:
    """With what a person said in force."""
    if said is None:
        return row
    amount = row["target"] if said.amount is None else said.amount
    return {
        **row,
        "status": said.status,
        "final": amount if said.status == "renewed" else 0.0,
        "decided_on": said.at.date(),
        "reason": said.reason,
        "stated_by": said.by,
    }


Rates = Mapping[bool, tuple[float, str]]


def base_rates(decided: Mapping[tuple[bool, str], int], settings: RenewalSettings) -> Rates:
    """{renews by itself: share of the decided ones that were renewed, and "base_rate"}.

    Fewer than `settings.enough` tell nothing: then it is the configured rate, and "assumed".
    """
    found = {}
    for auto in (False, True):
        renewed, lost = decided.get((auto, "renewed"), 0), decided.get((auto, "churned"), 0)
        known = renewed + lost >= settings.enough
        rate = renewed / (renewed + lost) if known else settings.base_rate
        found[auto] = (rate, "base_rate" if known else "assumed")
    return found


def chance(row: Row, risks: Mapping[str, float], rates: Rates) -> Row:
    """Probability of being renewed, where it is from, and the amount expected: never more than the target."""
    if row["status"] in OPEN:
        risk = risks.get(row["customer_id"])
        probability, by = rates[row["auto"]] if risk is None else (1.0 - risk, "churn_risk")
        return {"probability": probability, "probability_by": by, "expected": round(row["target"] * probability, 2)}
    renewed = row["status"] == "renewed"
    return {
        "probability": 1.0 if renewed else 0.0,
        "probability_by": "decided",
        "expected": min(row["final"], row["target"]) if renewed else 0.0,
    }
