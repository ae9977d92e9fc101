"""What rows name by id, read once a pull: users, pipelines, stages."""

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.kit.base import Raw
from connectors.kit.errors import ContractError
from connectors.kit.http import Client
from connectors.pipedrive.pull import Row, listing

USERS = "/api/v1/users"
"""Users have no list in version 2."""


class Lookups:
    """`dress` of a pull: puts `owner`, `stage` and `pipeline` beside a row's ids; an id that has no row gives None.

    user_fields  names of fields that hold a user's id, beside owner_id; stages: whether the rows have any
    """

    def __init__(self, *, user_fields: Sequence[str] = (), stages: bool = False, page_size: int = 500) -> None:
        self._user_fields, self._stages, self._page_size = ("owner_id", *user_fields), stages, page_size
        self._of: Client | None = None
        self._users: Mapping[str, Row] = {}
        self._tables: dict[str, Mapping[str, Row]] = {}

    async def __call__(self, client: Client, rows: Sequence[Row]) -> Sequence[Raw]:
        if self._of is not client:
            await self._load(client)
        return [self._completed(row) for row in rows]

    async def _load(self, client: Client) -> None:
        answer = await client.get_json(USERS)
        users = answer.get("data") if isinstance(answer, Mapping) else None
        if not isinstance(users, list):
            raise ContractError(f"Pipedrive {USERS}: an answer without a list of data")
        self._users = {str(user["id"]): user for user in users}
        for name in ("pipelines", "stages") if self._stages else ():
            found: dict[str, Row] = {}
            async for some in listing(client, f"/api/v2/{name}", {"limit": self._page_size}):
                found.update((str(row["id"]), row) for row in some)
            self._tables[name] = found
        self._of = client

    def _completed(self, row: Row) -> Raw:
        custom: Mapping[str, Any] = row.get("custom_fields") or {}
        ids = {name: row.get(name, custom.get(name)) for name in self._user_fields}
        users = {name: self._users.get(str(_id(value))) for name, value in ids.items() if value is not None}
        more: dict[str, Any] = {"users": users}
        if self._stages:
            more["stage"] = self._tables["stages"].get(str(row.get("stage_id")))
            more["pipeline"] = self._tables["pipelines"].get(str(row.get("pipeline_id")))
        return {**row, **more}


def _id(value: Any) -> Any:
    """A user field of one's own holds an object."""
    return value.get("id") if isinstance(value, Mapping) else value
