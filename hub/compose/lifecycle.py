"""Runs the areas of the lifecycle after every scoring, in an order in which later ones may read what earlier ones wrote."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TYPE_CHECKING

from hub.compose import advocacy, expansion, onboarding, renewal
from hub.compose.watching import keep_watch

if TYPE_CHECKING:
    from hub.compose.hub import Hub

Keep = Callable[["Hub", datetime], Awaitable[None]]
AREAS: tuple[Keep, ...] = (keep_watch, onboarding.keep, renewal.keep, advocacy.keep, expansion.keep)
"""Each looks at all customers, in a few statements, and writes where they stand; twice is harmless."""


async def keep_lifecycle(hub: "Hub", *, now: datetime) -> None:
    for keep in AREAS:
        await keep(hub, now)
