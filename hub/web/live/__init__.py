"""Subscriptions on the wire: graphql-transport-ws over a WebSocket, and GraphQL over server-sent events.

port       what both need of the API, given by whoever puts the application together
sessions   who is connected, how many may be, and whose token is no longer valid
sockets    the WebSocket at /graphql
operations what runs on one WebSocket
streaming  /graphql for those who accept text/event-stream
"""

from hub.web.live.port import Limits, Port, Refused, Streamed
from hub.web.live.sessions import Sessions
from hub.web.live.sockets import Socket
from hub.web.live.streaming import Streaming

__all__ = ["Limits", "Port", "Refused", "Sessions", "Socket", "Streamed", "Streaming"]
