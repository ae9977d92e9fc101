"""What rows refer to by id: owners and deal stages, fetched once a pull and put into each row.

A row that names an owner nobody knows is looked into: the owners are asked for once more, because they may have been added
since, or the answer was that of another question. An owner unknown then is nobody.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from connectors.kit.base import Raw
from connectors.kit.errors import ContractError
from connectors.kit.http import Client
from connectors.kit.paging import TokenPages


@dataclass(slots=True, kw_only=True)
class Lookups:
    """owners by id; stages by (pipeline id, stage id). None: this kind of row has none."""

    owners: Mapping[str, Mapping[str, Any]] | None = field(default=None, repr=False)
    stages: Mapping[tuple[str, str], Mapping[str, Any]] | None = field(default=None, repr=False)
    asked_again: bool = False

    @classmethod
    async def load(cls, client: Client, *, owners: bool, stages: bool) -> Self:
        return cls(
            owners=await _all_owners(client) if owners else None,
            stages=await _stages(client) if stages else None,
        )

    async def completed(self, client: Client, rows: Iterable[Raw]) -> list[Raw]:
        """`rows`, each with its owner and its stage."""
        some = list(rows)
        if self.owners is not None and not self.asked_again and not self.owners.keys() >= _owners_of(some):
            self.owners, self.asked_again = await _all_owners(client), True
        return [self.complete(row) for row in some]

    def complete(self, raw: Raw) -> Raw:
        properties = raw.get("properties") or {}  # a row without is the mapping's to refuse
        more: dict[str, Any] = {}
        if self.owners is not None:
            more["owner"] = self.owners.get(str(properties.get("hubspot_owner_id")))
        if self.stages is not None:
            more["stage"] = self.stages.get((str(properties.get("pipeline")), str(properties.get("dealstage"))))
        return {**raw, **more}


def _owners_of(rows: Iterable[Raw]) -> set[str]:
    properties = [row.get("properties") or {} for row in rows]
    return {str(each["hubspot_owner_id"]) for each in properties if each.get("hubspot_owner_id")}


async def _all_owners(client: Client) -> dict[str, Mapping[str, Any]]:
    """Those who have left, too: rows go on naming them."""
    return {**await _owners(client, archived=True), **await _owners(client, archived=False)}


async def _owners(client: Client, *, archived: bool) -> dict[str, Mapping[str, Any]]:
    found: dict[str, Mapping[str, Any]] = {}
    pages, token = TokenPages("HubSpot owners"), None
    while True:
        answer = await client.get_json(
            "/crm/v3/owners", params={"limit": 100, "archived": "true" if archived else "false", "after": token}
        )
        found.update((str(owner["id"]), owner) for owner in _list(answer, "results"))
        token = pages.next(((answer.get("paging") or {}).get("next") or {}).get("after"))
        if token is None:
            return found


async def _stages(client: Client) -> dict[tuple[str, str], Mapping[str, Any]]:
    answer = await client.get_json("/crm/v3/pipelines/deals")
    return {
        (str(pipeline["id"]), str(stage["id"])): stage
        for pipeline in _list(answer, "results")
        for stage in _list(pipeline, "stages")
    }


def _list(answer: Any, name: str) -> list[Any]:
    if not isinstance(answer, Mapping) or not isinstance(answer.get(name), list):
        raise ContractError(f"HubSpot: an answer has no list of {name}")
    found: list[Any] = answer[name]
    return found
