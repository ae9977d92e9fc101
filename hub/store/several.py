"""Several statements of PostgreSQL as one, so that they are sent in one round trip and see the same rows."""

import re
from collections.abc import Sequence

_TOKEN = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|\$(?P<number>\d+)""")
"""Of SQL: a literal, a name in quotes, or a parameter."""


def as_one(statements: Sequence[str]) -> str:
    """One statement of PostgreSQL with a column for the one value of each, null for no row; parameters follow each other."""
    found, before = [], 0
    for sql in statements:
        most = 0

        def numbered(token: re.Match[str], before: int = before) -> str:
            nonlocal most
            if token["number"] is None:
                return token.group()
            most = max(most, int(token["number"]))
            return f"${before + int(token['number'])}"

        found.append(f"({_TOKEN.sub(numbered, sql)})")
        before += most
    return f"SELECT {', '.join(found)}"
