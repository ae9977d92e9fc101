"""A kind of CRM object, the shape of answers about it, and its companies where an answer leaves them out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.kit.base import Raw
from connectors.kit.errors import ContractError
from connectors.kit.http import Client


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """name in paths; property search filters changes by; properties to ask for; association type ids of the primary
    company (None: not associated with companies); what else a row is completed with; how many days back the first look
    through the archive goes (0: it begins at the first listing)."""

    name: str
    modified: str
    properties: Sequence[str]
    primary_company: int | None = None
    owners: bool = False
    stages: bool = False
    archive_days: float = 0


async def with_companies(client: Client, kind: Kind, rows: Sequence[Raw]) -> list[Raw]:
    """`rows` of a search or a batch, which leave associations out; asked for together, put in as the list endpoint does.

    Where that call fails, or speaks of other rows, the page fails: a row written without its company would look like one
    that lost it.
    """
    primary = kind.primary_company
    if primary is None or not rows:
        return list(rows)
    wanted = {str(row["id"]) for row in rows if "id" in row}
    answer = await client.post_json(
        f"/crm/v4/associations/{kind.name}/companies/batch/read",
        json={"inputs": [{"id": key} for key in sorted(wanted)]},
    )
    linked = _links(results_of(answer, "associations"), primary)
    if strange := linked.keys() - wanted:
        raise ContractError(f"HubSpot associations: asked for other {kind.name} and got {min(strange)}")
    return [{**row, "associations": {"companies": {"results": linked.get(str(row.get("id")), [])}}} for row in rows]


def results_of(answer: Any, path: str) -> list[Any]:
    if not isinstance(answer, Mapping) or not isinstance(answer.get("results"), list):
        raise ContractError(f"HubSpot {path}: the answer has no list of results")
    results: list[Any] = answer["results"]
    if not all(isinstance(row, Mapping) for row in results):
        raise ContractError(f"HubSpot {path}: a result is no object")
    return results


def _links(results: Sequence[Any], primary: int) -> dict[str, list[Mapping[str, str]]]:
    """{row id: its companies, as the list endpoint would name them}."""
    linked: dict[str, list[Mapping[str, str]]] = {}
    try:
        for result in results:
            links = linked.setdefault(str(result["from"]["id"]), [])
            for to in result["to"]:
                types = {kind["typeId"] for kind in to["associationTypes"]}
                label = "primary" if primary in types else "company_unlabeled"
                links.append({"id": str(to["toObjectId"]), "type": label})
    except (KeyError, TypeError) as error:
        raise ContractError(f"HubSpot associations: an answer is not shaped as documented ({error!r})") from None
    return linked
