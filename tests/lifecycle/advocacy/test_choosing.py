"""Whom a survey asks when: spread over the quarter, once in it, and never whoever rests; arithmetic alone."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from pydantic import ValidationError

from hub.lifecycle.advocacy.choosing import Candidate, LeftOut, Person, choose, day_of, quarter_of
from hub.lifecycle.advocacy.settings import SurveySettings
from tests.lifecycle.advocacy.conftest import NOW, SURVEY, due_ids

ID = due_ids(1)[0]


def person(name: str, role: str | None = None, *, at: str = ID) -> Person:
    return Person(contact_id=name, address=f"{name}@{at}.example", name=name, role=role)


def candidate(id_: str = ID, *people: Person, **given: Any) -> Candidate:
    plain: dict[str, Any] = {
        "began_on": date(2025, 1, 1), "active": True, "onboarding": False, "urgent": False, "asked": 0,
        "name": id_, "csm_name": None, "csm_email": None,
    }  # fmt: skip
    return Candidate(id=id_, people=people or (person("kim", at=id_),), **{**plain, **given})


def asked(
    *given: Candidate, at: dict[str, datetime] | None = None, survey: SurveySettings = SURVEY, **how: Any
) -> list[str]:
    picks, _ = choose(given, at or {}, {}, survey, now=NOW, **how)
    return [pick.person.address.partition("@")[0] for pick in picks]


def test_two_years_of_seven_hundred_customers() -> None:
    everybody = [candidate(f"c{number}") for number in range(700)]
    last: dict[str, datetime] = {}
    days: dict[str, list[date]] = {each.id: [] for each in everybody}
    a_day: Counter[date] = Counter()
    begins = datetime(2026, 1, 1, 9, tzinfo=UTC)
    for off in range(730):
        now = begins + timedelta(days=off)
        quarter = quarter_of(now.date())
        today = [replace(each, asked=sum(day >= quarter for day in days[each.id])) for each in everybody]
        picks, left = choose(today, last, {}, SURVEY, now=now)
        assert left == []
        for pick in picks:
            days[pick.candidate.id].append(now.date())
            last[pick.person.address] = now
            a_day[now.date()] += 1
    assert {len(each) for each in days.values()} == {8}, "each once in each of eight quarters"
    for id_, on in days.items():
        assert on == [day_of(id_, SURVEY, day) for day in on], "on its own day"
        assert min((later - earlier).days for earlier, later in pairwise(on)) >= 90
    assert len({day for day in a_day if quarter_of(day) == date(2026, 1, 1)}) == 70, "some on each of the 70 days"
    assert max(a_day.values()) == 16, "of 10 on average"


def test_a_hub_that_begins_in_the_middle_of_a_quarter_asks_no_backlog() -> None:
    everybody = [candidate(f"c{number}") for number in range(700)]
    picks, left = choose(everybody, {}, {}, SURVEY, now=NOW)
    window = [day_of(pick.candidate.id, SURVEY, NOW.date()) for pick in picks]
    assert (min(window), max(window), left) == (date(2026, 11, 10), date(2026, 11, 24), [])
    few = SURVEY.model_copy(update={"most_per_day": 20})
    some, left = choose(everybody, {}, {}, few, now=NOW)
    assert [pick.candidate.id for pick in some] == [pick.candidate.id for pick in picks[:20]], "the longest due first"
    assert len(left) == len(picks) - 20
    assert left[0].reason == "20 are asked today, which is the most"


def test_by_role_then_by_who_was_not_asked_for_longest() -> None:
    ago = {f"{name}@{ID}.example": NOW - timedelta(days=days) for name, days in (("ann", 90), ("bo", 200))}
    people = [person("ann"), person("bo"), person("cy"), person("di", "executive"), person("ed", "champion")]
    assert asked(candidate(ID, *people), at=ago) == ["ed", "di", "cy"]
    assert asked(candidate(ID, *people[:3]), at=ago) == ["cy", "bo", "ann"]
    assert asked(candidate(ID, *people, asked=2), at=ago) == ["ed"], "two of three were asked this quarter"
    assert asked(candidate(ID, *people, asked=3), at=ago) == []
    only = SURVEY.model_copy(update={"roles": ("champion",)})
    assert asked(candidate(ID, *people), survey=only) == ["ed"]
    twice = [person("ed"), replace(person("ed", "champion"), contact_id="other")]
    assert asked(candidate(ID, *twice)) == ["ed"], "known by two sources, asked once"


@pytest.mark.parametrize(("days", "free"), [(0, False), (89, False), (90, True)])
def test_rest(days: int, free: bool) -> None:
    at = {f"kim@{ID}.example": NOW - timedelta(days=days)}
    for force in (False, True):
        picks, left = choose([candidate()], at, {}, SURVEY, now=NOW, by_hand=True, force=force)
        assert bool(picks) is free, "nor by force"
    why = LeftOut(ID, f"asked {days} days ago, and rests for 90", f"kim@{ID}.example")
    assert left == ([] if free else [why])


def test_a_contact_of_two_customers_is_asked_once() -> None:
    one, other = due_ids(2)
    shared = person("kim")
    picks, left = choose([candidate(one, shared), candidate(other, shared)], {}, {}, SURVEY, now=NOW)
    assert len(picks) == 1
    assert [each.reason for each in left] == ["asked today as a contact of another customer"]


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"active": False}, "no subscription runs"),
        ({"began_on": None}, "no subscription runs"),
        ({"began_on": NOW.date() - timedelta(days=59)}, "a customer for 59 days, fewer than 60"),
        ({"onboarding": True}, "it is in its onboarding"),
        ({"urgent": True}, "an urgent ticket is open"),
    ],
)
def test_what_stands_against_a_customer(given: dict[str, Any], reason: str) -> None:
    picks, left = choose([candidate(**given)], {}, {}, SURVEY, now=NOW)
    assert (picks, left) == ([], [LeftOut(ID, reason)])
    assert asked(candidate(**given), by_hand=True) == []
    assert asked(candidate(**given), by_hand=True, force=True) == ["kim"]


def test_the_sixtieth_day_and_the_end_of_lateness() -> None:
    assert asked(candidate(began_on=NOW.date() - timedelta(days=60))) == ["kim"]
    late = [choose([candidate()], {}, {}, SURVEY, now=NOW + timedelta(days=days))[0] for days in (-1, 0, 14, 15)]
    assert [len(picks) for picks in late] == [0, 1, 1, 0]
    assert asked(candidate("c1"), by_hand=True) == ["kim"], "by hand whenever"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"spread_days": 80}, "must fit a quarter, which has 90 days"),
        ({"schedule": "daily"}, "daily"),
        ({"question": "Would {you}?"}, "may hold {company}"),
        ({"roles": ()}, "at least one role"),
        ({"most": 3}, "Extra inputs"),
    ],
)
def test_faults_of_the_file(given: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words.replace("{", r"\{")):
        SurveySettings.model_validate(given)
