"""Texts in SQL: compared by the letters they are made of, on SQLite and PostgreSQL alike, whatever the locale of a server.

    bytewise(column)    to order by and to compare the order of: code point by code point, as SQLite does by itself
    folded(column, needle)    in small letters, one for one, as `hub.model.conditions.fold` makes them

Small letters of A-Z are in both databases. For all others SQLite calls `fold` itself (`teach` tells it), and PostgreSQL has
Unicode's own tables from version 17 on, those of ICU before.
"""

from typing import Any

from sqlalchemy import ColumnElement, String, Text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction

from hub.model.conditions import fold
from hub.model.conditions.texts import ODD, SEPARATORS

FOLD = "cshub_fold"
_PLAIN = {odd: small for odd, small in ODD.items() if small.isascii()}


def teach(connection: Any) -> None:
    """Make `fold` known to a new connection to SQLite."""
    connection.create_function(FOLD, 1, lambda text: None if text is None else fold(str(text)), deterministic=True)


def bytewise(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """The column, a text's order being that of its code points; any other column is as it is."""
    return _bytewise(column) if isinstance(column.type, String) else column


def folded(column: ColumnElement[Any], needle: str) -> ColumnElement[Any]:
    """The column in small letters, to look for `needle` in: where that is of A-Z alone, the databases' own way will do."""
    return _ascii_lower(column) if needle.isascii() else _all_lower(column)


def spaced(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """The column with a blank for everything that stands between words, and one before it."""
    return _spaced(column)


class _bytewise(GenericFunction[Any]):  # noqa: N801 - named as the SQL it stands for
    """Ordered by code point."""

    type = Text()
    inherit_cache = True


class _ascii_lower(GenericFunction[str]):  # noqa: N801 - named as the SQL it stands for
    """Small letters for A-Z, and for the two odd letters whose small ones are among them."""

    type = Text()
    inherit_cache = True


class _all_lower(GenericFunction[str]):  # noqa: N801 - named as the SQL it stands for
    """Small letters for all."""

    type = Text()
    inherit_cache = True


class _spaced(GenericFunction[str]):  # noqa: N801 - named as the SQL it stands for
    """A blank for each separator, and one before all."""

    type = Text()
    inherit_cache = True


def _replaced(sql: str, letters: dict[str, str]) -> str:
    for old, new in letters.items():
        sql = f"replace({sql}, '{_quoted(old)}', '{new}')"
    return sql


def _quoted(text: str) -> str:
    return text.replace("'", "''")


@compiles(_bytewise, "sqlite")
def _(element: _bytewise, compiler: SQLCompiler, **options: Any) -> str:
    return compiler.process(element.clauses, **options)


@compiles(_bytewise, "postgresql")
def _(element: _bytewise, compiler: SQLCompiler, **options: Any) -> str:
    return f'({compiler.process(element.clauses, **options)}) COLLATE "C"'


@compiles(_ascii_lower, "sqlite")
def _(element: _ascii_lower, compiler: SQLCompiler, **options: Any) -> str:
    return f"lower({_replaced(compiler.process(element.clauses, **options), _PLAIN)})"


@compiles(_ascii_lower, "postgresql")
def _(element: _ascii_lower, compiler: SQLCompiler, **options: Any) -> str:
    return f'lower(({_replaced(compiler.process(element.clauses, **options), _PLAIN)}) COLLATE "C")'


@compiles(_all_lower, "sqlite")
def _(element: _all_lower, compiler: SQLCompiler, **options: Any) -> str:
    return f"{FOLD}({compiler.process(element.clauses, **options)})"


@compiles(_all_lower, "postgresql")
def _(element: _all_lower, compiler: SQLCompiler, **options: Any) -> str:
    version = getattr(compiler.dialect, "server_version_info", None) or (17,)
    collation = "pg_c_utf8" if version >= (17,) else "und-x-icu"
    return f'lower(({_replaced(compiler.process(element.clauses, **options), ODD)}) COLLATE "{collation}")'


@compiles(_spaced, "sqlite")
def _(element: _spaced, compiler: SQLCompiler, **options: Any) -> str:
    inner = compiler.process(element.clauses, **options)
    return "' ' || " + _replaced(inner, dict.fromkeys(SEPARATORS.strip(), " "))


@compiles(_spaced, "postgresql")
def _(element: _spaced, compiler: SQLCompiler, **options: Any) -> str:
    marks = SEPARATORS.strip()
    inner = compiler.process(element.clauses, **options)
    return f"' ' || translate({inner}, '{_quoted(marks)}', '{' ' * len(marks)}')"
