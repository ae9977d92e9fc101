"""`MovedClock`: the time it is in the demo, one for the hub and the sandboxes, each in a process of its own.

    clock = MovedClock(folder / "clock");  clock()                the real time, until somebody moves it
    clock.move(at)                                                all of them see it at once, and it stands still there
    clock.release()                                               the real time again

Eight bytes of a file that both have in memory. They outlive a process that is killed, so that the next one goes on from the
moment it was.
"""

import mmap
import struct
from datetime import UTC, datetime
from pathlib import Path

from hub.clock import utc_now

_NUMBER = struct.Struct("<d")
RELEASED = 0.0


class MovedClock:
    """See the module; the file is made where there is none."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a+b") as file:
            if file.seek(0, 2) < _NUMBER.size:
                file.truncate(_NUMBER.size)  # zeros: released
            self._map = mmap.mmap(file.fileno(), _NUMBER.size)

    def __call__(self) -> datetime:
        return self.moved_to or utc_now()

    @property
    def moved_to(self) -> datetime | None:
        """Where it stands; None while it is the real time."""
        seconds: float = _NUMBER.unpack_from(self._map)[0]
        return None if seconds == RELEASED else datetime.fromtimestamp(seconds, UTC)

    def seconds(self) -> float:
        """The time as a number that only grows while a month is played."""
        return self().timestamp()

    def move(self, at: datetime) -> None:
        _NUMBER.pack_into(self._map, 0, at.timestamp())

    def release(self) -> None:
        _NUMBER.pack_into(self._map, 0, RELEASED)

    def close(self) -> None:
        self._map.close()
