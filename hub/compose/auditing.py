"""What the command line asks for, carried out with an entry in the audit log before and after."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from hub.access import Viewer
from hub.access.acting import act
from hub.model.actions import Role
from hub.store import Store

T = TypeVar("T")


async def audited(
    store: Store,
    action: str,
    *,
    by: str,
    subject: str,
    request: Mapping[str, Any],
    now: datetime,
    run: Callable[[], Awaitable[T]],
) -> T:
    """What `run` returns. Whoever has a shell on the hub's machine is an admin."""
    made: list[T] = []

    async def carry_out() -> Mapping[str, Any]:
        made.append(await run())
        return {}

    viewer = Viewer(token_id="", name=by, role=Role.ADMIN)
    await act(store, viewer, action=action, subject=subject, request=request, now=now, run=carry_out)
    return made[0]
