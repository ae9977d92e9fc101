"""Single rows by id, for webhooks and repairs, and the ids of all organizations.

    GET /api/v2/<name>/show_many?ids=    up to 100; a row that is deleted or unknown is left out
    GET /api/v2/organizations            the ordinary listing: the live ones

Tickets and users have no complete listing but the export itself, which marks what is deleted: archived tickets are in no other.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.kit.base import Id, Page, Window
from connectors.kit.errors import ContractError
from connectors.kit.http import Client, Params
from connectors.kit.values import moment, version
from connectors.zendesk.exports import Dress, Row, listing, rows_of

BATCH = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """`Stream.fetch` of rows that can be asked for by id. include, dress: as of an export."""

    name: str
    include: str | None = None
    dress: Dress | None = None

    async def __call__(self, client: Client, keys: Sequence[str]) -> AsyncIterator[Page]:
        for start in range(0, len(keys), BATCH):
            wanted = dict.fromkeys(keys[start : start + BATCH])
            params: Params = {"ids": ",".join(wanted), "include": self.include}
            answer = await client.get_json(f"/api/v2/{self.name}/show_many", params=params)
            rows = rows_of(answer, self.name) if self.dress is None else self.dress(answer)
            here = {str(row.get("id")) for row in rows}
            if strange := here - wanted.keys():
                raise ContractError(f"{self.name}/show_many: asked for other ids and got {min(strange)}")
            yield Page(rows=rows, gone=[key for key in wanted if key not in here])


async def organization_ids(client: Client, window: Window) -> AsyncIterator[Sequence[Id]]:
    async for rows in listing(client, "/api/v2/organizations", "organizations"):
        yield [Id(str(row["id"]), _version(row)) for row in rows]


def _version(row: Row) -> int | None:
    changed: Any = row.get("updated_at")
    return version(moment(changed, field="updated_at")) if changed else None
