"""The book of a CSM as a test in SQL: for readers with statements of their own; `hub.store.query` has it in every one.

`book` is what `hub.access.Viewer.book` says: an address in small letters, or None where all customers are seen. A customer
that was merged into another is in nobody's book.
"""

from typing import Any

from sqlalchemy import ColumnElement, bindparam, select

from hub.store.tables import customer

_owners = customer.alias("book_customer")


def of_book(customer_id: ColumnElement[Any], book: str | None) -> list[ColumnElement[bool]]:
    """Clauses that the customer whose id a column holds is in the book: one, or none where all are seen."""
    if book is None:
        return []
    mine = select(_owners.c.id).where(_owners.c.csm_email == bindparam("book", book), _owners.c.merged_into_id.is_(None))
    return [customer_id.in_(mine)]
