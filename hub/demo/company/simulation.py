"""The simulation: all parts of the company live through one day after another, and the world is told as of a moment."""

from datetime import UTC, date, datetime, timedelta

from connectors.kit.simulated import World
from hub.demo.company import recount
from hub.demo.company.bills import bills
from hub.demo.company.contracts import Contracts
from hub.demo.company.eventlog import EventLog
from hub.demo.company.mood import Mood
from hub.demo.company.people import People
from hub.demo.company.pipeline import Pipeline
from hub.demo.company.retelling import Viewpoint
from hub.demo.company.roster import enlist
from hub.demo.company.streams import Flags, Floats, Ints, Purpose, stream
from hub.demo.company.support import Support
from hub.demo.company.surveys import Surveys
from hub.demo.company.touches import Touches
from hub.demo.company.truth import Truth, tell
from hub.demo.company.usage import EventDay, Usage, rhythm


class Simulation:
    """A company from `started_on` through the day of `until`."""

    def __init__(
        self, *, seed: int, customers: int, months: int, started_on: date, until: datetime, newcomers: int = 0
    ) -> None:
        if until.tzinfo is None or until.astimezone(UTC).date() < started_on:
            raise ValueError(f"until must be an aware time, not before {started_on}: {until}")
        self.seed = seed
        self.started_on = started_on
        self.until = until.astimezone(UTC)
        self.roster = enlist(seed=seed, customers=customers, months=months, started_on=started_on, newcomers=newcomers)
        self.people = People(self.roster, seed=seed)
        self.mood = Mood(self.roster, seed=seed)
        self.contracts = Contracts(self.roster, seed=seed, started_on=started_on)
        self.pipeline = Pipeline(self.roster, seed=seed)
        self.usage = Usage(self.roster, self.people, seed=seed, started_on=started_on)
        self.support = Support(self.roster, self.people, seed=seed)
        self.surveys = Surveys(self.roster, self.people, seed=seed)
        self.touches = Touches(self.people, seed=seed)
        self.events: list[EventDay] = []
        self._days: list[tuple[Floats, Ints, Ints, Floats]] = []
        self._slumping: list[Flags] = []
        self._live()
        self._tickets = recount.tickets(self.support.lives)
        self._bills = bills(self.contracts, seed=seed, started_on=started_on)
        self._events = EventLog.of(self.events, started_on=started_on, account_of=self.people.account)

    def _live(self) -> None:
        told = self.contracts.recall()
        self.pipeline.recall(told)
        self.pipeline.lives.sort(key=lambda deal: (deal.created, deal.customer))
        for _, change in told:
            if change.what == "signed":
                self.people.found(change.customer, int(self.roster.signed[change.customer]))
        for day in range((self.until.date() - self.started_on).days + 1):
            self._live_through(day)

    def _live_through(self, day: int) -> None:
        today = self.started_on + timedelta(days=day)
        contracts, mood, people = self.contracts, self.mood, self.people
        for change in contracts.open_day(day):
            self.pipeline.note(day, change)
            if change.what == "signed":
                people.found(change.customer, day)
        running = contracts.running(day)
        mood.step(day, running=running, leaving=contracts.noticed <= day)
        turnover = stream(self.seed, Purpose.PERSON, 0, day)
        bereft = people.turn_over(day, running=running, engagement=mood.engagement, random=turnover)
        mood.champion_left[bereft] = day
        for change in contracts.decide(day, mood=mood, people=people):
            self.pipeline.note(day, change)
        self.pipeline.step(day, contracts=contracts, mood=mood, people=people)
        if today.day == 1 or day == 0:
            contracts.count_seats(day, people)
        self.events.append(self.usage.step(day, mood=mood, running=running))
        self.support.step(day, mood=mood, running=running, busy=rhythm(today))
        self.surveys.step(day, mood=mood, running=running)
        self.touches.step(
            day,
            unease=contracts.unease(day, mood),
            running=running,
            leaving=contracts.noticed <= day,
            busy=rhythm(today),
        )
        odds = contracts.leaving_odds(day, mood)
        self._days.append((odds, contracts.decides.copy(), contracts.renews.copy(), mood.engagement.copy()))
        self._slumping.append(mood.slump_until >= day)

    def world(self, *, until: datetime | None = None) -> World:
        """Everything that has happened up to `until`, which may be earlier than how far was simulated."""
        view = Viewpoint(started_on=self.started_on, until=min(self.until, until or self.until))
        return World(
            seed=self.seed,
            started_on=self.started_on,
            until=view.until,
            accounts=recount.accounts(view, self.roster, self.contracts),
            people=recount.persons(view, self.people, self.contracts, self.touches),
            events=self._events.until(view.second),
            tickets=self._tickets.at(view),
            nps=recount.answers(view, self.surveys.answers),
            terms=recount.terms(view, self.contracts.lives, self.roster),
            deals=recount.deals(view, self.pipeline.lives, self.roster),
            bills=self._bills.at(view),
        )

    def truth(self) -> Truth:
        return tell(self.roster, self.contracts, days=self._days, slumping=self._slumping)
