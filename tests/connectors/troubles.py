"""What goes wrong in the hostile suite, by name; a manifest may be excused from a trouble as from a rule, with the reason."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Trouble:
    """faults: what is switched on before a request; at: the requests of a stream it strikes, of `n` of them."""

    name: str
    faults: dict[str, Any]
    at: Callable[[int], set[int]] = field(default=lambda n: {1, (n + 1) // 2})


def later_pages(n: int) -> set[int]:
    return {2, (n + 2) // 2} - {1}


TROUBLES = (
    Trouble("a storm of 429", {"rate_limited": 4, "retry_after": 15}),
    Trouble("a burst of 5xx", {"server_errors": 3}),
    Trouble("closed connections", {"resets": 2}),
    Trouble("bodies cut off", {"truncated": 2}),
    Trouble("cut JSON", {"cut_json": 2}),
    Trouble("HTML with status 200", {"html": 2}),
    Trouble("a credential run out", {"expired": 1}),
    Trouble("a permission refused", {"forbidden": 1}),
    Trouble("links to another host", {"foreign_next": 1}),
    Trouble("a page that begins with the row before", {"duplicate_rows": 1}, later_pages),
    Trouble("an empty page in the middle", {"empty_pages": 1}, later_pages),
    Trouble("a page served again", {"repeated_pages": 1}, later_pages),
    Trouble("a dripping body", {"drip": 0.03}, lambda n: {(n + 1) // 2}),
)
DEADLINE = 0.15
"""Seconds for one answer while bodies drip for twice as long, in place of 120 s and 30 s a piece."""

WORLD_RULES = {
    "ties": "one time for all rows",
    "moved": "rows changed while the first sync read the pages",
    "moved_later": "rows changed while a later sync read the pages",
    "late": "rows became visible late, with older times",
    "skew_ahead": "the hub's clock was 2 minutes ahead",
    "skew_behind": "the hub's clock was 2 minutes behind",
    "deletions": "rows were deleted",
}
"""What a vendor may not allow us to notice; to be excused from one of them is to say so in the manifest."""
