"""One kind of entry in the timeline: which rows of which table are such entries, and what is said of them.

A part is a declaration. To show another thing that happened to customers, add one to a list of `hub.store.timeline`: the enum
of kinds, the filters and the paging of the API follow.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Table
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction

from hub.store.tables.base import UtcDateTime

Words = Sequence[str | None]
Title = Callable[[Words, float | None], str]
MOST_WORDS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Rows of `table` that pass `where` and are not deleted, each an entry.

    kind      as the API's enum names it, in small letters
    meaning   of the kind, in a few words
    joined    what else is looked at with a row, as (table, condition); at most one row for each of the table's
    customer  id of the customer it happened to; the table's `customer_id` where nothing is said
    at        when, as a moment (`midnight` of a column of days); rows without one are no entries
    title     makes a sentence of `words` (at most four texts) and `amount`; neither may hold personal data of a customer's
              people, which belongs in `text`
    own_words where a word may hold what a person wrote: the words without it, for who may not see personal data
    subject   the entity and the column of the id of what it is about, where the API can show that by its id
    actor     which of our own people did it
    text      what people wrote or are called: personal
    """

    kind: str
    meaning: str
    table: Table
    at: ColumnElement[Any]
    title: Title
    own_words: Callable[[Words], Words] | None = None
    joined: tuple[tuple[FromClause, ColumnElement[bool]], ...] = ()
    customer: ColumnElement[Any] | None = None
    where: tuple[ColumnElement[bool], ...] = ()
    words: tuple[ColumnElement[Any], ...] = ()
    amount: ColumnElement[Any] | None = None
    subject: tuple[str, ColumnElement[Any]] | None = None
    actor: ColumnElement[Any] | None = None
    text: ColumnElement[Any] | None = None

    def __post_init__(self) -> None:
        if len(self.words) > MOST_WORDS:
            raise TypeError(f"{self.kind} has {len(self.words)} words; there is room for {MOST_WORDS}")

    @property
    def rows(self) -> FromClause:
        """The table with what is joined to it."""
        source: FromClause = self.table
        for other, condition in self.joined:
            source = source.join(other, condition)
        return source

    @property
    def of(self) -> ColumnElement[Any]:
        """Id of the customer."""
        return self.table.c.customer_id if self.customer is None else self.customer

    @property
    def tests(self) -> tuple[ColumnElement[bool], ...]:
        """What a row must pass to be an entry."""
        kept = (self.table.c.deleted.is_(False),) if "deleted" in self.table.c else ()
        return (*kept, self.at.is_not(None), *self.where)


class midnight(GenericFunction[Any]):  # noqa: N801 - named as the SQL it stands for
    """The moment at which a day begins, in UTC."""

    type = UtcDateTime()
    inherit_cache = True


@compiles(midnight, "sqlite")
def _(element: midnight, compiler: SQLCompiler, **options: Any) -> str:
    return f"({compiler.process(element.clauses, **options)} || ' 00:00:00.000000')"


@compiles(midnight, "postgresql")
def _(element: midnight, compiler: SQLCompiler, **options: Any) -> str:
    return f"(CAST({compiler.process(element.clauses, **options)} AS timestamp) AT TIME ZONE 'UTC')"


def plain(sentence: str) -> Title:
    """A title out of `{0}`, `{1}` … for the words; an underscore in a word is a space, and a missing word "none"."""

    def made(words: Words, _amount: float | None) -> str:
        return sentence.format(*("none" if word is None else word.replace("_", " ") for word in words))

    return made


def money(amount: float | None, currency: str | None) -> str:
    return "an unknown amount" if amount is None else f"{amount:,.2f} {currency or ''}".rstrip()
