"""What a view is: one kind of row that leaves the hub for other tools, its columns with what each means, and how it is read.

The same declaration makes the database's view (`bi_…`, for a BI tool that speaks SQL), the export (for one that speaks HTTP),
and their page in docs/. Personal data is in the export only, for who may see it: a database does not know who asks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Date, Float, FromClause, Integer, Select, Table, select
from sqlalchemy.types import Boolean, TypeEngine

from hub.store.tables.base import UtcDateTime

KINDS: Sequence[tuple[type[TypeEngine[Any]], str]] = (
    (Boolean, "boolean"),
    (Integer, "integer"),
    (Float, "number"),
    (Date, "date"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A column: `about` says what it means, with its unit or range; `personal`: who sees it learns something of a person."""

    name: str
    value: ColumnElement[Any]
    about: str
    personal: bool = False

    @property
    def kind(self) -> str:
        """text, integer, number, boolean, date or time."""
        type_ = self.value.type
        if isinstance(type_, UtcDateTime):
            return "time"
        return next((kind for of, kind in KINDS if isinstance(type_, of)), "text")


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """name: as an export's address has it. key: what its rows are ordered and told apart by; the first columns.

    customer  the id of the customer a row is about
    grouped   columns its rows are sums over; none: its rows are those of a table
    """

    name: str
    about: str
    rows: FromClause
    columns: tuple[Given, ...]
    customer: ColumnElement[Any]
    key: tuple[str, ...] = ("id",)
    where: tuple[ColumnElement[bool], ...] = ()
    grouped: tuple[ColumnElement[Any], ...] = ()

    @property
    def view(self) -> str:
        """Its name in the database."""
        return f"bi_{self.name}"

    def column(self, name: str) -> Given:
        return next(each for each in self.columns if each.name == name)

    def shown(self, *, personal: bool) -> tuple[Given, ...]:
        """The columns of who may see personal data, or of who may not."""
        return tuple(each for each in self.columns if personal or not each.personal)

    def statement(self, columns: Sequence[Given]) -> Select[*tuple[Any, ...]]:
        """All of its rows, in no order."""
        made = select(*[each.value.label(each.name) for each in columns]).select_from(self.rows).where(*self.where)
        return made.group_by(*self.grouped) if self.grouped else made


def columns_of(table: Table | FromClause, personal: Sequence[str] = (), **abouts: str) -> tuple[Given, ...]:
    """Columns of a table under their own names: `name="what it means"`."""
    return tuple(
        Given(name=name, value=table.c[name], about=about, personal=name in personal) for name, about in abouts.items()
    )
