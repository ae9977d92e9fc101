"""Facts of invoices: payments that failed, and how long the oldest unpaid one has been due.

An invoice is unpaid on a day until `paid_at`. One that the source calls void, or paid without saying when, is no longer
unpaid by its row's last change at the latest. A failure counts when a payment first failed, which no later attempt moves.
"""

from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, not_, or_, select

from hub.model.records import InvoiceStatus
from hub.store.facts.columns import Columns
from hub.store.facts.window import Window
from hub.store.store import Connection
from hub.store.tables import invoice

NAMES = ("payment_failures_90d", "days_past_due")


def failed(window: Window, days: int) -> ColumnElement[bool]:
    """Whether a payment of the invoice first failed in the window of `days`."""
    return and_(invoice.c.failed_at >= window.first_moment(days), invoice.c.failed_at < window.end)


def overdue(window: Window) -> ColumnElement[bool]:
    """Whether the invoice should have been paid before the day and was not by its end."""
    row = invoice.c
    settled = and_(
        row.paid_at.is_(None),
        row.status.in_([InvoiceStatus.PAID.value, InvoiceStatus.VOID.value]),
        row.version < int(window.end.timestamp() * 1000),
    )
    unpaid = and_(or_(row.paid_at.is_(None), row.paid_at >= window.end), not_(settled))
    return and_(func.coalesce(row.due_on, row.issued_on) < window.day, unpaid)


async def add(connection: Connection, window: Window, columns: Columns, known: set[str]) -> None:
    """Add the facts of `NAMES`; `known` customers without invoices have zeros."""
    rows = [row for row in await connection.execute(_invoices(window)) if row.customer_id in known]
    columns.fill(rows, ["payment_failures_90d"], absent={"payment_failures_90d": 0.0}, of=known)
    columns.fill([], ["days_past_due"], absent={"days_past_due": 0.0}, of=known)
    columns.take_days(rows, "due_on", "days_past_due", lambda on: (window.day - on).days)


def _invoices(window: Window) -> Any:
    row = invoice.c
    bad, late = failed(window, 90), overdue(window)
    return (
        select(
            row.customer_id,
            func.sum(case((bad, 1), else_=0)).label("payment_failures_90d"),
            func.min(case((late, func.coalesce(row.due_on, row.issued_on)))).label("due_on"),
        )
        .where(window.known_of_asked(invoice), row.issued_on <= window.day, or_(bad, late))
        .group_by(row.customer_id)
    )
