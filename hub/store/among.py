"""`column IN (…)` for many values: one parameter, so that the statement is the same, and compiled once, for however many."""

from collections.abc import Iterable

import orjson
from sqlalchemy import ColumnElement, Text, any_, bindparam, literal, text
from sqlalchemy.dialects.postgresql import ARRAY

from hub.store.store import Connection

_EACH = text("SELECT value FROM json_each(:among)")
"""Built once: as expressions it costs more to put together than to ask."""


def among(connection: Connection, column: ColumnElement[str], values: Iterable[str]) -> ColumnElement[bool]:
    """Whether a column of text is one of these."""
    wanted = list(values)
    if connection.dialect.name == "sqlite":
        given = bindparam("among", orjson.dumps(wanted).decode(), type_=Text, unique=True)
        return column.in_(_EACH.bindparams(given))
    return column == any_(literal(wanted, ARRAY(Text)))
