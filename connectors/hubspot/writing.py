"""Writing properties of companies: 100 a request, each row answered for by itself.

The properties must be there (Settings, Properties, Company properties), and the app needs crm.objects.companies.write.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from connectors.hubspot.objects import OBJECTS
from connectors.kit.http import Client
from connectors.kit.writing import Outcome, Value, Wish

AT_ONCE = 100


async def write(client: Client, wishes: Sequence[Wish], *, settings: Any) -> AsyncIterator[Sequence[Outcome]]:
    for first in range(0, len(wishes), AT_ONCE):
        some = wishes[first : first + AT_ONCE]
        inputs = [{"id": each.key, "properties": _properties(each)} for each in some]
        answer = await client.post_json(f"{OBJECTS}/companies/batch/update", json={"inputs": inputs})
        taken = {str(row["id"]) for row in answer.get("results", ())}
        refused = _refused(answer.get("errors", ()))
        yield [
            Outcome(
                key=each.key,
                error=None if each.key in taken else refused.get(each.key, "HubSpot does not say that it was written"),
            )
            for each in some
        ]


def _properties(wish: Wish) -> dict[str, str]:
    """HubSpot's values are texts; an empty one clears a property."""
    return {name: _text(value) for name, value in wish.values.items()}


def _text(value: Value) -> str:
    if value is None:
        return ""
    return f"{value:g}" if isinstance(value, float) else str(value)


def _refused(errors: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """{id: why}; an error tells of several ids."""
    return {
        str(id_): str(error.get("message", error.get("category", "refused")))
        for error in errors
        for id_ in (error.get("context") or {}).get("ids", ())
    }
