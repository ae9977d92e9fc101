"""Values of a finished text that Python works out: sealed ids and cursors of the API, computed fields, JSON of a column.

The statement leaves them as marked pieces. A piece is a code and what the value is made of; all pieces of a text are taken
out, replaced and put back at once, and an id that was made before is only looked up.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import lru_cache
from inspect import isawaitable
from typing import Any

import orjson
from graphql import (
    GraphQLError,
    GraphQLObjectType,
    Undefined,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
)

from hub.errors import CshubError
from hub.store.query import Order, Position, Row
from hub.store.query.compiled import MARKS, Marks, NotCompilableError
from hub.store.query.compiled.leaves import kind_of
from hub.store.query.entities import ENTITIES
from schema.compiled.looking_up import UnfitError as UnfitError
from schema.compiled.looking_up import looked_up
from schema.compiled.remembered import Remembered
from schema.fields import Column, Computed, Key, Part, reading_of
from schema.nodes import global_id
from schema.paging import encode_cursor

WRONG = (TypeError, ValueError, LookupError, AttributeError, ArithmeticError, GraphQLError, CshubError)
"""What a function of a field may fail with; the ordinary path then says how."""


def _quoted_id(piece: bytes) -> bytes:
    """entity:key, the key as it stands in a text of JSON -> the id of the API, as JSON."""
    entity, _, key = piece.partition(b":")
    return _id(entity, str(orjson.loads(b'"' + key + b'"')))


def _opened_id(piece: bytes) -> bytes:
    """The same of the key as it is."""
    entity, _, key = _opened(piece, MARKS["postgresql"]).partition(b":")
    return _id(entity, key.decode())


def _opened(piece: bytes, marks: Marks) -> bytes:
    if not piece.startswith(marks.opening):  # a record holds the mark
        raise UnfitError
    return piece[len(marks.opening) :]


def _id(entity: bytes, key: str) -> bytes:
    return b'"' + global_id(entity.decode(), key).encode() + b'"'


_QUOTED_IDS, _IDS = Remembered(_quoted_id), Remembered(_opened_id)

Making = Callable[[Sequence[Any], Any], Any]
"""(columns, context) -> the value, as orjson can encode it."""


def fill(
    text: bytes, codes: Mapping[str, Making], context: Any, marks: Marks, around: tuple[bytes, bytes]
) -> list[bytes]:
    """What the text comes to between what stands around it, every marked piece replaced; in pieces, for it may be large.

    UnfitError where something in it may not be.
    """
    before, after = around
    if marks.fail and marks.fail in text:
        raise UnfitError
    text = looked_up(text, marks)
    if not marks.mark:
        return [before, text, after]
    pieces = _pieces(text, marks)
    *opened, first = before.split(marks.mark)
    last, *closed = after.split(marks.mark)
    pieces[:1] = [*opened, first + pieces[0]]
    pieces[-1:] = [pieces[-1] + last, *closed]
    ids = (_QUOTED_IDS if marks.quoted else _IDS).fresh()
    if codes:
        made = marks.opening + b"#"
        pieces[1::2] = [
            _made(each, codes, context, marks) if each.startswith(made) else ids[each] for each in pieces[1::2]
        ]
    else:
        pieces[1::2] = map(ids.__getitem__, pieces[1::2])
    return pieces


def _pieces(text: bytes, marks: Marks) -> list[bytes]:
    """Every second one is to be replaced."""
    if not marks.quoted:
        return text.split(marks.mark)
    open_ = b'"' + marks.mark
    return text.replace(marks.mark + b'"', open_).split(open_)


def _made(piece: bytes, codes: Mapping[str, Making], context: Any, marks: Marks) -> bytes:
    code, _, payload = _opened(piece, marks).partition(b":")
    try:
        values = orjson.loads(orjson.loads(b'"' + payload + b'"') if marks.quoted else payload)
        return orjson.dumps(codes[code.decode()](values, context), option=orjson.OPT_NON_STR_KEYS)
    except WRONG as error:
        raise UnfitError from error


def cursors(entity: str, order: Order) -> Making:
    """Cursors of an entity's rows in an order: of the value and the id."""
    decode, decode_id = decoder(entity, order.column), decoder(entity, ENTITIES[entity].id)

    def cursor(values: Sequence[Any], _: Any) -> str:
        return encode_cursor(entity, order, Position(decode(values[0]), str(decode_id(values[1]))))

    return cursor


def _as_it_is(value: Any) -> Any:
    return value


def _day(value: str | None) -> date | None:
    return None if value is None else date.fromisoformat(value)


def _moment(value: str | None) -> datetime | None:
    if value is None:
        return None
    found = datetime.fromisoformat(value)
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


@lru_cache(maxsize=4096)
def decoder(entity: str, column: str) -> Callable[[Any], Any]:
    """What makes of a column's JSON what the store's driver gives for it."""
    kind = kind_of(ENTITIES[entity].expression(column))
    return _day if kind == "date" else _moment if kind == "time" else _as_it_is


def of_row(entity: str, needs: Sequence[str], complete: Callable[[Any, Any], Any]) -> Making:
    """What `complete` makes of a row with these columns."""
    decoders = [decoder(entity, name) for name in needs]

    def made(values: Sequence[Any], context: Any) -> Any:
        row = Row(entity, {name: decode(value) for name, decode, value in zip(needs, decoders, values, strict=True)})
        return complete(row, context)

    return made


Completing = Callable[[Any, Any], Any]
"""(value, context) -> the value as it stands in the answer."""


Below = Callable[[GraphQLObjectType], Mapping[str, tuple[Any, Any]]]
"""Of an object type: response key -> (field, the same for what is below it); no field for __typename."""


def completing(type_: Any, below: Below) -> Completing:
    """Completes values of a type as graphql-core does."""
    if is_non_null_type(type_):
        return _required(completing(type_.of_type, below))
    if is_list_type(type_):
        return _listed(completing(type_.of_type, below))
    if is_leaf_type(type_):
        return _leaf(type_.coerce_output_value)
    if isinstance(type_, GraphQLObjectType):
        return _object(type_, below)
    raise NotCompilableError(f"{type_} is of no one type")


def _required(inner: Completing) -> Completing:
    def made(value: Any, context: Any) -> Any:
        found = inner(value, context)
        if found is None:
            raise UnfitError
        return found

    return made


def _listed(each: Completing) -> Completing:
    def made(value: Any, context: Any) -> Any:
        if value is None:
            return None
        if not isinstance(value, list | tuple):
            raise UnfitError
        return [each(item, context) for item in value]

    return made


def _leaf(write: Callable[[Any], Any]) -> Completing:
    def made(value: Any, _: Any) -> Any:
        if value is None:
            return None
        found = write(value)
        if found is None or found is Undefined or isawaitable(value):
            raise UnfitError
        return found

    return made


def _object(type_: GraphQLObjectType, below: Below) -> Completing:
    fields: dict[str, Completing] = {}
    for name, (field, inner) in below(type_).items():
        if field is None:
            fields[name] = _constant(type_.name)
            continue
        reading = reading_of(field.extensions.get("strawberry-definition"))
        fields[name] = _of_reading(reading, completing(field.type, inner))

    def made(value: Any, context: Any) -> Any:
        return None if value is None else {name: complete(value, context) for name, complete in fields.items()}

    return made


def _constant(name: str) -> Completing:
    return lambda _value, _context: name


def _of_reading(reading: Any, complete: Completing) -> Completing:
    match reading:
        case Column(name):
            return lambda row, context: complete(row[name], context)
        case Key(name):
            return lambda row, context: complete(row.get(name), context)
        case Computed(function, _, True):
            return lambda row, context: complete(function(row, context), context)
        case Computed(function, _, False):
            return lambda row, context: complete(function(row), context)
        case Part(None):
            return complete
        case Part(unless_null):
            return lambda row, context: complete(row if row[unless_null] is not None else None, context)
    raise NotCompilableError("a field with a resolver of its own")
