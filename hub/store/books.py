"""The book of a CSM as a test in SQL: for readers with statements of their own; `hub.store.query` has it in every one.

`book` is what `hub.access.Viewer.book` says: an address in small letters, or None where all customers are seen. A customer
that was merged into another is in nobody's book.
"""

from typing import Any

from sqlalchemy import ColumnElement, bindparam, select

from hub.store.store import Connection
from hub.store.tables import alert, customer, playbook_run

_owners = customer.alias("book_customer")


def of_book(customer_id: ColumnElement[Any], book: str | None) -> list[ColumnElement[bool]]:
    """Clauses that the customer whose id a column holds is in the book: one, or none where all are seen."""
    if book is None:
        return []
    mine = select(_owners.c.id).where(
        _owners.c.csm_email == bindparam("book", book), _owners.c.merged_into_id.is_(None)
    )
    return [customer_id.in_(mine)]


async def holds_customer(connection: Connection, id_: str, *, book: str | None) -> bool:
    """Whether there is this customer in the book."""
    return await _holds(connection, customer.c.id, id_, customer.c.id, book)


async def holds_run(connection: Connection, id_: str, *, book: str | None) -> bool:
    """Whether there is this playbook run, of a customer in the book."""
    return await _holds(connection, playbook_run.c.id, id_, playbook_run.c.customer_id, book)


async def holds_alert(connection: Connection, id_: str, *, book: str | None) -> bool:
    """Whether there is this alert or task, of a customer in the book."""
    return await _holds(connection, alert.c.id, id_, alert.c.customer_id, book)


async def _holds(
    connection: Connection, key: ColumnElement[Any], id_: str, customer_id: ColumnElement[Any], book: str | None
) -> bool:
    statement = select(key).where(key == id_, *of_book(customer_id, book))
    return (await connection.execute(statement)).first() is not None
