"""The SOQL a sandbox is asked, read: enough of it to answer what this connector asks, and to refuse what it gets wrong.

    SELECT <fields> | COUNT() FROM <object> [WHERE <condition>] [ORDER BY <field> ASC, …] [LIMIT n]

Conditions: = != < <= > >= and IN over texts, times, numbers, true, false and null, with AND, OR and parentheses.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

Row = Mapping[str, Any]
Test = Callable[[Row], bool]
TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^'\\]|\\.)*')|(?P<time>\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:?\d\d))|(?P<number>-?\d+(?:\.\d+)?)"
    r"|(?P<word>[A-Za-z][\w.]*)|(?P<sign><=|>=|!=|[=<>(),]))"
)
SHAPE = re.compile(
    r"SELECT (?P<fields>.+?) FROM (?P<object>\w+)(?: WHERE (?P<where>.+?))?"
    r"(?: ORDER BY (?P<order>.+?))?(?: LIMIT (?P<limit>\d+))?$"
)
COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a is not None and a < b,
    "<=": lambda a, b: a is not None and a <= b,
    ">": lambda a, b: a is not None and a > b,
    ">=": lambda a, b: a is not None and a >= b,
}
WORDS: Mapping[str, Any] = {"null": None, "true": True, "false": False}


class MalformedError(ValueError):
    """No SOQL this sandbox reads."""


@dataclass(frozen=True, slots=True)
class Query:
    """fields: empty for COUNT(); named: every field it speaks of."""

    object: str
    fields: Sequence[str]
    named: frozenset[str]
    meets: Test
    order: Sequence[str]
    limit: int | None


def read(text: str) -> Query:
    """The query; MalformedError."""
    shape = SHAPE.match(text.strip())
    if shape is None:
        raise MalformedError(f"unexpected token: {text[:40]}")
    fields = [name.strip() for name in shape["fields"].split(",")]
    counting = fields == ["COUNT()"]
    order = [part.strip().removesuffix(" ASC") for part in (shape["order"] or "").split(",") if part.strip()]
    condition = _Condition(shape["where"] or "")
    meets = condition.read() if shape["where"] else lambda row: True
    limit = int(shape["limit"]) if shape["limit"] else None
    named = frozenset([*([] if counting else fields), *order, *condition.named])
    return Query(shape["object"], [] if counting else fields, named, meets, order, limit)


def value(row: Row, path: str) -> Any:
    """What a row holds at `path`; times as times."""
    found: Any = row
    for name in path.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    if path in ("SystemModstamp", "CreatedDate", "ClosedDate") and found:
        return datetime.fromisoformat(found)
    return found


class _Condition:
    def __init__(self, text: str) -> None:
        self._tokens, self._at, self.named = list[tuple[str, str]](), 0, set[str]()
        place = 0
        while place < len(text.rstrip()):
            found = TOKEN.match(text, place)
            if found is None:
                raise MalformedError(f"unexpected token: {text[place : place + 20]}")
            self._tokens.append((str(found.lastgroup), found[str(found.lastgroup)]))
            place = found.end()

    def read(self) -> Test:
        test = self._any()
        if self._at < len(self._tokens):
            raise MalformedError(f"unexpected token: {self._tokens[self._at][1]}")
        return test

    def _any(self) -> Test:
        tests = [self._all()]
        while self._next_is("OR"):
            tests.append(self._all())
        return lambda row: any(test(row) for test in tests)

    def _all(self) -> Test:
        tests = [self._one()]
        while self._next_is("AND"):
            tests.append(self._one())
        return lambda row: all(test(row) for test in tests)

    def _one(self) -> Test:
        if self._next_is("("):
            inner = self._any()
            self._want(")")
            return inner
        field = self._take()[1]
        self.named.add(field)
        if self._next_is("IN"):
            self._want("(")
            values = [self._literal()]
            while self._next_is(","):
                values.append(self._literal())
            self._want(")")
            return lambda row: value(row, field) in values
        sign = self._take()[1]
        if sign not in COMPARE:
            raise MalformedError(f"unexpected token: {sign}")
        compare, wanted = COMPARE[sign], self._literal()
        return lambda row: compare(value(row, field), wanted)

    def _literal(self) -> Any:
        kind, text = self._take()
        if kind == "text":
            return re.sub(r"\\(.)", r"\1", text[1:-1])
        if kind == "time":
            return datetime.fromisoformat(text)
        if kind == "number":
            return float(text)
        if text.lower() in WORDS:
            return WORDS[text.lower()]
        raise MalformedError(f"unexpected token: {text}")

    def _take(self) -> tuple[str, str]:
        if self._at >= len(self._tokens):
            raise MalformedError("unexpected end of query")
        self._at += 1
        return self._tokens[self._at - 1]

    def _next_is(self, wanted: str) -> bool:
        if self._at < len(self._tokens) and self._tokens[self._at][1] == wanted:
            self._at += 1
            return True
        return False

    def _want(self, wanted: str) -> None:
        if not self._next_is(wanted):
            raise MalformedError(f"expecting {wanted!r}")
