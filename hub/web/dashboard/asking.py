"""Asks the public GraphQL API in the name of whoever is signed in: same documents, same limits, same refusals as over HTTP."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hub.access import Viewer


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the API answered.

    data         None where the request was refused as a whole
    faults       messages of its errors, in order; fit to show
    status       as GraphQL over HTTP has it
    retry_after  seconds, where asking again later makes a difference
    """

    data: Mapping[str, Any] | None
    faults: Sequence[str] = ()
    status: int = 200
    retry_after: int | None = None

    @classmethod
    def of(cls, body: Mapping[str, Any], *, status: int, retry_after: int | None = None) -> "Asked":
        """An answer's JSON."""
        faults = tuple(dict.fromkeys(str(each["message"]) for each in body.get("errors", ())))
        return cls(data=body.get("data"), faults=faults, status=status, retry_after=retry_after)


Ask = Callable[[Viewer, str, Mapping[str, Any]], Awaitable[Asked]]
"""(who asks, the document, its variables)"""
