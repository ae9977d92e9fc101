"""The HogQL that is asked, and its answers read: keysets, so that rows which arrive meanwhile shift nothing.

Values travel as `values` beside the query, never within its text. The time of an event is asked for as milliseconds since
1970 and as nothing else: what HogQL prints of a time depends on the project's time zone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.kit.errors import ContractError

MILLI = "toUnixTimestamp64Milli(timestamp)"


@dataclass(frozen=True, slots=True)
class Query:
    """columns: what the answer must call them."""

    text: str
    columns: tuple[str, ...]

    def body(self, **values: Any) -> dict[str, Any]:
        """What is posted; `refresh` says that an answer of earlier does not do."""
        return {"query": {"kind": "HogQLQuery", "query": self.text, "values": values}, "refresh": "force_blocking"}

    def rows(self, answer: Any) -> list[dict[str, Any]]:
        """The rows of an answer; ContractError for one that is not this query's."""
        results = answer.get("results") if isinstance(answer, dict) else None
        if not isinstance(results, list) or list(answer.get("columns") or ()) != list(self.columns):
            raise ContractError(f"a query for {', '.join(self.columns)} was not answered with these columns")
        return [dict(zip(self.columns, row, strict=True)) for row in results]


def events(*, user: str, company: str, ignored: Sequence[str]) -> Query:
    """Values: start and end in seconds, for the table's index; until and after in milliseconds, uuid, ignored0…, limit."""
    where = [
        "timestamp >= fromUnixTimestamp({start}) and timestamp <= fromUnixTimestamp({end})",
        f"{MILLI} < {{until}} and ({MILLI} > {{after}} or ({MILLI} = {{after}} and toString(uuid) > {{uuid}}))",
        *(f"event != {{ignored{n}}}" for n in range(len(ignored))),
    ]
    columns = {
        "id": "toString(uuid)",
        "at": MILLI,
        "event": "event",
        "user": f"toString({user})",
        "company": company,
    }
    return _select(columns, "events", where, f"{MILLI}, toString(uuid)")


def groups(*, chosen: int = 0) -> Query:
    """Values: index, limit, and after (a key), or so many `chosen` keys key0…"""
    where = ["index = {index}", _one_of("key", chosen) if chosen else "key > {after}"]
    return _select({"key": "key", "properties": "properties"}, "groups", where, "key")


def persons(*, chosen: int = 0) -> Query:
    """Values: limit, and after (an id), or so many `chosen` keys key0…"""
    where = [_one_of("toString(id)", chosen) if chosen else "toString(id) > {after}"]
    columns = {"id": "toString(id)", "properties": "properties", "created": "toUnixTimestamp64Milli(created_at)"}
    return _select(columns, "persons", where, "toString(id)")


def _select(columns: Mapping[str, str], table: str, where: Sequence[str], order: str) -> Query:
    wanted = ", ".join(
        expression if expression == name else f"{expression} as {name}" for name, expression in columns.items()
    )
    text = " ".join(("select", wanted, "from", table, "where", " and ".join(where), "order by", order, "limit {limit}"))
    return Query(text, tuple(columns))


def property_of_event(name: str) -> str:
    """An event's property as a HogQL expression; quoted, whatever its name."""
    return "properties." + "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


def _one_of(column: str, number: int) -> str:
    return "(" + " or ".join(f"{column} = {{key{n}}}" for n in range(number)) + ")"
