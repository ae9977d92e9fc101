"""How often somebody at an address may try in a minute, in memory that does not grow.

    wait = throttle.wait(address)      seconds until the next try; 0: now
    throttle.note(address)             a try that failed

An address of IPv6 counts with its network of 64 bits, which one household has whole. Beyond `REMEMBERED` addresses the one
that was quiet for longest is forgotten. Each process counts by itself.
"""

import time
from collections import OrderedDict, deque
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address, ip_network

REMEMBERED = 10_000


class Throttle:
    """See the module."""

    def __init__(
        self, *, most: int = 10, seconds: float = 60.0, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._most = most
        self._seconds = seconds
        self._monotonic = monotonic
        self._tries: OrderedDict[str, deque[float]] = OrderedDict()

    def wait(self, address: str) -> float:
        tries = self._tries.get(_place(address))
        if tries is None or len(tries) < self._most:
            return 0.0
        return max(0.0, tries[0] + self._seconds - self._monotonic())

    def note(self, address: str) -> None:
        place = _place(address)
        tries = self._tries.setdefault(place, deque(maxlen=self._most))
        tries.append(self._monotonic())
        self._tries.move_to_end(place)
        if len(self._tries) > REMEMBERED:
            self._tries.popitem(last=False)


def _place(address: str) -> str:
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if isinstance(found, IPv6Address) and found.ipv4_mapped is None:
        return str(ip_network((found, 64), strict=False))
    return str(found)
