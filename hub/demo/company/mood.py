"""The hidden state of every customer, a day at a time: what no system records and everything recorded follows from.

engagement    how much the product is part of the work; drifts to what fit and onboarding allow, sinks in a slump
satisfaction  how people feel about it; sinks with outages and bad tickets, recovers over about two months
slump         a stretch of weeks in which engagement is pulled down; nearly half of them are recovered from
champion      the day the champion left; felt for months, and hardly seen in the use of the product

Engagement and satisfaction are about standard normal over customers.
"""

import numpy as np

from hub.demo.company.roster import Roster
from hub.demo.company.streams import Flags, Floats, Ints, Purpose, stream

LONG_AGO = -100_000
OUTAGES_A_YEAR = 3.0  # for everybody
PARTIAL_OUTAGES_A_YEAR = 9.0  # for a sixth of the customers each
SLUMPS_A_YEAR = 0.38


class Mood:
    """Columns over customers, moved on by `step`."""

    def __init__(self, roster: Roster, *, seed: int) -> None:
        count = len(roster)
        self._roster = roster
        self._seed = seed
        start = stream(seed, Purpose.MOOD, 0)
        self.engagement: Floats = 0.5 * roster.fit + 0.3 * roster.onboarding + 0.3 * start.standard_normal(count)
        self.satisfaction: Floats = 0.5 * roster.fit + 0.3 * start.standard_normal(count)
        self.slump_depth: Floats = np.zeros(count)
        # some are in the middle of one when the window opens
        self.slump_until: Ints = np.where(start.random(count) < 0.15, start.integers(20, 150, count), LONG_AGO)
        self.slump_depth[self.slump_until > 0] = 1.4
        self.engagement[self.slump_until > 0] -= 0.9
        self.champion_left: Ints = np.full(count, LONG_AGO, dtype=np.int64)
        self.outage: Floats = np.zeros(count)  # today's, 0 to 1

    def step(self, day: int, *, running: Flags, leaving: Flags) -> None:
        """Live through one day. `leaving`: customers who gave notice and wind down."""
        random = stream(self._seed, Purpose.MOOD, 1, day)
        count = len(self._roster)
        age = np.maximum(0, day - self._roster.signed)
        self._suffer_outages(day)
        hazard = (
            SLUMPS_A_YEAR
            / 365
            * np.exp(-0.45 * self._roster.fit - 0.35 * self._roster.onboarding - 0.35 * self.satisfaction)
        )
        draw, depth, length = random.random(count), random.exponential(0.8, count), random.exponential(110.0, count)
        fresh = running & (self.slump_until < day) & (draw < hazard)
        self.slump_depth[fresh] = 1.0 + depth[fresh]
        self.slump_until[fresh] = day + 60 + length[fresh].astype(np.int64)
        slump = np.where(self.slump_until >= day, self.slump_depth, 0.0)
        onboarding = 0.5 * self._roster.onboarding * np.exp(-age / 400)
        goal = 0.5 * self._roster.fit + onboarding - slump - 1.6 * leaving
        noise = random.standard_normal((2, count))
        self.engagement += 0.028 * (goal - self.engagement) + 0.036 * noise[0]
        self.satisfaction += 0.016 * (0.55 * self._roster.fit - self.satisfaction) + 0.035 * noise[1]
        self.satisfaction -= 0.22 * self.outage

    def annoy(self, customers: Ints, amounts: Floats) -> None:
        """Take `amounts` off the satisfaction of `customers`; one that stands twice is annoyed twice."""
        np.subtract.at(self.satisfaction, customers, amounts)

    def champion_loss(self, day: int) -> Floats:
        """How much the loss of the champion is felt, 0 to 1: fully at once, half after 12 weeks."""
        return np.exp2(-(day - self.champion_left) / 84.0)

    def _suffer_outages(self, day: int) -> None:
        random = stream(self._seed, Purpose.OUTAGE, day)
        everybody, some = random.random(2)
        share = random.random(len(self._roster))
        force = 0.4 + 0.6 * random.random()
        self.outage[:] = 0.0
        if everybody < OUTAGES_A_YEAR / 365:
            self.outage[:] = force
        elif some < PARTIAL_OUTAGES_A_YEAR / 365:
            self.outage[share < 1 / 6] = force
