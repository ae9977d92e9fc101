"""Stating and withdrawing: with a reason, and for a while."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from hub.errors import RefusedError
from hub.judgement.scale import Bands, band_score, read_score
from hub.model.actions import Band
from hub.store import Connection, Store
from hub.store.customers import get_customer
from hub.store.definitions import find_definitions
from hub.store.judgement import Kind, Statement, add_statement, withdraw
from hub.store.scorecards import find_newest

LONGEST_REASON = 2_000


@dataclass(frozen=True, slots=True)
class _Term:
    """How many days something stated is in force, where nothing is said, and at most; and what it is called."""

    usual: int
    most: int
    called: str


TERMS: Mapping[Kind, _Term] = {"override": _Term(30, 180, "an override"), "sentiment": _Term(90, 365, "a sentiment")}


async def override(
    store: Store,
    customer: str,
    stated: float | Band,
    *,
    by: str,
    reason: str,
    bands: Bands,
    now: datetime,
    until: date | None = None,
) -> Statement:
    """Put a score 0-1, or the middle of a band, in the place of the customer's computed health, until a day and with it.

    bands  those of the main definition; the customer's own, where it has a scorecard, go before

    Raises RefusedError for what can't be stated, NotFoundError for no such customer; then nothing is written. The customer
    has its new score as soon as it is scored again, which is the caller's to do.
    """
    checked, expires_on = _checked("override", reason, until, now)
    async with store.transaction() as connection:
        who = await get_customer(connection, customer)
        if isinstance(stated, Band):
            value = band_score(stated, await _bands_of(connection, who.id) or bands)
        else:
            value = read_score(stated)
        made = _statement("ovr", who.id, value, checked, by, now, expires_on)
        await add_statement(connection, "override", made)
    return made


async def feel(
    store: Store, customer: str, value: float, *, by: str, reason: str, now: datetime, until: date | None = None
) -> Statement:
    """State a sentiment of 0-1; errors as `override`."""
    checked, expires_on = _checked("sentiment", reason, until, now)
    async with store.transaction() as connection:
        who = await get_customer(connection, customer)
        made = _statement("sen", who.id, read_score(value), checked, by, now, expires_on)
        await add_statement(connection, "sentiment", made)
    return made


async def take_back(store: Store, kind: Kind, customer: str, *, by: str, now: datetime) -> str:
    """Withdraw what is in force of the customer, and return the customer's id; RefusedError where nothing is."""
    async with store.transaction() as connection:
        who = await get_customer(connection, customer)
        ended = await withdraw(connection, kind, who.id, by=by, now=now)
    if not ended:
        raise RefusedError(f"no {kind} of {who.name} ({who.id}) is in force, so there is none to withdraw")
    return who.id


def _statement(
    prefix: str, customer_id: str, value: float, reason: str, by: str, now: datetime, expires_on: date
) -> Statement:
    return Statement(
        id=f"{prefix}_{secrets.token_hex(10)}",
        customer_id=customer_id,
        value=value,
        reason=reason,
        by=by,
        set_at=now,
        expires_on=expires_on,
    )


def _checked(kind: Kind, reason: str, until: date | None, now: datetime) -> tuple[str, date]:
    """The reason, and the last day."""
    term, today = TERMS[kind], now.date()
    given = " ".join(reason.split())
    if not given:
        raise RefusedError(f"{term.called} needs a reason: what you know that the data does not show", about="reason")
    if len(given) > LONGEST_REASON:
        raise RefusedError(f"the reason has {len(given):,} characters; at most {LONGEST_REASON:,}", about="reason")
    last, latest = until or today + timedelta(days=term.usual), today + timedelta(days=term.most)
    if not today <= last <= latest:
        raise RefusedError(
            f"{term.called} ends on a day from {today} to {latest} ({term.most} days), not on {last}", about="until"
        )
    return given, last


async def _bands_of(connection: Connection, customer_id: str) -> Bands | None:
    """The bands of the definition that scored the customer last."""
    card = await find_newest(connection, customer_id)
    kept = await find_definitions(connection, [card.definition_hash]) if card else {}
    return [(str(name), float(low)) for each in kept.values() for name, low in each["bands"]] or None
