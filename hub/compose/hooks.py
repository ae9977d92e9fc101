"""Webhooks that come in, wired to a hub: where hub.yaml names hooks, their events are kept and set playbooks off; those of
sources' vendors are kept and fetched.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hub.web import hooks
from hub.web.receiving import Routes

if TYPE_CHECKING:
    from hub.compose.hub import Hub


def hook_routes(hub: "Hub") -> Routes:
    given, ears = hub.settings.hub.hooks, hub.sourcing.ears
    if not given and not ears:
        return []

    async def take(name: str, event_id: str, payload: Mapping[str, Any]) -> str | None:
        return (await hub.playbooks.hear(name, event_id=event_id, payload=payload)).reason

    secrets = {name: each.secrets for name, each in given.items()}
    return hooks.routes(secrets, take=take, clock=hub.clock, ears=ears, public_url=hub.settings.hub.url)
