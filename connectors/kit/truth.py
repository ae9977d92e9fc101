"""What a right sync of the simulated company holds, for the parts several sandboxes serve; computed from the World alone."""

from collections.abc import Callable, Iterable

from connectors.kit.simulated import ProductEvent
from connectors.kit.usage_records import day_key


def usage_days(
    events: Iterable[ProductEvent],
    *,
    company: Callable[[ProductEvent], str] = lambda event: f"acct-{event.account}",
    user: Callable[[ProductEvent], str] = lambda event: f"u-{event.person}",
    feature: Callable[[ProductEvent], str] | None = lambda event: event.name,
) -> set[str]:
    """Keys of the days of each user and of each feature of a company; `feature` None: of the users only."""
    keys = set[str]()
    for event in events:
        day = event.at.date().isoformat()
        keys.add(day_key(company(event), user(event), day))
        if feature is not None:
            keys.add(day_key(company(event), feature(event), day))
    return keys
