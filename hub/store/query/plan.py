"""What to read: a tree of plans, one for each entity of a selection, and the rows that come of it.

A plan knows columns, relations, tests and limits by name only. Running it set-wise (`read`) needs as many statements as it
has relations; the same tree holds everything that one statement per root field would be compiled from.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Operator = Literal[
    "eq", "in", "ge", "le", "after_or_null", "le_or_null", "is_null", "same_text", "contains", "ends_with"
]
Shape = Literal["one", "list", "page", "count"]


@dataclass(frozen=True, slots=True)
class Where:
    """A test on a column of the entity. `is_null` is given True or False; the last three
    compare texts in either case."""

    column: str
    operator: Operator
    value: Any


@dataclass(frozen=True, slots=True)
class Order:
    """By a column, missing values last in either direction; the entity's id breaks ties, in the same direction."""

    column: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Position:
    """The row a page goes on after: its value in the order's column, and its id."""

    value: Any
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """Rows of `entity` whose column `key` holds the parent's column `parent`.

    shape   "one" (or none), "list", "page" (may go on after a position), "count" (how many)
    unique  at most one row has a given key, so that none needs to be chosen
    """

    entity: str
    key: str
    parent: str = "id"
    shape: Shape = "list"
    order: Order = Order("id")
    where: tuple[Where, ...] = ()
    unique: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """Columns of an entity, and what to read with each of its rows."""

    columns: frozenset[str] = frozenset()
    children: Mapping[Hashable, "Child"] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """A relation as one place in a selection wants it. `total`: count the rows, not only those of the page."""

    relation: Relation
    plan: Plan
    where: tuple[Where, ...] = ()
    first: int | None = None
    after: Position | None = None
    total: bool = False


class Row(dict[str, Any]):
    """Columns of one row by name; `children` holds what its plan read with it, by the plan's keys."""

    __slots__ = ("children", "entity")

    def __init__(self, entity: str, values: Any) -> None:
        super().__init__(values)
        self.entity = entity
        self.children: dict[Hashable, Any] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Some rows of an ordered set; `total` counts the whole set, where it was asked for."""

    rows: list[Row]
    order: Order
    more: bool = False
    later: bool = False
    total: int | None = None
