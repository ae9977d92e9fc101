"""Several statements of PostgreSQL as one, so that they are sent in one round trip and see the same rows."""

import re
from collections.abc import Callable, Sequence

_TOKEN = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|\$(?P<number>\d+)""")
"""Of SQL: a literal, a name in quotes, or a parameter."""


def as_one(statements: Sequence[str]) -> str:
    """One statement of PostgreSQL with a column for the one value of each, null for no row; parameters follow each other."""
    found, before = [], 0
    for sql in statements:
        most = 0

        def numbered(number: int, before: int = before) -> str:
            nonlocal most
            most = max(most, number)
            return f"${before + number}"

        found.append(f"({with_parameters(sql, numbered)})")
        before += most
    return f"SELECT {', '.join(found)}"


def with_parameters(sql: str, written: Callable[[int], str]) -> str:
    """The statement with something else in the places of its parameters, by their numbers."""
    return _TOKEN.sub(lambda token: token.group() if token["number"] is None else written(int(token["number"])), sql)
