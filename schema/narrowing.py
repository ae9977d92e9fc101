"""Tests of a list's rows out of the arguments of a query: what is not given does not narrow, a list is any of its members."""

from datetime import datetime
from typing import Any

from hub.store.query import Where
from schema.errors import BadInputError
from schema.fields import plain
from schema.nodes import key_of


def narrowed(*, customer_id: str | None = None, **given: Any) -> list[Where]:
    """`column=value`: a list means any of its members. `customer_id` is a customer's id in the API."""
    found = [
        Where(column, "in" if isinstance(value, list) else "eq", plain(value))
        for column, value in given.items()
        if value is not None
    ]
    if customer_id is not None:
        found.append(Where("customer_id", "eq", key_of(customer_id, "customer", field="customerId")))
    return found


def between(column: str, first: Any, last: Any) -> list[Where]:
    """At or after `first`, at or before `last`; None is no bound."""
    bounds: list[Where] = []
    if first is not None:
        bounds.append(Where(column, "ge", checked_moment(first)))
    if last is not None:
        bounds.append(Where(column, "le", checked_moment(last)))
    return bounds


def there(column: str, given: bool | None) -> list[Where]:
    """Whether the column has a value; None: either way."""
    return [] if given is None else [Where(column, "is_null", not given)]


def checked_moment(given: Any) -> Any:
    """A moment with its time zone; a day is as good without."""
    if isinstance(given, datetime) and given.tzinfo is None:
        raise BadInputError(f"{given.isoformat()} has no time zone: write {given.isoformat()}Z")
    return given
