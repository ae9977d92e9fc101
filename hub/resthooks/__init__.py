"""REST hooks: an automation tool subscribes to a kind of event with an address of its own, and is told of each until it leaves.

`events`       which kinds there are, and what one looks like
`subscribing`  coming and going; where a hook leads is a stored secret
`telling`      events into the delivery ledger, once each
"""

from hub.resthooks.events import EVENTS, body_of
from hub.resthooks.subscribing import ADDRESS, Subscribed, find_endpoint, samples, subscribe, unsubscribe
from hub.resthooks.telling import tell

__all__ = [
    "ADDRESS",
    "EVENTS",
    "Subscribed",
    "body_of",
    "find_endpoint",
    "samples",
    "subscribe",
    "tell",
    "unsubscribe",
]
