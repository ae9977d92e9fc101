"""The records the figures of a request are computed of, read in as many statements as kinds of them are needed."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from hub.analytics.book import Book
from hub.analytics.months import Month, Period
from hub.analytics.request import Request
from hub.store import Connection
from hub.store.first_value import find_first_value, find_use_since
from hub.store.labels import find_churned
from hub.store.onboarding import Onboarding, find_onboardings
from hub.store.retention import Profile, find_balances, find_profiles, find_renewals
from hub.store.scored_days import find_health
from hub.store.survey_results import find_answers

TRAILING_MONTHS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """What was read; empty where nothing asked for needs it.

    answers    {(type of survey, place of the period): answers}
    events     {"customer_id", "churned_on", "kind"}, columns of churns that are certain today
    cards      {last day of a period: health of everybody scored on it or shortly before}
    use_since  the first day of which there are records of use
    """

    today: date
    profiles: Mapping[str, Profile]
    names: Mapping[str, str]
    book: Book
    renewals: Sequence[Any]
    answers: Mapping[tuple[str | None, int], Sequence[Any]]
    starts: Sequence[Any]
    events: Mapping[str, list[Any]]
    use_since: date | None
    onboardings: Sequence[Onboarding]
    cards: Mapping[date, Sequence[Any]]
    now: datetime


def trailing(month: Month) -> list[Period]:
    """The six months before a month, each a period."""
    months = [month.plus(-back) for back in range(TRAILING_MONTHS, 0, -1)]
    return [Period(each.first, each.last) for each in months]


async def read(
    connection: Connection, request: Request, spans: Sequence[Period], *, needs: Set[str], now: datetime
) -> Records:
    """Read what `needs` names (see `Definition.needs`) for all periods at once."""
    first, last, today = spans[0].first, spans[-1].last, now.date()
    covered = [*spans, *(month for span in spans for month in trailing(span.month))] if "terms" in needs else spans
    days = sorted({today, *(day for span in covered for day in (span.opening, span.last))})
    balances = await find_balances(connection, days) if "terms" in needs or request.by == "plan" else []
    profiles = await find_profiles(connection)
    starts: list[Any] = []
    use_since = None
    if "starts" in needs:
        event = request.value_event
        use_since = await find_use_since(connection, event=event)
        starts = await find_first_value(
            connection, first=first, last=last, today=today, users=request.value_users, event=event
        )
    events: Mapping[str, list[Any]] = {"customer_id": [], "churned_on": [], "kind": []}
    if "events" in needs:
        events = await find_churned(connection, until=today + timedelta(days=1), grace_days=request.grace_days)
    answers: dict[tuple[str | None, int], list[Any]] = {}
    if "answers" in needs:
        for row in await find_answers(connection, [(span.first, span.last) for span in spans]):
            answers.setdefault((row.type, row.window), []).append(row)
    return Records(
        today=today,
        profiles=profiles,
        names={id_: profile.name for id_, profile in profiles.items()},
        book=Book(balances, days),
        renewals=await find_renewals(connection, first=first, last=last) if "renewals" in needs else [],
        answers=answers,
        starts=starts,
        events=events,
        use_since=use_since,
        onboardings=await find_onboardings(connection, during=(first, last)) if "onboardings" in needs else [],
        cards=await find_health(connection, [span.last for span in spans]) if "scorecards" in needs else {},
        now=now,
    )
