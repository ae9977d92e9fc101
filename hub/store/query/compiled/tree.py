"""What a finished text is to hold, as pure dataclasses: the shape of a selection, and what one request gives to it.

    Root ── Fields ── Leaf | Named | Constant | Filled | Part | Nested
                                                          └─ Fields   └─ Fields, or Paged ── Nodes | Edges | PageInfo | Total

A tree is made once for a selection. `Given` is what a request adds to each `Nested` (and to the root, number 0): arguments,
page and position. Its values are bound; only its `shape` decides which statement it is.
"""

import secrets
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

from hub.model.conditions import Condition
from hub.store.query.plan import Order, Position, Relation, Where

Kind = Literal["text", "int", "float", "bool", "date", "time", "json", "enum"]

OPEN, CLOSE = f"\x02{secrets.token_urlsafe(6)}", "\x02"
"""Around what is filled in later. JSON escapes them, but keys to be sealed stand in PostgreSQL's texts as they are; and the
former nobody outside this process can write into a record, so what stands between two marks is to be filled in, or began
otherwise."""
FAIL = "\x03"
"""In the place of a value the answer may not hold."""
KEYED = f"~{''.join(secrets.choice('ghijkmnpqrstuvwxyz') for _ in range(2))}"
"""SQLite, in names of fields: before the code of what is looked up by the field's value, and, in the next field's name, after
it."""


@dataclass(frozen=True, slots=True)
class Marks:
    """The marks as they stand in a text of a database, a byte each, which is found fast; empty for what a statement does not
    write.

    opening  what stands after a mark that opens
    quoted   whether what is filled in later stands there as a text of JSON; else as it is, its quotes not yet around it
    """

    mark: bytes
    fail: bytes
    keyed: bytes
    opening: bytes
    quoted: bool


MARKS = {
    # bytes that no text in UTF-8 has
    "sqlite": Marks(b"\xfb", b"\xfc", b"\xff", b"", quoted=True),
    "postgresql": Marks(CLOSE.encode(), FAIL.encode(), b"", OPEN[1:].encode(), quoted=False),
}


ENUMS: dict[str, dict[str | None, str | None]] = {}
"""By their codes: names of members by their values."""

BOUND = frozenset({"eq", "in", "ge", "le", "after_or_null"})
"""Tests whose value is bound; of others it is part of the statement."""


class NotCompilableError(Exception):
    """The tree asks for what no statement is made for; the ordinary path answers it."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """A column as a JSON value. names: of the members of an enum, by their values; required: null may not be."""

    column: str
    kind: Kind
    required: bool
    names: tuple[tuple[str, str], ...] = ()

    def code(self) -> str:
        """Of the enum, by which its names are looked up; kept for the life of the process, as enums are few."""
        names: dict[str | None, str | None] = {**dict(self.names), **({} if self.required else {None: None})}
        for code, known in ENUMS.items():
            if known == names:
                return code
        code = f"={len(ENUMS)}"
        ENUMS[code] = names
        return code


@dataclass(frozen=True, slots=True)
class Named:
    """A row's own key behind a word of ours, as one text."""

    word: str
    column: str


@dataclass(frozen=True, slots=True)
class Constant:
    """The same text in every row."""

    text: str


@dataclass(frozen=True, slots=True)
class Filled:
    """Worked out later, from columns of the row. Stands in the text as code:[columns], plain: as code:column."""

    code: str
    needs: tuple[str, ...]
    plain: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """An object made of the same row; null where the column `unless_null` is."""

    fields: "Fields"
    unless_null: str | None
    required: bool


@dataclass(frozen=True, slots=True)
class Nested:
    """Rows of a relation: an object, a list, a page or a count, by the relation's shape."""

    number: int
    relation: Relation
    fields: "Fields | None" = None
    page: "Paged | None" = None
    required: bool = False
    expected: int = 1


@dataclass(frozen=True, slots=True)
class Cursor:
    """The cursor of a row, worked out later from the value its order goes by, and its id."""


@dataclass(frozen=True, slots=True)
class Nodes:
    fields: "Fields"


@dataclass(frozen=True, slots=True)
class Edges:
    """Each row with its cursor. parts: by the names of the answer."""

    parts: "tuple[tuple[str, Cursor | Nodes | Constant], ...]"


@dataclass(frozen=True, slots=True)
class PageInfo:
    parts: tuple[tuple[str, Literal["next", "previous", "start", "end"] | Constant], ...]


@dataclass(frozen=True, slots=True)
class Total:
    """How many rows the whole list has."""


@dataclass(frozen=True, slots=True)
class Paged:
    parts: "tuple[tuple[str, Nodes | Edges | PageInfo | Total | Constant], ...]"


Value = Leaf | Named | Constant | Filled | Part | Nested
Fields = tuple[tuple[str, Value], ...]


@dataclass(frozen=True, slots=True)
class Root:
    """Rows an answer begins with: a page, or else one row, by its id or as the first of its order."""

    entity: str
    fields: Fields | None = None
    page: Paged | None = None

    def only(self) -> str | None:
        """The name of the list that is all its page has: that list alone is the text, and its page is put around it later."""
        match self.page:
            case Paged(((name, Nodes()),)):
                return name
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What a request gives to one place of the tree.

    key   the id of the one row a root is
    """

    where: tuple[Where, ...] = ()
    first: int | None = None
    after: Position | None = None
    order: Order | None = None
    condition: Condition | None = None
    key: str | None = None

    def in_order(self, order: Order) -> "Given":
        return replace(self, order=order)

    def shape(self) -> Hashable:
        """What decides the statement: all but the values that are bound."""
        after = self.after and (self.after.value is None, type(self.after.value) is bool)
        tests = tuple(
            (each.column, each.operator, None if each.operator in BOUND else each.value) for each in self.where
        )
        return tests, self.first is None, after, self.order, self.condition, self.key is None

    def bound(self, number: int) -> Iterator[tuple[str, Any]]:
        """The values, by the names their statement knows them by."""
        for index, each in enumerate(self.where):
            if each.operator in BOUND:
                yield f"where_{number}_{index}", each.value
        if self.first is not None:
            yield f"first_{number}", self.first
        if self.after is not None:
            yield f"after_{number}", self.after.value
            yield f"after_id_{number}", self.after.id
        if self.key is not None:
            yield f"key_{number}", self.key
