"""Lists that PostgreSQL gave by their columns (hub.store.query.compiled.columns), put together as JSON in the tree's order.

All rows are joined at once: what is the same in each of them, and between that the values of the columns.

    [b'{"id":"', ids, b'","name":"', names, b'"}']        {"id":"…","name":"…"},{"id":"…","name":"…"}
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache, lru_cache
from itertools import repeat

import orjson

from hub.store.query.compiled import AFTER, BETWEEN, Constant, Fields, Filled, Leaf, Nested, Nodes, Paged, Part, width
from hub.store.query.compiled.tree import Value
from schema.compiled.looking_up import UnfitError
from schema.compiled.remembered import Remembered
from schema.nodes import global_id

_AFTER, _BETWEEN = AFTER.encode(), BETWEEN.encode()
_FAILED = b"\xfc"
"""In the place of a value that may not be missing: no byte of UTF-8. In a part that is missing itself it does no harm."""
_NULL = b"null"
_ESCAPED = bytes(each for each in range(32) if each not in (_AFTER[0], _BETWEEN[0])) + b'"\\'
_TIME = re.compile(rb"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?\+00")
_WHOLE_SECOND = len(b"2026-01-01 00:00:00+00")

Piece = bytes | list[bytes]
"""Of all rows: the same in each of them, or a value for each."""


def array(text: bytes, fields: Fields, null: bytes) -> bytes:
    """The list as JSON. null: what stands where a value is missing. UnfitError where something in it may not be."""
    first, *columns = text.split(_AFTER)
    count = int(first)
    if not count:
        return b"[]"
    if null not in text:
        null = b""
    rows = _Rows(iter(columns), count, null, escape=len(text.translate(None, _ESCAPED)) != len(text))
    pieces = rows.pieces(fields)
    if next(rows.columns, None) is not None:  # a record holds what stands between columns
        raise UnfitError
    row = _woven([*pieces, b","], count)
    row[0], row[-1] = b"[" + row[0], row[-1][:-1] + b"]"
    made = b"".join(row)
    if _FAILED in made:
        raise UnfitError
    return made


class _Rows:
    """Rows, and their columns still to be read, as texts or as values. escape: whether texts may not be JSON as they are."""

    def __init__(self, columns: Iterator[bytes | list[bytes]], count: int, null: bytes, *, escape: bool) -> None:
        self.columns = columns
        self.count = count
        self.null = null
        self.escape = escape

    def pieces(self, fields: Fields) -> list[Piece]:
        made: list[Piece] = []
        for name, value in fields:
            made.append(b'%b"%b":' % (b"," if made else b"{", name.encode()))
            made += self.value(value)
        return [*made, b"}"]

    def value(self, value: Value) -> list[Piece]:
        match value:
            case Constant(text):
                return [orjson.dumps(text)]
            case Leaf():
                return self.leaf(value)
            case Filled(entity, _, True):
                return self.texts(_ids(entity).fresh().__getitem__, required=True)
            case Part(fields, None):
                return self.pieces(fields)
            case Part(fields):
                return self.part(fields, required=value.required)
            case Nested(page=Paged(((name, Nodes(fields)),))):
                return [b'{"%b":[' % name.encode(), self.lists(fields), b"]}"]
        raise UnfitError

    def lists(self, fields: Fields) -> list[bytes]:
        """Of a relation, the rows that belong to each."""
        text = next(self.columns, None)
        if not isinstance(text, bytes):
            raise UnfitError
        wide = width(fields) + 1
        values = text.split(_BETWEEN)
        ends = values[wide - 1 :: wide]
        counted = {each: ends.count(each) for each in set(ends) - {b","}}
        none = counted.get(b"0", 0)
        rows = none + sum(int(many) * lists for many, lists in counted.items())
        # a record that holds what stands between values adds to them, but it cannot add rows to those that were counted
        if len(values) % wide or sum(counted.values()) != self.count or rows != len(ends):
            raise UnfitError
        columns = iter([values[at::wide] for at in range(wide - 1)])
        row = _whole(_Rows(columns, rows, self.null, escape=self.escape).pieces(fields))
        if none:
            row = [[b"" if end == b"0" else each for each, end in zip(_texts(row, rows), ends, strict=True)], b""]
        last = row.pop()
        assert isinstance(last, bytes), "an object ends with its brace"
        after = {end: last + (b"," if end == b"," else _AFTER) for end in (*counted, b",")}
        *lists, _ = b"".join(_woven([*row, list(map(after.__getitem__, ends))], rows)).split(_AFTER)
        return lists

    def part(self, fields: Fields, *, required: bool) -> list[Piece]:
        flags, _ = self.values()
        pieces = self.pieces(fields)
        if b"1" not in flags:
            return pieces
        missing = _FAILED if required else _NULL
        rows = zip(flags, _texts(pieces, self.count), strict=True)
        return [[missing if flag == b"1" else row for flag, row in rows]]

    def leaf(self, wanted: Leaf) -> list[Piece]:
        match wanted.kind:
            case "text":
                return self.texts(_escaped if self.escape else None, required=wanted.required)
            case "date":
                return self.texts(None, required=wanted.required)
            case "enum":
                return self.texts(_members(wanted.names).__getitem__, required=wanted.required)
            case "time":
                return self.times(required=wanted.required)
            case "float":
                return self.numbers(required=wanted.required)
        found, whole = self.values()
        return [found if whole else self.bare(found, required=wanted.required)]

    # -- columns

    def values(self) -> tuple[list[bytes], bool]:
        """Of the next column, and whether none is missing."""
        found = next(self.columns, None)
        whole = found is not None and (not self.null or self.null not in found)
        if isinstance(found, bytes):
            found = found.split(_BETWEEN)
        if found is None or len(found) != self.count:  # a record holds what stands between values
            raise UnfitError
        return found, whole

    def bare(self, values: list[bytes], *, required: bool) -> list[bytes]:
        """Values that have no quotes around them."""
        missing = _FAILED if required else _NULL
        return [missing if each == self.null else each for each in values]

    def numbers(self, *, required: bool) -> list[Piece]:
        """Floats: 100 is written as 100.0."""
        found, _ = self.values()
        if b"".join(found).count(b".") == self.count:  # so each has one, and none is missing or infinite
            return [found]
        return [self.bare([each if each == self.null else _number(each) for each in found], required=required)]

    def texts(self, made: Callable[[bytes], bytes] | None, *, required: bool) -> list[Piece]:
        """Texts, or what is `made` of them."""
        found, whole = self.values()
        if whole:
            return [b'"', found if made is None else list(map(made, found)), b'"']
        return self.quoted(found, made, required=required)

    def times(self, *, required: bool) -> list[Piece]:
        found, whole = self.values()
        text = _BETWEEN.join(found)
        if whole and _are_whole_seconds(text, self.count):
            return [b'"', text.replace(b" ", b"T").split(_BETWEEN), b':00"']
        return self.quoted(found, _time, required=required)

    def quoted(self, values: list[bytes], made: Callable[[bytes], bytes] | None, *, required: bool) -> list[Piece]:
        missing = _FAILED if required else _NULL
        return [[missing if each == self.null else b'"%b"' % (each if made is None else made(each)) for each in values]]


def _are_whole_seconds(text: bytes, count: int) -> bool:
    """Whether all times are as long as whole seconds are, and have what stands between where those have it."""
    wide = _WHOLE_SECOND + 1
    return (
        len(text) == count * wide - 1
        and text[_WHOLE_SECOND::wide] == _BETWEEN * (count - 1)
        and text[10::wide] == b" " * count
        and text[19::wide] == b"+" * count
    )


def _escaped(text: bytes) -> bytes:
    return orjson.dumps(text.decode())[1:-1]


def _number(text: bytes) -> bytes:
    """What JSON has no number for may not be."""
    if b"." in text or b"e" in text:
        return text
    if text[-1:].isdigit():
        return text + b".0"
    raise UnfitError


def _time(text: bytes) -> bytes:
    found = _TIME.fullmatch(text)
    if found is None:
        raise UnfitError
    day, time, fraction = found.groups()
    return b"%bT%b%b+00:00" % (day, time, b"" if fraction is None else b"." + fraction.ljust(6, b"0"))


def _whole(pieces: Iterable[Piece]) -> list[Piece]:
    """What is the same in every row, in as few pieces as can be."""
    made: list[Piece] = []
    for each in pieces:
        if made and isinstance(each, bytes) and isinstance(last := made[-1], bytes):
            made[-1] = last + each
        else:
            made.append(each)
    return made


def _woven(pieces: Iterable[Piece], count: int) -> list[bytes]:
    """The pieces of each row, one row after the other."""
    row = _whole(pieces)
    woven = [b""] * (len(row) * count)
    for at, each in enumerate(row):
        woven[at :: len(row)] = each if isinstance(each, list) else [each] * count
    return woven


def _texts(pieces: Iterable[Piece], count: int) -> Iterator[bytes]:
    """Each row by itself."""
    return map(
        b"".join, zip(*(each if isinstance(each, list) else repeat(each, count) for each in pieces), strict=True)
    )


@lru_cache(maxsize=256)
def _members(names: tuple[tuple[str, str], ...]) -> Mapping[bytes, bytes]:
    return {value.encode(): orjson.dumps(name)[1:-1] for value, name in names}


@cache
def _ids(entity: str) -> Remembered:
    return Remembered(lambda key: global_id(entity, key.decode()).encode())
