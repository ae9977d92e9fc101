"""Minutes between two moments, in the words of each database: the one piece of date arithmetic that rows need."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Float, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction

from hub.store.tables.base import UtcDateTime


class elapsed_minutes(GenericFunction[float]):  # noqa: N801 - SQLAlchemy names a function by its class
    """elapsed_minutes(since, until): minutes, with fractions."""

    type = Float()
    inherit_cache = True


@compiles(elapsed_minutes, "sqlite")
def _sqlite(element: elapsed_minutes, compiler: SQLCompiler, **options: Any) -> str:
    since, until = (compiler.process(part, **options) for part in element.clauses)
    return f"((julianday({until}) - julianday({since})) * 1440.0)"


@compiles(elapsed_minutes, "postgresql")
def _postgresql(element: elapsed_minutes, compiler: SQLCompiler, **options: Any) -> str:
    since, until = (compiler.process(part, **options) for part in element.clauses)
    return f"(extract(epoch from ({until} - {since})) / 60.0)"


def minutes_until(until: datetime, since: ColumnElement[Any]) -> ColumnElement[Any]:
    """Minutes from the column `since` to the moment `until`."""
    return elapsed_minutes(since, literal(until, UtcDateTime()))
