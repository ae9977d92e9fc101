"""Which pages and receivers of hub/web stand beside the API: each part makes its routes of a Hub.

A part is a function `hub -> Routes`; it returns none where what it serves is not set up.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from hub.compose.advocacy import survey_routes
from hub.compose.attention import rating_routes
from hub.compose.hooks import hook_routes
from hub.compose.mail import mail_routes
from hub.compose.slack import slack_routes
from hub.web.receiving import Routes

if TYPE_CHECKING:
    from hub.compose.hub import Hub

PARTS: "tuple[Callable[[Hub], Routes], ...]" = (slack_routes, mail_routes, hook_routes, rating_routes, survey_routes)


def routes_of(hub: "Hub") -> Routes:
    """All of them, as hub.asgi.app takes them."""
    return [route for part in PARTS for route in part(hub)]
