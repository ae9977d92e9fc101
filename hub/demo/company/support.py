"""Support tickets: how many a customer opens, and the whole life each of them will have, drawn when it is opened.

Times are in seconds since the opening of the window. What has not happened yet when somebody looks, `recount` leaves out.
"""

from dataclasses import dataclass

import numpy as np

from hub.demo.company import words
from hub.demo.company.mood import Mood
from hub.demo.company.people import People
from hub.demo.company.roster import Roster
from hub.demo.company.streams import Flags, Purpose, stream

SEVERITIES = ("low", "normal", "high", "urgent")
_REPLY_MINUTES = (260.0, 170.0, 75.0, 25.0)
_SOLVE_HOURS = (30.0, 26.0, 20.0, 9.0)
_ANNOYANCE = (0.01, 0.05, 0.14, 0.26)


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketLife:
    """solved holds each time it was solved, reopened what came between them; held: waits for somebody else meanwhile."""

    customer: int
    person: int
    subject: str
    severity: str
    created: int
    replied: int
    solved: tuple[int, ...]
    reopened: tuple[int, ...]
    held: str
    replies: int
    csat: str | None
    csat_comment: str | None
    csat_at: int | None


class Support:
    def __init__(self, roster: Roster, people: People, *, seed: int) -> None:
        self._roster = roster
        self._people = people
        self._seed = seed
        # how much a customer writes, and how well it is served, whatever its mood
        self._wordy = np.exp(stream(seed, Purpose.SUPPORT, 0).normal(0.0, 0.45, len(roster)))
        self.lives: list[TicketLife] = []

    def step(self, day: int, *, mood: Mood, running: Flags, busy: float) -> None:
        """Open the day's tickets, and let the bad ones be felt. `busy`: the share of a working day the day is."""
        random = stream(self._seed, Purpose.SUPPORT, 1, day)
        age = np.maximum(0, day - self._roster.signed)
        crowd = np.maximum(1, self._people.headcount(day)) ** 0.85
        rate = 0.0165 * crowd * self._wordy * (0.12 + 0.88 * busy)
        rate *= 1.0 + 2.0 * np.exp(-age / 35) + 8.0 * mood.outage
        rate *= np.exp(-0.30 * np.clip(mood.satisfaction, -2.0, 2.0) + 0.15 * np.clip(mood.engagement, -2.0, 2.0))
        opened = random.poisson(np.where(running, rate, 0.0))
        customers = np.repeat(np.arange(len(opened)), opened)
        annoyed = []
        for customer in customers:
            severity = self._open(random, day, int(customer), mood)
            annoyed.append(0.0 if severity is None else _ANNOYANCE[severity])
        # one bad ticket is felt less where there are many people
        mood.annoy(customers, 1.8 * np.array(annoyed, dtype=np.float64) / crowd[customers])

    def _open(self, random: np.random.Generator, day: int, customer: int, mood: Mood) -> int | None:
        """Open one ticket and return its severity; None where nobody is there to write it."""
        trouble = float(np.clip(0.5 * mood.outage[customer] - 0.06 * mood.satisfaction[customer], -0.12, 0.6))
        severity = int(
            np.searchsorted(np.cumsum((0.25 - trouble / 2, 0.50 - trouble / 2, 0.19 + trouble * 0.6)), random.random())
        )
        name = SEVERITIES[severity]
        mates = np.flatnonzero(self._people.here(day) & (self._people.account[: self._people.count] == customer))
        if not len(mates):
            return None
        person = int(mates[random.integers(len(mates))])
        hour = np.clip(random.normal(11.5, 2.6) - self._roster.utc_offset[customer], 0.1, 23.8)
        created = day * 86_400 + int(hour * 3600)
        slow = float(np.exp(random.normal(0.0, 0.8) - 0.10 * mood.satisfaction[customer] + 0.7 * mood.outage[customer]))
        replied = created + int(60 * max(1.0, _REPLY_MINUTES[severity] * slow * np.exp(random.normal(0.0, 0.4))))
        solved = [replied + int(3600 * max(0.1, _SOLVE_HOURS[severity] * slow * np.exp(random.normal(0.0, 0.6))))]
        reopened: list[int] = []
        while len(reopened) < 3 and random.random() < 0.08 + 0.05 * slow / (1 + slow):
            reopened.append(solved[-1] + int(3600 * (1 + random.exponential(20.0))))
            solved.append(reopened[-1] + int(3600 * (0.5 + random.exponential(18.0) * slow)))
        feeling = (
            1.5 + 0.85 * mood.satisfaction[customer] - 0.75 * np.log(slow) - 0.9 * len(reopened) + random.normal(0, 0.6)
        )
        answers = random.random() < 0.22 + 0.08 * (abs(feeling - 1.0) > 1.5)  # the pleased and the angry answer more
        csat = ("good" if feeling > 0 else "bad") if answers else None
        comment = _pick(random, words.CSAT_COMMENTS[csat]) if csat else None
        waits = random.random()
        self.lives.append(
            TicketLife(
                customer=customer,
                person=person,
                subject=_pick(random, words.SUBJECTS[name]),
                severity=name,
                created=created,
                replied=replied,
                solved=tuple(solved),
                reopened=tuple(reopened),
                held="pending" if waits < 0.3 else "hold" if waits < 0.36 else "open",
                replies=1 + int(random.poisson(1.2 + 0.8 * len(reopened))),
                csat=csat,
                csat_comment=comment or None,
                csat_at=solved[-1] + int(3600 * (1 + random.exponential(14.0))) if csat else None,
            )
        )
        return severity


def order(lives: list[TicketLife]) -> list[TicketLife]:
    """In order of creation, as they are numbered; a day's tickets are drawn by customer."""
    return sorted(lives, key=lambda life: (life.created, life.customer))


def _pick(random: np.random.Generator, choices: tuple[str, ...]) -> str:
    return choices[int(random.integers(len(choices)))]
