"""Writing fields of Accounts: 200 a request by sObject Collections, each row answered for by itself.

The fields must be there and be editable for the integration user (Object Manager, Account, Fields; field-level security).
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from connectors.kit.http import Client
from connectors.kit.writing import Outcome, Wish

AT_ONCE = 200


async def write(client: Client, wishes: Sequence[Wish], *, settings: Any) -> AsyncIterator[Sequence[Outcome]]:
    path = f"/services/data/v{settings.api_version}/composite/sobjects"
    for first in range(0, len(wishes), AT_ONCE):
        some = wishes[first : first + AT_ONCE]
        records = [{"attributes": {"type": "Account"}, "id": each.key, **each.values} for each in some]
        answer = await client.post_json(path, json={"allOrNone": False, "records": records}, method="PATCH")
        yield [Outcome(key=each.key, error=_error(told)) for each, told in zip(some, answer, strict=True)]


def _error(told: Mapping[str, Any]) -> str | None:
    if told.get("success"):
        return None
    errors = [f"{each.get('statusCode')}: {each.get('message')}" for each in told.get("errors", ())]
    return "; ".join(errors) or "Salesforce does not say why it was refused"
