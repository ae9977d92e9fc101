"""Keeps, for all customers at once, the opportunities that the rules find, and what becomes of them.

    found       the rule's condition holds, nothing stands against it, none of the rule is live or resting at the customer
    won         seats or ARR rose as forecast within the window (hub.lifecycle.expansion.worth); one rise wins one opportunity,
                and the others of the customer are measured from there on
    withdrawn   its condition did not hold, or something stood against it, for `withdraw_after` days on end; one that was
                offered stays until its window is over, for the answer may take longer than the reason
    lost        only by a person's word; so is `offered`

While something stands against it (a critical customer, say) it is live, but the lifecycle's columns do not show it, so
that no playbook offers it. Evidence and value are of the last day its condition held.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any

from hub.lifecycle.expansion.settings import VOCABULARY, ExpansionSettings, Rule
from hub.lifecycle.expansion.worth import NEEDED, arr_of, rise, value_of
from hub.store import Connection, Store, expansion
from hub.store.lifecycle import clear_lifecycles, find_lifecycles, write_lifecycles

FIELDS = ("expansion_kind", "expansion_value")
Row = dict[str, Any]
Match = tuple[str | None, dict[str, Any]]
ORDER = {"plan_upgrade": 0, "seats": 1, "add_on": 2}
"""Of several that one rise could have won: what tells itself apart most clearly."""


async def keep_expansion(store: Store, settings: ExpansionSettings, *, now: datetime) -> None:
    """Bring all opportunities, and the lifecycle's columns of them, up to `now`; twice is harmless."""
    async with store.transaction() as connection:
        if not settings.enabled:
            await clear_lifecycles(connection, FIELDS, now=now)
            return
        today = now.date()
        live = await expansion.find_live(connection)
        present = await expansion.find_present(connection, [VOCABULARY[name] for name in NEEDED])
        resting = await expansion.find_resting(connection, since=today - timedelta(settings.rest))
        rules = {rule.name: rule for rule in settings.rules}
        matches = {rule.name: await _matches(connection, rule, settings, today) for rule in settings.rules}
        after = _won(live, present, settings, today)
        for row in after:
            if row["state"] in expansion.LIVE:
                match = matches.get(row["rule"], {}).get(row["customer_id"])
                _follow(row, match, rules.get(row["rule"]), settings, today)
        known = {(row["customer_id"], row["rule"]) for row in live} | resting
        new = [
            made
            for rule in settings.rules
            for customer_id, (blocked, values) in matches[rule.name].items()
            if blocked is None and (customer_id, rule.name) not in known
            if (made := _opportunity(rule, customer_id, values, now)) is not None
        ]
        before = {row["id"]: row for row in live}
        await expansion.write_opportunities(connection, [row for row in after if row != before[row["id"]]], now=now)
        await expansion.write_opportunities(connection, new, now=now, new=True)
        await show(connection, [*after, *new], now=now)


async def show(connection: Connection, rows: Sequence[Row], *, now: datetime, customer_id: str | None = None) -> None:
    """Write the lifecycle's columns: the best live opportunity that nothing stands against, of all customers or one."""
    best: dict[str, Row] = {}
    for row in sorted(rows, key=lambda row: (-row["expected"], row["rule"])):
        if row["state"] in expansion.LIVE and row["blocked"] is None:
            best.setdefault(row["customer_id"], row)
    shown: dict[str, dict[str, Any]] = {
        id_: {"expansion_kind": row["kind"], "expansion_value": row["expected"]} for id_, row in best.items()
    }
    few = None if customer_id is None else [customer_id]
    before = await find_lifecycles(connection, FIELDS, customer_ids=few)
    for id_, columns in before.items():
        if id_ not in shown and columns["expansion_kind"] is not None:
            shown[id_] = dict.fromkeys(FIELDS)
    await write_lifecycles(connection, shown, now=now)


async def _matches(connection: Connection, rule: Rule, settings: ExpansionSettings, today: date) -> dict[str, Match]:
    of = (rule.value.seats.of,) if rule.value.seats is not None else ()
    names = dict.fromkeys((*rule.evidence, *NEEDED, *of))
    fields = [VOCABULARY[name] for name in names]
    return await expansion.find_matches(connection, rule.when, settings.not_when, fields, today=today)


def _opportunity(rule: Rule, customer_id: str, values: Mapping[str, Any], now: datetime) -> Row | None:
    """A new one; None where nobody can say what it would bring."""
    worth = value_of(rule, values)
    if worth is None:
        return None
    return {
        "id": f"{customer_id}:{rule.name}:{now:%Y%m%dT%H%M%S%f}",
        "customer_id": customer_id,
        "rule": rule.name,
        "kind": rule.kind,
        "title": rule.title,
        "state": "open",
        "found_on": now.date(),
        "missed_since": None,
        "blocked": None,
        "evidence": {name: values[name] for name in rule.evidence},
        "seats": worth.seats,
        "value": worth.amount,
        "probability": rule.probability,
        "expected": round(worth.amount * rule.probability, 2),
        "base_arr": arr_of(values),
        "base_seats": values["seats_purchased"],
        "base_plan": values["plan"],
        "won_amount": None,
        "reason": None,
        "decided_by": None,
        "closed_on": None,
    }


def _won(
    live: Sequence[Row], present: Mapping[str, Mapping[str, Any]], settings: ExpansionSettings, today: date
) -> list[Row]:
    """Copies of the live ones; of each customer's the one that a rise has won is, and the others are measured anew."""
    after: list[Row] = []
    for customer_id, group in groupby(live, itemgetter("customer_id")):
        rows = [dict(row) for row in group]
        now = present.get(customer_id, {})
        for row in sorted(rows, key=lambda row: (ORDER[row["kind"]], -row["expected"], row["rule"])):
            if today > row["found_on"] + timedelta(settings.window):
                continue
            grown = rise(row, now, won_at=settings.won_at)
            if grown is not None:
                row.update(state="won", won_amount=grown, closed_on=today, blocked=None, missed_since=None)
                row["decided_by"] = None  # whoever offered it: the records say that it is won
                row["reason"] = f"ARR rose by {grown:,.2f} since {row['found_on']}"
                base = {"base_arr": arr_of(now), "base_seats": now["seats_purchased"], "base_plan": now["plan"]}
                for other in rows:
                    if other is not row:
                        other.update(base)
                break
        after.extend(rows)
    return after


def _follow(row: Row, match: Match | None, rule: Rule | None, settings: ExpansionSettings, today: date) -> None:
    """A live one on another day: with new numbers where its condition holds, withdrawn where it has not for long."""
    blocked, values = match if match is not None else (None, {})
    worth = value_of(rule, values) if match is not None and rule is not None else None
    if worth is not None and rule is not None and blocked is None:
        row.update(
            missed_since=None,
            blocked=None,
            evidence={name: values[name] for name in rule.evidence},
            seats=worth.seats,
            value=worth.amount,
            probability=rule.probability,
            expected=round(worth.amount * rule.probability, 2),
        )
        return
    since = row["missed_since"] or today
    row.update(missed_since=since, blocked=blocked)
    days = timedelta(settings.withdraw_after)
    late = row["state"] == "open" or today > row["found_on"] + timedelta(settings.window)
    if late and today >= since + days:
        why = f"{blocked} stands against it" if blocked else "its condition no longer holds"
        row.update(state="withdrawn", reason=f"{why} since {since}", closed_on=today, decided_by=None)
