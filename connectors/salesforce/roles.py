"""Roles of contacts in opportunities (OpportunityContactRole), read a page of contacts at a time.

A role that is given or taken does not touch the contact's SystemModstamp: it is seen with the contact's next change.
"""

from collections.abc import Sequence
from typing import Any

from connectors.kit.base import Raw
from connectors.kit.errors import ContractError
from connectors.kit.http import Client
from connectors.kit.paging import TokenPages, own_path
from connectors.salesforce.soql import among, query

ASKED_AT_ONCE = 200


async def contact_roles(client: Client, rows: Sequence[Raw], *, data: str) -> Sequence[Raw]:
    """The rows, each with its `ContactRoles`."""
    keys = [str(row["Id"]) for row in rows if "Id" in row]
    roles: dict[str, list[str]] = {}
    guard = TokenPages("Salesforce OpportunityContactRole")
    for begin in range(0, len(keys), ASKED_AT_ONCE):
        some = among("ContactId", keys[begin : begin + ASKED_AT_ONCE])
        wanted = query(["ContactId", "Role"], "OpportunityContactRole", some)
        answer: Any = await client.get_json(f"{data}/query", params={"q": wanted})
        while True:
            if not isinstance(answer, dict) or not isinstance(answer.get("records"), list):
                raise ContractError("Salesforce query: an answer without records")
            for found in answer["records"]:
                if found.get("Role"):
                    roles.setdefault(str(found["ContactId"]), []).append(str(found["Role"]))
            following = guard.next(answer.get("nextRecordsUrl"))
            if following is None:
                break
            answer = await client.get_json(own_path(following, base_url=client.base_url))
    return [{**row, "ContactRoles": roles.get(str(row.get("Id")), [])} for row in rows]
