"""What a request is answered with, over HTTP, as a stream, or for a page of the dashboard: the schema's context."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from hub.access import Viewer
from hub.access.reading import Reads
from hub.store import Store
from schema.context import Actions, Context, PlaybookDefinition, SourceDefinition
from schema.guard.guard import Guard


class HubLike(Protocol):
    """What requests need of a hub."""

    @property
    def store(self) -> Store: ...

    @property
    def actions(self) -> Actions: ...

    @property
    def clock(self) -> Callable[[], datetime]: ...

    def playbooks(self) -> Sequence[PlaybookDefinition]: ...

    def sources(self) -> Sequence[SourceDefinition]: ...


def context_of(hub: HubLike, viewer: Viewer, *, guard: Guard, reads: Reads) -> Context:
    """For one request of `viewer`, at the hub's present moment."""
    return Context(
        store=hub.store,
        viewer=viewer,
        now=hub.clock(),
        actions=hub.actions,
        playbooks=hub.playbooks,
        sources=hub.sources,
        reads=reads,
        guard=guard,
    )
