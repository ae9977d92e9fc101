"""Webhooks that come in, wired to a hub: where hub.yaml names hooks, their events are kept and set playbooks off."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hub.web import hooks
from hub.web.receiving import Routes

if TYPE_CHECKING:
    from hub.compose.hub import Hub


def hook_routes(hub: "Hub") -> Routes:
    given = hub.settings.hub.hooks
    if not given:
        return []

    async def take(name: str, event_id: str, payload: Mapping[str, Any]) -> str | None:
        return (await hub.playbooks.hear(name, event_id=event_id, payload=payload)).reason

    return hooks.routes({name: each.secrets for name, each in given.items()}, take=take, clock=hub.clock)
