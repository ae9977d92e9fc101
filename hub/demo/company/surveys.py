"""NPS surveys: every customer is asked about once a quarter, and those who hardly care any more hardly answer."""

from dataclasses import dataclass

import numpy as np

from hub.demo.company import words
from hub.demo.company.mood import Mood
from hub.demo.company.people import People
from hub.demo.company.roster import Roster
from hub.demo.company.streams import Flags, Purpose, expit, stream

EVERY_DAYS = 91


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """second: since the opening of the window."""

    customer: int
    person: int
    score: int
    comment: str
    second: int


class Surveys:
    def __init__(self, roster: Roster, people: People, *, seed: int) -> None:
        self._people = people
        self._seed = seed
        self._roster = roster
        self._phase = stream(seed, Purpose.SURVEY, 0).integers(0, EVERY_DAYS, len(roster))
        self.answers: list[Answer] = []

    def step(self, day: int, *, mood: Mood, running: Flags) -> None:
        """Ask the customers whose turn it is; people answer within the day, or never."""
        due = running & ((day + self._phase) % EVERY_DAYS == 0) & (day - self._roster.signed >= 45)
        if not due.any():
            return
        random = stream(self._seed, Purpose.SURVEY, 1, day)
        count = self._people.count
        account = self._people.account[:count]
        asked = np.flatnonzero(self._people.here(day) & due[account])
        customer = account[asked]
        care = mood.engagement[customer]
        answering = random.random(len(asked)) < expit(-1.15 + 0.45 * care + 0.2 * np.abs(mood.satisfaction[customer]))
        feeling = 7.5 + 1.9 * mood.satisfaction[customer] + 0.5 * care + random.normal(0.0, 1.3, len(asked))
        hours = random.uniform(6.0, 20.0, len(asked))
        for index in np.flatnonzero(answering):
            score = int(np.clip(np.rint(feeling[index]), 0, 10))
            kind = "promoter" if score >= 9 else "passive" if score >= 7 else "detractor"
            self.answers.append(
                Answer(
                    customer=int(customer[index]),
                    person=int(asked[index]),
                    score=score,
                    comment=words.NPS_COMMENTS[kind][int(random.integers(len(words.NPS_COMMENTS[kind])))],
                    second=day * 86_400 + int(hours[index] * 3600),
                )
            )
