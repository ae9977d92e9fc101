"""The people of ours who work with customers: who they are to other systems, when they work, and what they may do.

A CSM is known by the e-mail address that the CRM says (a customer's `csm_email`). Who is not in config/team.yaml is a member
all the same, with the team's time zone and hours: a new CSM needs no configuration before the first message.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hub.model.actions import Role

UTC_ZONE = ZoneInfo("UTC")
WEEKDAYS = frozenset(range(5))


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """When people work: local times of day, days of the week (Monday is 0), and days nobody works."""

    begin: time = time(9)
    end: time = time(17, 30)
    weekdays: frozenset[int] = WEEKDAYS
    holidays: frozenset[date] = frozenset()

    def is_business_day(self, day: date) -> bool:
        return day.weekday() in self.weekdays and day not in self.holidays


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One of us. `slack`: their Slack user id. `role`: what they may do from Slack; None: nothing that changes anything."""

    email: str
    name: str | None = None
    zone: ZoneInfo = UTC_ZONE
    hours: Hours = Hours()
    slack: str | None = None
    role: Role | None = None

    def local(self, at: datetime) -> datetime:
        return at.astimezone(self.zone)

    def works_at(self, at: datetime) -> bool:
        here = self.local(at)
        return self.hours.is_business_day(here.date()) and self.hours.begin <= here.time() < self.hours.end

    def next_working(self, at: datetime) -> datetime:
        """`at` where the member works then, else the begin of the next working day, in the time zone of `at`."""
        if self.works_at(at):
            return at
        here = self.local(at)
        day = here.date() if here.time() < self.hours.begin else here.date() + timedelta(days=1)
        while not self.hours.is_business_day(day):
            day += timedelta(days=1)
        return datetime.combine(day, self.hours.begin, self.zone).astimezone(at.tzinfo)

    def business_days_after(self, at: datetime, count: int) -> date:
        """The day that is so many of the member's business days after the local day of `at`."""
        day = self.local(at).date()
        for _ in range(count):
            day += timedelta(days=1)
            while not self.hours.is_business_day(day):
                day += timedelta(days=1)
        return day


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """Everybody of ours. `members`: {e-mail address in small letters: member}.

    unassigned  whose the customers are that have no CSM; None: nobody's
    """

    zone: ZoneInfo = UTC_ZONE
    hours: Hours = Hours()
    members: Mapping[str, Member] = field(default_factory=dict)
    unassigned: str | None = None

    def member(self, email: str) -> Member:
        """The member of this address; one with the team's hours where nobody configured them."""
        known = self.members.get(email.lower())
        return known or Member(email=email, zone=self.zone, hours=self.hours)

    def by_slack(self, user: str) -> Member | None:
        return next((each for each in self.members.values() if each.slack == user), None)
