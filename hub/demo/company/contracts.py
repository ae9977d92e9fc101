"""Subscriptions: terms that begin, renew, grow, shrink and end, and the decision before each renewal whether to stay.

The decision falls some weeks before the term is due (annual terms earliest) and hangs on the hidden state of the customer that
day: engagement, satisfaction, a champion who left, a price that jumps. Besides there are acquisitions, which end contracts
with no sign beforehand, and payments that fail. A noticed term runs on until it is due.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np

from hub.demo.company.mood import Mood
from hub.demo.company.people import NEVER, People
from hub.demo.company.roster import PLANS, Roster, month_later
from hub.demo.company.streams import Flags, Floats, Ints, Purpose, expit, stream

LEAD = {1: (2, 12), 3: (12, 30), 12: (35, 80)}  # days between the decision and the renewal, by months of the term
BASE = {1: -5.4, 3: -4.6, 12: -3.25}  # log-odds of leaving at a decision, everything else at its mean
SHOCK_CHANCE = {1: 0.02, 3: 0.06, 12: 0.18}
PAYMENT_FAILS = {1: 0.005, 3: 0.014, 12: 0.034}  # at the beginning of a term
SHRINK = {1: -5.2, 3: -3.9, 12: -2.3}
ENGAGEMENT, SATISFACTION, CHAMPION, PRICE = -1.7, -1.25, 3.0, 9.5
ACQUIRED_A_YEAR = 0.024
DUNNING_DAYS = 21
DAY_SECONDS = 86_400


@dataclass(slots=True, kw_only=True)
class TermLife:
    """One term as it went. Days count from the opening of the window; cancelled is in seconds.

    index  how often the customer had renewed before
    """

    customer: int
    index: int
    plan: str
    price: float  # a seat and month
    seats: int
    started: int
    renews: int
    ended: int = NEVER
    cancelled: int | None = None
    kind: str | None = None
    used: list[tuple[int, int]] = field(default_factory=list)  # (day, seats in use), once a month


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What happened to a contract on a day: signed, renewed, expanded, notice, ended. `mrr`: before and after."""

    what: str
    customer: int
    before: float
    after: float


class Contracts:
    """Columns over customers: renews, decides, ends, noticed (days); raise_ (the next price over this one, minus 1)."""

    def __init__(self, roster: Roster, *, seed: int, started_on: date) -> None:
        count = len(roster)
        self._roster = roster
        self._seed = seed
        self._started_on = started_on
        self.lives: list[TermLife] = []
        self.current: list[TermLife | None] = [None] * count
        self.renews: Ints = np.full(count, NEVER, dtype=np.int64)
        self.decides: Ints = np.full(count, NEVER, dtype=np.int64)
        self.ends: Ints = np.full(count, NEVER, dtype=np.int64)
        self.noticed: Ints = np.full(count, NEVER, dtype=np.int64)
        self.raise_: Floats = np.zeros(count)
        self.seats: Ints = np.ones(count, dtype=np.int64)
        self.cause: list[str] = [""] * count
        self._next_seats: Ints = np.zeros(count, dtype=np.int64)
        self._terms = np.zeros(count, dtype=np.int64)
        self._fails: dict[tuple[int, int], bool] = {}
        self._base = np.array([BASE[int(months)] for months in roster.months])

    def running(self, day: int) -> Flags:
        return (self._roster.signed <= day) & (day < self.ends)

    def recall(self) -> list[tuple[int, Change]]:
        """Live through the terms of before the window; return what happened, with its day, in order of time."""
        told: list[tuple[int, Change]] = []
        for customer in np.flatnonzero(self._roster.signed < 0):
            day = int(self._roster.signed[customer])
            while day < 0:
                told.append((day, self._begin(int(customer), day, forced=True)))
                day = int(self.renews[customer])
            self.decides[customer] = max(1, int(self.decides[customer]))
        self.lives.sort(key=lambda life: (life.started, life.customer))
        return sorted(told, key=lambda item: (item[0], item[1].customer))

    def open_day(self, day: int) -> list[Change]:
        """The terms that begin and the contracts that end on this day."""
        changes = [
            self._begin(int(customer), day)
            for customer in np.flatnonzero(
                (self._roster.signed == day) | ((self.renews == day) & (self.ends > day) & (self._roster.signed < day))
            )
        ]
        for customer in np.flatnonzero(self.ends == day):
            life = self._life(int(customer))
            life.ended = day
            if self.cause[customer] == "payment":
                life.cancelled, life.kind = day * DAY_SECONDS, "involuntary"
                self.noticed[customer] = day
            changes.append(Change(what="ended", customer=int(customer), before=_mrr(life), after=0.0))
        return changes

    def leaving_odds(self, day: int, mood: Mood) -> Floats:
        """Log-odds of giving notice, were the decision today."""
        return self._base + self.unease(day, mood)

    def unease(self, day: int, mood: Mood) -> Floats:
        """What speaks for leaving, as log-odds over what is usual."""
        return (
            ENGAGEMENT * mood.engagement
            + SATISFACTION * mood.satisfaction
            + CHAMPION * mood.champion_loss(day)
            + PRICE * np.maximum(0.0, self.raise_ - 0.08)
        )

    def decide(self, day: int, *, mood: Mood, people: People) -> list[Change]:
        """Those whose decision falls on this day stay, shrink or give notice; some are acquired and go."""
        random = stream(self._seed, Purpose.MONEY, 0, day)
        count = len(self._roster)
        free = self.running(day) & (self.ends == NEVER)
        odds = self.leaving_odds(day, mood)
        draw, shrink_draw, acquired = random.random((3, count))
        deciding = free & (self.decides == day)
        changes = [
            self._notice(int(customer), day, int(self.renews[customer]), self._why(int(customer), day, mood))
            for customer in np.flatnonzero(deciding & (draw < expit(odds)))
        ]
        for customer in np.flatnonzero(free & ~deciding & (acquired < ACQUIRED_A_YEAR / 365)):
            leaves = min(int(self.renews[customer]), day + int(random.integers(30, 75)))
            changes.append(self._notice(int(customer), day, max(day + 1, leaves), "acquired"))
        slack = 0.8 - people.headcount(day) / self.seats
        base = np.array([SHRINK[int(months)] for months in self._roster.months])
        shrinking = deciding & (draw >= expit(odds)) & (shrink_draw < expit(base - 0.7 * mood.engagement + 2.0 * slack))
        for customer in np.flatnonzero(shrinking & (self.seats > 3)):
            seats = max(2, round(int(self.seats[customer]) * float(random.uniform(0.6, 0.85))))
            life = self._life(int(customer))
            life.cancelled, life.kind = day * DAY_SECONDS + 52_000, "contraction"
            self._next_seats[customer] = seats
            people.wanted[customer] *= 0.85
        return changes

    def expand(self, customer: int, day: int, *, seats: int) -> Change | None:
        """Add seats in the middle of a term; None where there is no term to add them to."""
        life = self._life(customer)
        if self.ends[customer] != NEVER or day - life.started < 14 or life.renews - day < 14 or life.kind:
            return None
        life.ended = day
        self._add(customer, life.index, life.plan, life.price, life.seats + seats, day, life.renews)
        return Change(what="expanded", customer=customer, before=_mrr(life), after=_mrr(self._life(customer)))

    def months(self, customer: int) -> int:
        """How long the customer's terms are."""
        return int(self._roster.months[customer])

    def payment_fails(self, customer: int, index: int) -> bool:
        """Whether payment of the customer's renewal of that index fails for good, if it comes to it."""
        if (customer, index) not in self._fails:
            months = self.months(customer)
            *_, fails = _fate(stream(self._seed, Purpose.TERM, customer, index), months)
            self._fails[customer, index] = bool(index > 0 and fails < PAYMENT_FAILS[months])
        return self._fails[customer, index]

    def count_seats(self, day: int, people: People) -> None:
        """Note the seats in use, as billing does on the first of a month."""
        used = people.headcount(day)
        for customer in np.flatnonzero(self.running(day)):
            self._life(int(customer)).used.append((day, int(used[customer])))

    def mrr(self, customer: int) -> float:
        return _mrr(self._life(customer))

    def _life(self, customer: int) -> TermLife:
        life = self.current[customer]
        assert life is not None
        return life

    def _begin(self, customer: int, day: int, *, forced: bool = False) -> Change:
        """The next term of a customer: the first one, or a renewal."""
        random = stream(self._seed, Purpose.TERM, customer, int(self._terms[customer]))
        months = int(self._roster.months[customer])
        past = self.current[customer]
        plan, price = PLANS[self._roster.segments[customer]]
        if past is None:
            seats = max(2, round(int(self._roster.size[customer]) * float(random.uniform(0.95, 1.35))))
            price = price * float(random.uniform(0.85, 1.1))
        else:
            past.ended = day
            seats = int(self._next_seats[customer]) or past.seats
            price = past.price * (1.0 + float(self.raise_[customer]))
        due = (month_later(self._started_on + timedelta(days=day), months) - self._started_on).days
        self._add(customer, int(self._terms[customer]), plan, round(price, 2), seats, day, due)
        self._terms[customer] += 1
        self._next_seats[customer] = 0
        self.renews[customer] = due
        lead, usual, jump, jumps, fails = _fate(random, months)
        self.decides[customer] = due - lead
        yearly = usual * months / 12
        self.raise_[customer] = jump if jumps < SHOCK_CHANCE[months] and not forced else yearly
        if past is not None and fails < PAYMENT_FAILS[months] and not forced:
            self.ends[customer], self.cause[customer] = day + DUNNING_DAYS, "payment"
        before = 0.0 if past is None else _mrr(past)
        return Change(
            what="signed" if past is None else "renewed", customer=customer, before=before, after=self.mrr(customer)
        )

    def _add(self, customer: int, index: int, plan: str, price: float, seats: int, day: int, due: int) -> None:
        life = TermLife(customer=customer, index=index, plan=plan, price=price, seats=seats, started=day, renews=due)
        past = self.current[customer]
        known = past.used[-1][1] if past is not None else round(0.8 * seats) if day < 0 else 1
        life.used.append((day, known))  # what billing goes on with until it counts again
        self.lives.append(life)
        self.current[customer] = life
        self.seats[customer] = seats

    def _notice(self, customer: int, day: int, leaves: int, cause: str) -> Change:
        life = self._life(customer)
        # notice is given in office hours, at a minute of its own
        life.cancelled, life.kind = day * DAY_SECONDS + 34_000 + (customer * 7919 + day * 104_729) % 26_000, "voluntary"
        self.noticed[customer], self.ends[customer], self.cause[customer] = day, leaves, cause
        return Change(what="notice", customer=customer, before=_mrr(life), after=0.0)

    def _why(self, customer: int, day: int, mood: Mood) -> str:
        """What weighed most."""
        weights = {
            "decline": ENGAGEMENT * float(mood.engagement[customer]),
            "support": SATISFACTION * float(mood.satisfaction[customer]),
            "champion": CHAMPION * float(mood.champion_loss(day)[customer]),
            "price": PRICE * max(0.0, float(self.raise_[customer]) - 0.08),
        }
        return max(weights, key=lambda name: weights[name])


def _fate(random: np.random.Generator, months: int) -> tuple[int, float, float, float, float]:
    """What a renewal draws: days between decision and the next renewal, usual and unusual raise, and chances of the last
    and of a failing payment. The generator is as the term's own, after what only a first term draws."""
    lead = int(random.integers(*LEAD[months]))
    return lead, random.uniform(0.02, 0.06), random.uniform(0.15, 0.4), *random.random(2)


def _mrr(life: TermLife) -> float:
    return round(life.price * life.seats, 2)
