"""Single CRM objects by id, and the ids of all of them: for webhooks and for comparing what the store holds.

    POST /crm/v3/objects/<kind>/batch/read     100 ids a request; what is archived or unknown is left out of the answer
    GET  /crm/v3/objects/<kind>                the listing, with as few properties as it takes

An object that is not in the answer to a batch is gone: archived, merged into another, or never there.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass

from connectors.hubspot.associations import Kind, results_of, with_companies
from connectors.hubspot.lookups import Lookups
from connectors.kit.base import BadRowError, Id, Page, Raw, Window
from connectors.kit.errors import ContractError
from connectors.kit.http import Client
from connectors.kit.paging import TokenPages
from connectors.kit.values import moment, version

BATCH = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Single:
    """`Stream.fetch` and `Stream.ids` of one kind.

    belongs   which rows become records at all, told by the properties `asked` for
    """

    kind: Kind
    path: str
    asked: Sequence[str] = ()
    belongs: Callable[[Raw], bool] = lambda _: True

    async def fetch(self, client: Client, keys: Sequence[str]) -> AsyncIterator[Page]:
        lookups = await Lookups.load(client, owners=self.kind.owners, stages=self.kind.stages)
        for start in range(0, len(keys), BATCH):
            wanted = list(dict.fromkeys(keys[start : start + BATCH]))
            answer = await client.post_json(
                f"{self.path}/batch/read",
                json={"inputs": [{"id": key} for key in wanted], "properties": list(self.kind.properties)},
            )
            found = results_of(answer, self.path)
            here = {str(row.get("id")) for row in found}
            if strange := here.difference(wanted):
                raise ContractError(f"HubSpot {self.path}: asked for other objects and got {min(strange)}")
            rows = await lookups.completed(client, await with_companies(client, self.kind, found))
            yield Page(rows=rows, gone=[key for key in wanted if key not in here])

    async def ids(self, client: Client, window: Window) -> AsyncIterator[Sequence[Id]]:
        pages, token = TokenPages(f"HubSpot {self.kind.name}"), None
        while True:
            answer = await client.get_json(
                self.path,
                params={
                    "limit": BATCH,
                    "properties": ",".join(self.asked) or None,
                    "archived": "false",
                    "after": token,
                },
            )
            rows = [row for row in results_of(answer, self.path) if self.belongs(row)]
            yield [Id(str(row["id"]), _version(row)) for row in rows if "id" in row]
            token = pages.next(((answer.get("paging") or {}).get("next") or {}).get("after"))
            if token is None:
                return


def _version(row: Raw) -> int | None:
    try:
        return version(moment(row.get("updatedAt"), field="updatedAt"))
    except BadRowError:
        return None
