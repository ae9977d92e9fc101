"""Who is spoken with: when one of ours last met or wrote with the champions and executives of a customer.

An executive is spoken with about every five weeks, a champion every two; rarer where the customer is uneasy, and hardly at all
once it has given notice. So silence tells something of what the use of the product does not.
"""

from bisect import bisect_right

import numpy as np

from hub.demo.company.people import CHAMPION, SPONSOR, People
from hub.demo.company.streams import Flags, Floats, Purpose, stream

WORKING_DAYS_BETWEEN = {CHAMPION: 10.0, SPONSOR: 25.0}
UNEASE = -0.55  # of the log of the chance, for each step of the log-odds of leaving


class Touches:
    """seconds since the opening of the window, by person, rising."""

    def __init__(self, people: People, *, seed: int) -> None:
        self._people, self._seed = people, seed
        self._seconds: dict[int, list[int]] = {}

    def step(self, day: int, *, unease: Floats, running: Flags, leaving: Flags, busy: float) -> None:
        """One day's meetings. `unease` [customers]: log-odds of leaving over what is usual; `busy`: of a working day."""
        random = stream(self._seed, Purpose.TOUCH, day)
        people, count = self._people, self._people.count
        draw, hours = random.random(count), random.uniform(8.0, 16.0, count)
        account, role = people.account[:count], people.role[:count]
        between = np.select([role == one for one in WORKING_DAYS_BETWEEN], list(WORKING_DAYS_BETWEEN.values()), np.inf)
        mood = np.exp(UNEASE * np.clip(unease, -1.0, 5.0)) * np.where(leaving, 0.1, 1.0)
        met = people.here(day) & running[account] & (draw < busy * mood[account] / between)
        for person in np.flatnonzero(met).tolist():
            self._seconds.setdefault(person, []).append(day * 86_400 + int(hours[person] * 3600))

    def last(self, person: int, until: int) -> int | None:
        """The newest second, not after `until`, at which the person (from 0) was spoken with."""
        seconds = self._seconds.get(person, [])
        place = bisect_right(seconds, until)
        return seconds[place - 1] if place else None
