"""Keeps, for all customers at once, whether they are promoters, passives or detractors, and since when nobody there was asked.

The score is the mean of the newest NPS answer (scale 0-10) of each contact, no older than `answers_days`. An answer weighs half
as much as one that is `half_life_days` younger, and those of key roles `key_weight` times the others: whoever decides on a
renewal is heard above the rest, but never alone. Because only differences of ages count, a score moves when somebody answers or
an answer has grown too old, and not from day to day; when the last answer is too old, the customer stands nowhere.

Standing is of the mean: 8.5 is a passive and 6.5 a detractor. That one contact among many is a detractor is seen in the facts
nps_last and nps_age_days, which the playbook nps_detractor asks for.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from hub.lifecycle.advocacy.settings import AdvocacySettings
from hub.store import Connection, Store, advocacy
from hub.store.advocacy import Answer
from hub.store.lifecycle import clear_lifecycles, find_lifecycles, write_lifecycles

FIELDS = ("advocacy", "advocacy_score", "survey_asked_days")


async def keep_advocacy(store: Store, settings: AdvocacySettings, *, now: datetime) -> None:
    """Bring the lifecycle's columns of advocacy up to `now`; twice is harmless."""
    async with store.transaction() as connection:
        if not settings.enabled:
            await clear_lifecycles(connection, FIELDS, now=now)
            return
        await keep_of(connection, settings, now=now)


async def keep_of(
    connection: Connection, settings: AdvocacySettings, *, now: datetime, customer_ids: Sequence[str] | None = None
) -> None:
    """The same of some customers, within a transaction. None: of all."""
    since = now - timedelta(days=settings.answers_days)
    found = await advocacy.find_answers(
        connection, roles=settings.key_roles, since=since, until=now, customer_ids=customer_ids
    )
    answers: defaultdict[str, list[Answer]] = defaultdict(list)
    for each in found:
        answers[each.customer_id].append(each)
    asked = await advocacy.find_asked(connection, types=settings.survey.types, until=now, customer_ids=customer_ids)
    rows: dict[str, dict[str, Any]] = {}
    for id_ in answers.keys() | asked.keys():
        score = score_of(answers.get(id_, ()), settings, now=now)
        days = float((now.date() - asked[id_].date()).days) if id_ in asked else None
        rows[id_] = {
            "advocacy": None if score is None else settings.standing(score),
            "advocacy_score": score,
            "survey_asked_days": days,
        }
    before = await find_lifecycles(connection, FIELDS, customer_ids=customer_ids)
    gone = [id_ for id_, row in before.items() if id_ not in rows and any(value is not None for value in row.values())]
    await write_lifecycles(connection, rows | {id_: dict.fromkeys(FIELDS) for id_ in gone}, now=now)


def score_of(answers: Iterable[Answer], settings: AdvocacySettings, *, now: datetime) -> float | None:
    """The weighted mean, 0-10 with two decimals; None of no answers."""
    weighed = [(each.score, _weight(each, settings, now=now)) for each in answers]
    whole = sum(weight for _, weight in weighed)
    return round(sum(score * weight for score, weight in weighed) / whole, 2) if whole else None


def _weight(answer: Answer, settings: AdvocacySettings, *, now: datetime) -> float:
    days = (now.date() - answer.at.date()).days
    fresh = 1.0 if settings.half_life_days is None else 2.0 ** (-days / settings.half_life_days)
    return fresh * (settings.key_weight if answer.key else 1.0)
