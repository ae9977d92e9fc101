"""Relay connections with keyset cursors: a cursor says after which row a page goes on, not how many rows to skip.

A cursor holds the order it was made in and the place in it, so pages neither lose nor repeat rows that do not change, in any
order, with ties and missing values. It is opaque, and refused where it is damaged, made up, or of another list or order.
Where the id of a row may be made of personal data the cursor is sealed (hub.access.sealing).
"""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import date, datetime
from hmac import compare_digest
from typing import Any, Generic, TypeVar

import orjson
import strawberry

from hub.access.sealing import closed, mark, opened
from hub.store.query import Order, Page, Position, Row
from hub.store.query.entities import ENTITIES
from schema.errors import BadInputError
from schema.fields import FIRST_IS, LARGEST_FIRST, computed

T = TypeVar("T")
SEALED = frozenset({"contact", "external_id", "timeline", "quarantine", "mail_suppression", "mail_bounce"})
"""Entities whose ids may be made of personal data."""
_MARK_BYTES = 8
_DAMAGED = "after is not a cursor of this API"


@strawberry.type(description="Where a page stands in its list.")
class PageInfo:
    has_next_page: bool = computed(lambda page: page.more)
    has_previous_page: bool = computed(lambda page: page.later)
    start_cursor: str | None = computed(lambda page: cursor(page, page.rows[0]) if page.rows else None)
    end_cursor: str | None = computed(lambda page: cursor(page, page.rows[-1]) if page.rows else None)


@strawberry.type(description="One row of a page, with its cursor.")
class Edge(Generic[T]):
    cursor: str = computed(lambda edge: cursor(*edge))
    node: T = computed(lambda edge: edge[1])


@strawberry.type(description="A page of a list. `nodes` are the rows of `edges` without their cursors.")
class Connection(Generic[T]):
    edges: list[Edge[T]] = computed(lambda page: [(page, row) for row in page.rows])
    nodes: list[T] = computed(lambda page: page.rows)
    page_info: PageInfo = computed(lambda page: page)
    total_count: int = computed(
        lambda page: page.total, description="Rows of the whole list; counted only if asked for."
    )


def checked_first(first: int) -> int:
    """`first`, if it is in range."""
    if not 1 <= first <= LARGEST_FIRST:
        raise BadInputError(f"first must be {FIRST_IS}, not {first}")
    return first


def cursor(page: Page, row: Row) -> str:
    """The cursor of a row of a page."""
    return encode_cursor(row.entity, page.order, Position(row[page.order.column], identity(row)))


def identity(row: Row) -> str:
    """The value of a row's key."""
    return str(row[ENTITIES[row.entity].id])


def encode_cursor(entity: str, order: Order, position: Position) -> str:
    value = position.value
    kind = "v"
    if isinstance(value, datetime):
        kind, value = "t", value.isoformat()
    elif isinstance(value, date):
        kind, value = "d", value.isoformat()
    body = orjson.dumps([_label(entity, order), kind, value, position.id])
    if entity in SEALED:
        return closed("cursor", body)
    return urlsafe_b64encode(mark(body) + body).decode().rstrip("=")


def decode_cursor(entity: str, order: Order, text: str | None) -> Position | None:
    """The position a cursor holds; BadInputError where it is no cursor of this list and order."""
    if text is None:
        return None
    label, kind, value, key = _unpacked(text)
    if label != _label(entity, order):
        raise BadInputError(
            f"after is a cursor of another list or order ({label}); this one is {_label(entity, order)}: start without it"
        )
    if kind == "t":
        value = datetime.fromisoformat(value)
    elif kind == "d":
        value = date.fromisoformat(value)
    return Position(value, key)


def _unpacked(text: str) -> tuple[str, str, Any, str]:
    """What a cursor is made of; one that somebody made up is refused, so what is in it is what was put there."""
    body = opened("cursor", text)
    if body is None:
        try:
            raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
        except (binascii.Error, ValueError):
            raise BadInputError(_DAMAGED) from None
        body = raw[_MARK_BYTES:]
        if not compare_digest(mark(body), raw[:_MARK_BYTES]):
            raise BadInputError(_DAMAGED)
    label, kind, value, key = orjson.loads(body)
    return label, kind, value, key


def _label(entity: str, order: Order) -> str:
    return f"{entity} by {order.column} {'descending' if order.descending else 'ascending'}"
