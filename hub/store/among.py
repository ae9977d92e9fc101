"""`column IN (…)` for many values: one parameter, so that the statement is the same, and compiled once, for however many."""

from collections.abc import Iterable

import orjson
from sqlalchemy import ColumnElement, Text, any_, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY

from hub.store.store import Connection


def among(connection: Connection, column: ColumnElement[str], values: Iterable[str]) -> ColumnElement[bool]:
    """Whether a column of text is one of these."""
    wanted = list(values)
    if connection.dialect.name == "sqlite":
        each = func.json_each(literal(orjson.dumps(wanted).decode(), Text)).table_valued("value")
        return column.in_(select(each.c.value))
    return column == any_(literal(wanted, ARRAY(Text)))
