"""Exports wired to a hub: who may come in is asked as the API asks it."""

from hub.access.admission import Admission
from hub.compose.admission import viewer_finder
from hub.compose.hub import Hub
from hub.web import export
from hub.web.receiving import Routes


def export_routes(hub: Hub, admission: Admission) -> Routes:
    return export.routes(hub.store, find_viewer=viewer_finder(hub, admission), clock=hub.clock)
