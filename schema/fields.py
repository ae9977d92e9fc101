"""How a type says where each of its fields is read: a column, a relation, a part of the same row, or computed of columns.

    @strawberry.type
    class Ticket(Node):
        subject: str | None = column()
        opened_on: date = column("created_on")
        customer: Customer | None = one("customer", key="id", parent="customer_id", unique=True)
        replies: Connection[Reply] = page("reply", key="ticket_id", order=Order("created_at", descending=True))

A declaration is all there is: `schema.selection` reads it to plan what a query needs, the store reads the plan, and the field
then only takes its value out of the row it stands in. No field of a type runs a query, and none holds a rule.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

from strawberry.annotation import StrawberryAnnotation
from strawberry.types.arguments import StrawberryArgument
from strawberry.types.field import StrawberryField
from strawberry.types.info import Info

from hub.store.query import Order, Relation, Where
from hub.store.query.plan import Operator, Shape
from schema.personal import PERSONAL
from schema.spelling import api_name as api_name
from schema.spelling import plain as plain

DEFAULT_FIRST = 20
LARGEST_FIRST = 1_000
"""What is in a page, and in the pages within it, is bounded by what an operation may cost."""
FIRST_IS = f"1 to {LARGEST_FIRST:,}"
BY_ID = Order("id")
_READ = "cshub.read"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the entity's row."""

    name: str


@dataclass(frozen=True, slots=True)
class Key:
    """A key of a JSON object; absent is null."""

    name: str


@dataclass(frozen=True, slots=True)
class Computed:
    """`function` of the row, or of the row and the request's context; `needs` are the columns it looks at."""

    function: Callable[..., Any]
    needs: tuple[str, ...] = ()
    of_context: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """The same row seen as another type; null where the column `unless_null` is."""

    unless_null: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """An argument that narrows a relation: rows whose `column` is `operator` what was given.

    value   makes what the column is compared with of what was given and the request's context
    personal  it chooses by personal data (schema.personal)
    """

    name: str
    type: Any
    column: str
    operator: Operator = "eq"
    default: Any = None
    description: str | None = None
    value: Callable[..., Any] | None = None
    personal: bool = False


@dataclass(frozen=True, slots=True)
class Related:
    """Rows of another entity, narrowed by arguments.

    most      a list has no more rows than this
    expected  how many rows a list counts as, when the size of a query is judged
    on_day    tests that depend on the day of the request
    """

    relation: Relation
    arguments: tuple[Argument, ...] = ()
    most: int | None = None
    expected: int = 5
    on_day: Callable[[date], tuple[Where, ...]] | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """`function(row, context, …arguments)`, awaited: work of its own for one row, so never asked of a list.

    needs  the columns it looks at
    """

    function: Callable[..., Awaitable[Any]]
    needs: tuple[str, ...] = ()


Reading = Column | Key | Computed | Part | Related | Asked


class RowField(StrawberryField):
    """A Strawberry field that reads its value from the row, as its `Reading` says."""

    @cached_property
    def reading(self) -> Reading:
        found: Reading = self.metadata[_READ]
        if isinstance(found, Column | Key) and not found.name:
            return type(found)(self.python_name)
        return found

    @property
    def is_basic_field(self) -> bool:
        """Whether the row alone is enough: then Strawberry passes no `info` and takes a short way."""
        reading = self.reading
        return not isinstance(reading, Related | Asked) and not (isinstance(reading, Computed) and reading.of_context)

    def get_result(self, source: Any, info: Info | None, args: list[Any], kwargs: Any) -> Any:
        match self.reading:
            case Column(name):
                return source[name]
            case Key(name):
                return source.get(name)
            case Related():
                assert info is not None, "a relation is no basic field"
                return source.children[place_of(info._raw_info.field_nodes)]
            case Asked(function):
                assert info is not None, "what is asked for is no basic field"
                return function(source, info.context, **kwargs)
            case Part(unless_null):
                return source if unless_null is None or source[unless_null] is not None else None
            case Computed(function, _, of_context):
                return function(source, info.context) if of_context and info is not None else function(source)


def place_of(nodes: Sequence[Any]) -> tuple[int, ...]:
    """What tells one place of a selection from another: the very nodes of the document that ask for it."""
    return tuple(map(id, nodes))


def reading_of(field: StrawberryField | None) -> Reading | None:
    """How a field is read; None for one with a resolver of its own."""
    return field.reading if isinstance(field, RowField) else None


def _field(reading: Reading, *, description: str | None, personal: bool = False) -> Any:
    return RowField(metadata={_READ: reading}, description=description, directives=[PERSONAL] if personal else [])


def column(name: str | None = None, description: str | None = None, *, personal: bool = False) -> Any:
    """A column; called like the field where no name is given. `personal`: see schema.personal."""
    return _field(Column(name or ""), description=description, personal=personal)


def key(name: str | None = None, description: str | None = None, *, personal: bool = False) -> Any:
    """A key of a JSON object; called like the field where no name is given."""
    return _field(Key(name or ""), description=description, personal=personal)


def computed(function: Callable[..., Any], *needs: str, description: str | None = None, personal: bool = False) -> Any:
    """`function(row)`."""
    return _field(Computed(function, needs), description=description, personal=personal)


def computed_now(
    function: Callable[..., Any], *needs: str, description: str | None = None, personal: bool = False
) -> Any:
    """`function(row, context)`."""
    return _field(Computed(function, needs, of_context=True), description=description, personal=personal)


def asked(
    function: Callable[..., Awaitable[Any]],
    *needs: str,
    arguments: Sequence[StrawberryArgument] = (),
    description: str | None = None,
    personal: bool = False,
) -> Any:
    """`await function(row, context, …arguments)`, where the query asks for one row."""
    field = _field(Asked(function, needs), description=description, personal=personal)
    field.arguments = list(arguments)
    return field


def part(unless_null: str | None = None, *, description: str | None = None) -> Any:
    return _field(Part(unless_null), description=description)


def one(
    entity: str,
    *,
    key: str,
    parent: str = "id",
    unique: bool = False,
    order: Order = BY_ID,
    where: tuple[Where, ...] = (),
    on_day: Callable[[date], tuple[Where, ...]] | None = None,
    arguments: tuple[Argument, ...] = (),
    description: str | None = None,
) -> Any:
    """The one row of `entity` with this key, or the first of them in `order`."""
    relation = Relation(entity=entity, key=key, parent=parent, shape="one", unique=unique, order=order, where=where)
    return _with_arguments(Related(relation, arguments, on_day=on_day), (), description)


def many(
    entity: str,
    *,
    key: str,
    parent: str = "id",
    order: Order = BY_ID,
    where: tuple[Where, ...] = (),
    most: int | None = None,
    expected: int = 5,
    arguments: tuple[Argument, ...] = (),
    description: str | None = None,
) -> Any:
    """Rows of `entity`, all of them or at most `most`."""
    relation = Relation(entity=entity, key=key, parent=parent, shape="list", order=order, where=where)
    return _with_arguments(Related(relation, arguments, most, expected), (), description)


def page(
    entity: str,
    *,
    key: str,
    order: Order,
    parent: str = "id",
    where: tuple[Where, ...] = (),
    on_day: Callable[[date], tuple[Where, ...]] | None = None,
    arguments: tuple[Argument, ...] = (),
    description: str | None = None,
) -> Any:
    """A connection: rows of `entity`, `first` so many after a cursor."""
    relation = Relation(entity=entity, key=key, parent=parent, shape="page", order=order, where=where)
    paging = (
        StrawberryArgument(
            "first", "first", StrawberryAnnotation(int), default=DEFAULT_FIRST, description=f"{FIRST_IS}."
        ),
        StrawberryArgument("after", "after", StrawberryAnnotation(str | None), default=None, description="A cursor."),
    )
    return _with_arguments(Related(relation, arguments, on_day=on_day), paging, description)


def how_many(
    entity: str, *, key: str, parent: str = "id", where: tuple[Where, ...] = (), description: str | None = None
) -> Any:
    """The number of rows of `entity` with this key."""
    shape: Shape = "count"
    return _field(
        Related(Relation(entity=entity, key=key, parent=parent, shape=shape, where=where)), description=description
    )


def _with_arguments(related: Related, before: Sequence[StrawberryArgument], description: str | None) -> Any:
    field = _field(related, description=description)
    field.arguments = [
        *before,
        *(
            StrawberryArgument(
                argument.name,
                api_name(argument.name),
                StrawberryAnnotation(argument.type),
                default=argument.default,
                description=argument.description,
                directives=[PERSONAL] if argument.personal else (),
            )
            for argument in related.arguments
        ),
    ]
    return field


def wheres(related: Related, given: Mapping[str, Any], context: Any) -> tuple[Where, ...]:
    """The tests that the day of the request and the given arguments (by their names in the API) add to a relation."""
    found = list(related.on_day(context.now.date())) if related.on_day is not None else []
    for argument in related.arguments:
        value = given.get(api_name(argument.name))
        if value is not None and argument.value is not None:
            value = argument.value(value, context)
        if value is not None:
            found.append(Where(argument.column, argument.operator, plain(value)))
    return tuple(found)
