"""The shape of team.yaml, and the team it says."""

import re
from collections.abc import Mapping
from datetime import date, time
from typing import Annotated, Any
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from hub.model.actions import Role
from hub.model.team import Hours, Member, Team

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
SLACK_USER = re.compile(r"[UW][A-Z0-9]{2,20}")


def _zone(value: object) -> object:
    if value is not None and value not in available_timezones():
        raise ValueError(f"{value!r} is no time zone; names are such as UTC, Europe/Berlin, America/New_York")
    return value


def _time(value: object) -> object:
    """YAML reads 17:30 as a number of minutes in base 60."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 24 * 60:
        return time(*divmod(value, 60))
    if isinstance(value, str) and re.fullmatch(r"([01]?\d|2[0-3]):[0-5]\d", value):
        return time.fromisoformat(value.zfill(5))
    raise ValueError(f'{value!r} is no time of day; times are such as "09:00" or "17:30"')


Zone = Annotated[str | None, BeforeValidator(_zone)]
Clock = Annotated[time, BeforeValidator(_time)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, populate_by_name=True)


class HoursEntry(_Part):
    """Of a day's work, in local time."""

    begin: Annotated[Clock, Field(alias="from")] = time(9)
    end: Annotated[Clock, Field(alias="to")] = time(17, 30)
    days: list[str] = Field(default=list(DAYS[:5]), min_length=1)

    @field_validator("days")
    @classmethod
    def _are_days(cls, value: list[str]) -> list[str]:
        for each in value:
            if each not in DAYS:
                raise ValueError(f"{each!r} is no day of the week; days are {', '.join(DAYS)}")
        return value

    @model_validator(mode="after")
    def _is_a_span(self) -> "HoursEntry":
        if self.begin >= self.end:
            raise ValueError(f"begin at {self.begin:%H:%M} and end at {self.end:%H:%M}: the end must come later")
        return self


class MemberEntry(_Part):
    name: str | None = None
    timezone: Zone = None
    hours: HoursEntry | None = None
    holidays: list[date] = Field(default_factory=list)
    slack: str | None = None
    role: Role | None = None

    @field_validator("slack")
    @classmethod
    def _is_a_user(cls, value: str | None) -> str | None:
        if value is not None and not SLACK_USER.fullmatch(value):
            raise ValueError(
                f"{value!r} is no Slack user id; ids are such as U012AB3CD (Slack: profile, Copy member ID)"
            )
        return value


class TeamFile(_Part):
    """config/team.yaml."""

    timezone: Zone = None
    hours: HoursEntry = HoursEntry()
    holidays: list[date] = Field(default_factory=list)
    members: dict[str, MemberEntry] = Field(default_factory=dict)
    unassigned: str | None = None

    @field_validator("unassigned")
    @classmethod
    def _is_an_address(cls, value: str | None) -> str | None:
        if value is not None and "@" not in value:
            raise ValueError(f"{value!r} is no e-mail address")
        return value

    @field_validator("members", mode="before")
    @classmethod
    def _addresses(cls, value: Any) -> Any:
        if isinstance(value, Mapping):
            for each in value:
                if "@" not in str(each):
                    raise ValueError(f"{each!r} is no e-mail address; members are named by the address the CRM knows")
            lower = [str(each).lower() for each in value]
            if twice := next((each for each in lower if lower.count(each) > 1), None):
                raise ValueError(f"{twice!r} is there twice")
        return value

    @field_validator("members")
    @classmethod
    def _one_slack_user_each(cls, value: dict[str, MemberEntry]) -> dict[str, MemberEntry]:
        users = [each.slack for each in value.values() if each.slack]
        if twice := next((each for each in users if users.count(each) > 1), None):
            raise ValueError(f"the Slack user {twice} is there twice")
        return value

    def team(self, *, timezone: str) -> Team:
        """`timezone`: the hub's own, for a team that says none."""
        zone = ZoneInfo(self.timezone or timezone)
        hours = _hours(self.hours, self.holidays)
        members = {
            email.lower(): Member(
                email=email,
                name=each.name,
                zone=ZoneInfo(each.timezone) if each.timezone else zone,
                hours=_hours(each.hours or self.hours, [*self.holidays, *each.holidays]),
                slack=each.slack,
                role=each.role,
            )
            for email, each in self.members.items()
        }
        return Team(zone=zone, hours=hours, members=members, unassigned=self.unassigned)


def _hours(entry: HoursEntry, holidays: list[date]) -> Hours:
    return Hours(
        begin=entry.begin,
        end=entry.end,
        weekdays=frozenset(DAYS.index(day) for day in entry.days),
        holidays=frozenset(holidays),
    )
