"""Notes on customers, and whose customers were by our own word."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from schema.fields import column, one
from schema.nodes import Node

if TYPE_CHECKING:
    from schema.customers.types import Customer

CustomerRef = Annotated["Customer", strawberry.lazy("schema.customers.types")]


@strawberry.type(description="What one of our people wrote of a customer. Deleted, it is no longer there.")
class Note(Node):
    body: str = column(personal=True)
    by: str = column(description="Which of our people wrote it.")
    at: datetime = column()
    edited_at: datetime | None = column()
    edited_by: str | None = column()
    customer: CustomerRef | None = one("customer", key="id", parent="customer_id", unique=True)


@strawberry.type(description="A customer was given to a CSM by our own word, which goes before the source's.")
class CsmAssignment:
    csm_email: str | None = column(description="Null: to nobody.")
    csm_name: str | None = column()
    reason: str | None = column(personal=True)
    by: str = column()
    at: datetime = column()
    ended_at: datetime | None = column(description="By the next one, or by giving it back; null while it is in force.")
    ended_by: str | None = column()
