"""The composition root: settings in, a `Hub` out. The only place that wires the parts to each other.

`hub`       the Hub: store, use cases, lifecycle
`jobs`      what the durable engine does and when: sync, score, train, the sweep
`actions`   the use cases as the GraphQL mutations call them
`channels`  where playbooks may send
"""

from hub.compose.hub import Hub, Scored

__all__ = ["Hub", "Scored"]
