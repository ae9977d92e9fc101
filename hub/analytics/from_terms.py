"""Figures of subscription terms: retention, churn, movements, MRR, ARPA, lifetime value, and churn events."""

from collections.abc import Iterator

import numpy as np

from hub.analytics import retention
from hub.analytics.book import Book
from hub.analytics.definitions import Definition
from hub.analytics.frame import Frame
from hub.analytics.records import trailing
from hub.analytics.shares import Shares, Value, texts


def of_terms(frame: Frame, definition: Definition) -> Iterator[Value]:
    """A value per currency (one where the figure has none) and group."""
    book = frame.records.book
    for currency in _currencies(book, definition):
        balances = book.balances(frame.period, currency)
        mask, numerator, denominator = retention.PARTS[definition.name](balances)
        shares = Shares(
            ids=book.ids, customers=book.ids, numerator=numerator, denominator=denominator, notes=balances.notes
        )
        for group, inside in frame.groups(book.ids):
            chosen = shares.where(mask & inside)
            if definition.name in ("ltv", "margin_ltv"):
                yield _lifetime(frame, definition, chosen, currency, group)
                continue
            part = retention.Balances(balances.start[inside], balances.end[inside], balances.before[inside])
            components = part.components() if definition.per_currency else part.counts()
            yield frame.value(definition, chosen, group=group, currency=currency, components=components)


def _currencies(book: Book, definition: Definition) -> list[str] | list[None]:
    return (book.currencies or [None]) if definition.per_currency else [None]


def _lifetime(frame: Frame, definition: Definition, payers: Shares, currency: str | None, group: str | None) -> Value:
    """ARPA / churn: each payer's MRR, or the margin of it, over the churn rate, so that the rows' ratio is the headline."""
    margin = frame.request.gross_margin if definition.name == "margin_ltv" else 1.0
    rates, left = _trailing_churn(frame, currency, group)
    churn = float(np.mean(rates)) if rates else 0.0
    components = {"payers": float(len(payers)), "months": float(len(rates)), "churned": left}
    if definition.name == "margin_ltv" and margin is not None:
        components["gross_margin"] = margin
    if rates:
        components["mean_churn"] = churn
    if len(payers):
        components["arpa"] = float(payers.numerator.sum()) / len(payers)
    month, reason = frame.period.month, None
    if margin is None:
        reason = "no gross margin was given, and none is assumed"
    elif not len(payers):
        reason = f"nobody pays on {frame.period.last}"
    elif not rates:
        reason = f"nobody paid in the six months before {month}, so there is no churn rate yet"
    elif retention.lifetime_value(1.0, churn) is None:
        reason = f"nobody left in the six months before {month}: churn is 0 and a lifetime has no end"
    rows = Shares(
        ids=payers.ids,
        customers=payers.customers,
        numerator=payers.numerator * (1.0 if margin is None else margin),
        denominator=np.full(len(payers), churn),
        notes=texts(["pays"] * len(payers)),
    )
    return frame.value(definition, rows, group=group, currency=currency, components=components, reason=reason)


def _trailing_churn(frame: Frame, currency: str | None, group: str | None) -> tuple[list[float], float]:
    """Logo churn of each of the six months before that began with anybody, and how many left in all."""
    book, rates, left = frame.records.book, [], 0.0
    for month in trailing(frame.period.month):
        balances = book.balances(month, currency)
        for name, inside in frame.groups(book.ids, month):
            size = int((balances.cohort & inside).sum())
            if name == group and size:
                gone = int((balances.churned & inside).sum())
                rates.append(gone / size)
                left += gone
    return rates, left


def of_events(frame: Frame, definition: Definition) -> Iterator[Value]:
    """Churns by the rule of the labels; one whose grace is not over is not certain, and not among them."""
    events, period = frame.records.events, frame.period
    mine = [place for place, day in enumerate(events["churned_on"]) if period.first <= day <= period.last]
    customers = texts([events["customer_id"][place] for place in mine])
    shares = Shares(
        ids=customers,
        customers=customers,
        numerator=np.ones(len(mine)),
        denominator=np.ones(len(mine)),
        notes=texts([f"{events['kind'][place]}, {events['churned_on'][place]}" for place in mine]),
    )
    for group, inside in frame.groups(customers):
        yield frame.value(definition, shares.where(inside), group=group)
