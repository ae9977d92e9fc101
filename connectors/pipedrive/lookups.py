"""What rows name by id, read once a pull: users, pipelines, stages."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from connectors.kit.base import Raw
from connectors.kit.errors import ContractError
from connectors.kit.http import Client
from connectors.pipedrive.pull import Row, listing

USERS = "/api/v1/users"
"""Users have no list in version 2."""


class Lookups:
    """`dress` of a pull: puts `owner`, `stage` and `pipeline` beside a row's ids; an id that has no row gives None.

    A list in which an id is missing is read once more before that is believed: the row may be newer than the list, or the list
    have come short.

    user_fields  names of fields that hold a user's id, beside owner_id; stages: whether the rows have any
    """

    def __init__(self, *, user_fields: Sequence[str] = (), stages: bool = False, page_size: int = 500) -> None:
        self._user_fields, self._stages, self._page_size = ("owner_id", *user_fields), stages, page_size
        self._of: Client | None = None
        self._tables: dict[str, Mapping[str, Row]] = {}
        self._nowhere: set[tuple[str, str]] = set()

    async def __call__(self, client: Client, rows: Sequence[Row]) -> Sequence[Raw]:
        if self._of is not client:
            self._tables, self._nowhere = {}, set()
            self._of = client
        named = dict.fromkeys(each for row in rows for each in self._named(row))
        for table in ("users", "pipelines", "stages") if self._stages else ("users",):
            ids = [id_ for where, id_ in named if where == table]
            if table not in self._tables:
                self._tables[table] = await self._load(client, table)
            if not all(id_ in self._tables[table] or (table, id_) in self._nowhere for id_ in ids):
                self._tables[table] = await self._load(client, table)
            self._nowhere.update((table, id_) for id_ in ids if id_ not in self._tables[table])
        return [self._completed(row) for row in rows]

    async def _load(self, client: Client, table: str) -> Mapping[str, Row]:
        if table == "users":
            answer = await client.get_json(USERS)
            users = answer.get("data") if isinstance(answer, Mapping) else None
            if not isinstance(users, list):
                raise ContractError(f"Pipedrive {USERS}: an answer without a list of data")
            return {str(user["id"]): user for user in users}
        found: dict[str, Row] = {}
        async for some in listing(client, f"/api/v2/{table}", {"limit": self._page_size}):
            found.update((str(row["id"]), row) for row in some)
        return found

    def _users_of(self, row: Row) -> dict[str, str]:
        """{field: the id of its user}."""
        custom: Mapping[str, Any] = row.get("custom_fields") or {}
        ids = {name: _id(row.get(name, custom.get(name))) for name in self._user_fields}
        return {name: str(value) for name, value in ids.items() if value is not None}

    def _named(self, row: Row) -> Iterator[tuple[str, str]]:
        """(table, id) of what a row refers to."""
        for id_ in self._users_of(row).values():
            yield "users", id_
        for name, table in (("pipeline_id", "pipelines"), ("stage_id", "stages")) if self._stages else ():
            if row.get(name) is not None:
                yield table, str(row[name])

    def _completed(self, row: Row) -> Raw:
        users = {name: self._tables["users"].get(id_) for name, id_ in self._users_of(row).items()}
        more: dict[str, Any] = {"users": users}
        if self._stages:
            more["stage"] = self._tables["stages"].get(str(row.get("stage_id")))
            more["pipeline"] = self._tables["pipelines"].get(str(row.get("pipeline_id")))
        return {**row, **more}


def _id(value: Any) -> Any:
    """A user field of one's own holds an object."""
    return value.get("id") if isinstance(value, Mapping) else value
