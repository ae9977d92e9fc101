"""Exports wired to a hub: who may come in is asked as the API asks it."""

from hub.access.admission import Admission
from hub.compose.hub import Hub
from hub.web import export
from hub.web.entrance import browsers_of, entrance
from hub.web.receiving import Routes


def export_routes(hub: Hub, admission: Admission) -> Routes:
    find = entrance(admission, clock=hub.clock)
    return export.routes(hub.store, find_viewer=find, clock=hub.clock, browsers=browsers_of(admission))
