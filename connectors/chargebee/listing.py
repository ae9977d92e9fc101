"""Pages of one of Chargebee's lists: the objects asked for, without what stands beside them in a row."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

from connectors.kit.errors import ContractError
from connectors.kit.http import Client, Params
from connectors.kit.paging import TokenPages

Row = dict[str, Any]


async def listing(client: Client, name: str, wrapped: str, params: Params) -> AsyncIterator[list[Row]]:
    """`wrapped`: the object's name in a row."""
    guard, offset = TokenPages(f"Chargebee {name}"), None
    while True:
        answer = await client.get_json(f"/api/v2/{name}", params={**params, "offset": offset})
        some = answer.get("list") if isinstance(answer, Mapping) else None
        if not isinstance(some, list):
            raise ContractError(f"Chargebee {name}: an answer without a list")
        rows = [each.get(wrapped) if isinstance(each, Mapping) else None for each in some]
        if not all(isinstance(row, dict) for row in rows):
            raise ContractError(f"Chargebee {name}: a row without its {wrapped}")
        yield [row for row in rows if row is not None]
        offset = guard.next(answer.get("next_offset"))
        if offset is None:
            return
