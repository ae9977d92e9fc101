"""The people at the customers: who joins, who leaves, who champions the product, and how eagerly each uses it.

Arrays have room for more people than there are; only the first `count` rows mean anything. People are numbered from 1 in the
order they join. One in about ten is a sponsor who signs but does not use.
"""

from dataclasses import dataclass

import numpy as np

from hub.demo.company import words
from hub.demo.company.roster import FREE_MAIL, Roster
from hub.demo.company.streams import Flags, Floats, Ints, Purpose, stream

NEVER = 1 << 30
LEAVE_A_DAY = 0.13 / 365
ROLES = ("user", "champion", "admin", "executive")
USER, CHAMPION, ADMIN, SPONSOR = range(4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """What a person is called; the numbers about them are columns of `People`."""

    name: str
    email: str
    title: str


class People:
    """Columns over people: account, role, joined, left (days), eagerness (log-odds of a working day with use), intensity."""

    def __init__(self, roster: Roster, *, seed: int) -> None:
        self._roster = roster
        self._seed = seed
        room = int(roster.size.sum()) * 8 + 64
        self.account: Ints = np.zeros(room, dtype=np.int64)
        self.role: Ints = np.zeros(room, dtype=np.int64)
        self.joined: Ints = np.full(room, NEVER, dtype=np.int64)
        self.left: Ints = np.full(room, NEVER, dtype=np.int64)
        self.eagerness: Floats = np.zeros(room)
        self.intensity: Floats = np.ones(room)
        self.wanted: Floats = roster.size.astype(np.float64)
        self.faces: list[Face] = []
        self._emails: set[str] = set()
        self._ever = np.zeros(len(roster), dtype=np.int64)

    @property
    def count(self) -> int:
        return len(self.faces)

    def here(self, day: int) -> Flags:
        """Whether each person works at the customer on a day."""
        return (self.joined[: self.count] <= day) & (self.left[: self.count] > day)

    def headcount(self, day: int) -> Ints:
        """People a customer has on a day, sponsors apart."""
        users = self.here(day) & (self.role[: self.count] != SPONSOR)
        return np.bincount(self.account[: self.count][users], minlength=len(self._roster))

    def found(self, customer: int, day: int) -> None:
        """The first people of a customer who signs on `day`: champion and sponsor at once, the others within weeks."""
        size = int(self._roster.size[customer])
        self._join(customer, CHAMPION, day)
        self._join(customer, SPONSOR, day)
        for index in range(size - 1):
            wait = int(stream(self._seed, Purpose.PERSON, customer, 1_000_000 + index).exponential(12.0))
            self._join(customer, ADMIN if index == 0 and size > 5 else USER, day + min(wait, 60))

    def turn_over(self, day: int, *, running: Flags, engagement: Floats, random: np.random.Generator) -> list[int]:
        """One day's joining and leaving; return the customers whose champion left."""
        here = self.here(day)
        leaving = np.flatnonzero(here & (random.random(self.count) < LEAVE_A_DAY) & running[self.account[: self.count]])
        self.left[leaving] = day
        bereft = [int(self.account[person]) for person in leaving if self.role[person] == CHAMPION]
        missing = np.maximum(0.0, self.wanted - self.headcount(day))
        chance = np.where(running, (0.007 * missing + 0.0002 * self.wanted) * np.exp(0.4 * engagement), 0.0)
        joining = np.flatnonzero(random.random(len(self._roster)) < chance)
        for customer in joining:
            self._join(int(customer), self._vacancy(int(customer), day), day)
        return bereft

    def _vacancy(self, customer: int, day: int) -> int:
        mates = self.here(day) & (self.account[: self.count] == customer)
        roles = set(self.role[: self.count][mates].tolist())
        return next((role for role in (CHAMPION, SPONSOR) if role not in roles), USER)

    def _join(self, customer: int, role: int, day: int) -> None:
        random = stream(self._seed, Purpose.PERSON, customer, int(self._ever[customer]))
        index = self.count
        if index == len(self.account):
            for name in ("account", "role", "joined", "left", "eagerness", "intensity"):
                column = getattr(self, name)
                setattr(self, name, np.concatenate([column, np.full_like(column, column[-1])]))
        name = f"{_pick(random, words.GIVEN_NAMES)} {_pick(random, words.FAMILY_NAMES)}"
        titles = (words.USER_TITLES, words.CHAMPION_TITLES, words.ADMIN_TITLES, words.SPONSOR_TITLES)[role]
        free = self._ever[customer] < self._roster.free_mail[customer]
        domain = FREE_MAIL if free else self._roster.mail_domains[customer]
        self.faces.append(Face(name=name, email=self._email(name, domain), title=_pick(random, titles)))
        share = random.beta(1.3, 2.2) if role in (USER, SPONSOR) else random.beta(3.0, 2.2)
        self.account[index] = customer
        self.role[index] = role
        self.joined[index] = day
        self.left[index] = NEVER
        self.eagerness[index] = -9.0 if role == SPONSOR else np.log((share + 0.02) / (1.0 - share))
        self.intensity[index] = np.exp(random.normal(0.0, 0.35))
        self._ever[customer] += 1

    def _email(self, name: str, domain: str) -> str:
        local = name.lower().replace(" ", ".")
        email, again = f"{local}@{domain}", 1
        while email in self._emails:
            again += 1
            email = f"{local}{again}@{domain}"
        self._emails.add(email)
        return email


def _pick(random: np.random.Generator, choices: tuple[str, ...]) -> str:
    return choices[int(random.integers(len(choices)))]
