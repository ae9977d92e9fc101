"""Exports wired to a hub: who may come in is asked as the API asks it."""

from typing import TYPE_CHECKING

from hub.access import Viewer
from hub.access.admission import Admission
from hub.web import export
from hub.web.receiving import Routes

if TYPE_CHECKING:
    from hub.compose.hub import Hub


def export_routes(hub: "Hub", admission: Admission) -> Routes:
    async def find_viewer(secret: str) -> Viewer | None:
        return await admission.find_viewer(secret, now=hub.clock())

    return export.routes(hub.store, find_viewer=find_viewer, clock=hub.clock)
