"""Messages out: templates rendered into payloads, and channels that hand a payload to somebody else's system.

`base`      a message, a receipt, and the two ways a channel may fail: surely not sent, or nobody knows
`render`    templates -> payloads: sandboxed, strict about undefined names, safe for each channel
`slack`, `mail`, `pagerduty`, `webhook`, `console`   the channels
`posting`   one POST and what became of it; `reach` where it may go

A channel knows nothing of customers, databases or retries. Who may be told what, when, and how often, is decided by the
ledger of the use case above (`hub.playbooks.ledger`), which writes down every message before it is sent.
"""

from hub.delivery.base import (
    USUAL,
    Channel,
    Follows,
    Manners,
    Message,
    Prepares,
    Receipt,
    Refusal,
    Rejected,
    Settles,
    Standing,
    Stays,
    Uncertain,
    unready,
)
from hub.delivery.render import Rendered, Renderer, RenderError

__all__ = [
    "USUAL",
    "Channel",
    "Follows",
    "Manners",
    "Message",
    "Prepares",
    "Receipt",
    "Refusal",
    "Rejected",
    "RenderError",
    "Rendered",
    "Renderer",
    "Settles",
    "Standing",
    "Stays",
    "Uncertain",
    "unready",
]
