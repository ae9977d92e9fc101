"""The CRM's deals: one for every signing, renewal (monthly terms apart) and attempt to sell more seats."""

from dataclasses import dataclass

import numpy as np

from hub.demo.company.contracts import Change, Contracts
from hub.demo.company.mood import Mood
from hub.demo.company.people import NEVER, People
from hub.demo.company.roster import Roster
from hub.demo.company.streams import Flags, Purpose, stream

RENEWAL_OPENS = {3: 35, 12: 120}  # days before the term is due, by its months
EXPANSIONS_A_YEAR = 0.34


@dataclass(slots=True, kw_only=True)
class DealLife:
    """Days count from the opening of the window. `seats`: to be added, by an expansion; `final`: the amount it was won at."""

    customer: int
    kind: str
    amount: float
    created: int
    due: int
    closed: int = NEVER
    won: bool = False
    seats: int = 0
    final: float | None = None


class Pipeline:
    def __init__(self, roster: Roster, *, seed: int) -> None:
        self._roster = roster
        self._seed = seed
        self.lives: list[DealLife] = []
        self._renewal: dict[int, DealLife] = {}
        self._expansion: dict[int, DealLife] = {}

    def note(self, day: int, change: Change) -> None:
        """Open or close what a change of contract opens or closes."""
        customer = change.customer
        if change.what == "signed":
            months = 20 + (customer * 37) % 70
            deal = DealLife(customer=customer, kind="new", amount=_annual(change.after), created=day - months, due=day)
            deal.closed, deal.won = day, True
            self.lives.append(deal)
        elif change.what == "renewed":
            if (deal_ := self._renewal.pop(customer, None)) is not None:
                deal_.closed, deal_.won, deal_.final = day, True, _annual(change.after)
        elif change.what in ("notice", "ended"):
            for open_ in (self._renewal.pop(customer, None), self._expansion.pop(customer, None)):
                if open_ is not None:
                    open_.closed = day

    def step(self, day: int, *, contracts: Contracts, mood: Mood, people: People) -> None:
        """Open the renewals that come into sight, try to sell seats, and close what is due."""
        free = contracts.running(day) & (contracts.ends == NEVER)
        self.open_renewals(day, contracts=contracts, among=free)
        self._close_expansions(day, contracts=contracts, mood=mood, people=people)
        random = stream(self._seed, Purpose.MONEY, 1, day)
        full = people.headcount(day) / contracts.seats
        hazard = EXPANSIONS_A_YEAR / 365 * np.exp(0.5 * mood.engagement + 0.2 * mood.satisfaction + 1.6 * (full - 0.8))
        age = day - self._roster.signed
        chosen = free & (age > 75) & (random.random(len(self._roster)) < hazard)
        for customer in np.flatnonzero(chosen):
            if int(customer) in self._expansion:
                continue
            now = int(contracts.seats[customer])
            seats = max(1, round(now * float(random.uniform(0.1, 0.4))))
            amount = _annual(contracts.mrr(int(customer)) * seats / now)
            due = day + int(random.integers(18, 55))
            deal = DealLife(customer=int(customer), kind="expansion", amount=amount, created=day, due=due, seats=seats)
            self._expansion[int(customer)] = deal
            self.lives.append(deal)

    def open_renewals(self, day: int, *, contracts: Contracts, among: Flags) -> None:
        """The deal of a renewal opens a fixed time before it; `among` says whose."""
        for customer in np.flatnonzero(among & (contracts.renews - day <= max(RENEWAL_OPENS.values()))):
            ahead = RENEWAL_OPENS.get(int(self._roster.months[customer]))
            due = int(contracts.renews[customer])
            if ahead is None or int(customer) in self._renewal or due - day > ahead:
                continue
            amount = _annual(contracts.mrr(int(customer)) * (1.0 + float(contracts.raise_[customer])))
            deal = DealLife(customer=int(customer), kind="renewal", amount=amount, created=day, due=due)
            self._renewal[int(customer)] = deal
            self.lives.append(deal)

    def recall(self, told: list[tuple[int, Change]]) -> None:
        """The deals of before the window, all won."""
        for day, change in told:
            ahead = RENEWAL_OPENS.get(int(self._roster.months[change.customer]))
            if change.what == "renewed" and ahead is not None:
                deal = DealLife(
                    customer=change.customer, kind="renewal", amount=_annual(change.after), created=day - ahead, due=day
                )
                deal.closed, deal.won = day, True
                self.lives.append(deal)
            else:
                self.note(day, change)

    def _close_expansions(self, day: int, *, contracts: Contracts, mood: Mood, people: People) -> None:
        for customer in sorted(customer for customer, deal in self._expansion.items() if deal.due == day):
            deal = self._expansion.pop(customer)
            liking = 0.3 + 0.5 * float(mood.engagement[customer]) + 0.4 * float(mood.satisfaction[customer])
            random = stream(self._seed, Purpose.MONEY, 2, day, customer)
            deal.closed = day
            if random.random() < 1.0 / (1.0 + np.exp(-liking)):
                deal.won = contracts.expand(customer, day, seats=deal.seats) is not None
                people.wanted[customer] += 0.8 * deal.seats if deal.won else 0.0


def _annual(mrr: float) -> float:
    return round(12 * mrr, 2)
