"""SOQL as this connector writes it: keysets over (SystemModstamp, Id), lists of ids, counts.

SystemModstamp is not unique, a bulk update gives thousands of rows the same one; only together with the Id does it say
where a page ended. Names of fields come from settings and are checked there, see `FIELD_NAME`; values are quoted here.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

FIELD_NAME = r"^[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)*$"
SUFFIX = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """An object, the fields asked of it, and a condition its rows have to meet; `live`: one more for those that count."""

    name: str
    fields: Sequence[str]
    where: str | None = None
    live: str | None = None

    def everything(self) -> str:
        return query(self.fields, self.name, self.where)

    def count(self) -> str:
        return query(["COUNT()"], self.name, self.where)

    def changes(self, *, since: str | None, after: tuple[str, str] | None, limit: int) -> str:
        """Rows from time `since` on, or beyond the row `after` (its time and id); in order, `limit` of them."""
        reached = None
        if after is not None:
            at, key = after
            reached = f"(SystemModstamp = {at} AND Id > {quoted(key)}) OR SystemModstamp > {at}"
        elif since is not None:
            reached = f"SystemModstamp >= {since}"
        order = f"ORDER BY SystemModstamp ASC, Id ASC LIMIT {limit}"
        return query(self.fields, self.name, self.where, reached, order=order)

    def ids(self, *, after: str | None, limit: int) -> str:
        """Id and time of the rows beyond id `after`, in order of id."""
        beyond = f"Id > {quoted(after)}" if after is not None else None
        order = f"ORDER BY Id ASC LIMIT {limit}"
        return query(["Id", "SystemModstamp"], self.name, self.where, self.live, beyond, order=order)

    def some(self, ids: Iterable[str]) -> str:
        """Rows by id, whether or not they meet the condition."""
        return query(self.fields, self.name, among("Id", ids))


def query(fields: Iterable[str], table: str, *conditions: str | None, order: str = "") -> str:
    given = [f"({condition})" for condition in conditions if condition]
    where = ["WHERE", " AND ".join(given)] if given else []
    return " ".join(filter(None, ["SELECT", ", ".join(dict.fromkeys(fields)), "FROM", table, *where, order]))


def quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def among(field: str, values: Iterable[str]) -> str:
    return f"{field} IN ({', '.join(map(quoted, values))})"


def literal(when: datetime) -> str:
    """A time as SOQL writes it."""
    return when.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def id18(key: str) -> str:
    """An id of 15 characters with the three that make it safe where case is lost; others as they are."""
    if len(key) != 15:
        return key
    chunks = (key[begin : begin + 5] for begin in (0, 5, 10))
    return key + "".join(SUFFIX[sum(1 << n for n, letter in enumerate(chunk) if letter.isupper())] for chunk in chunks)
