"""What templates may say: the names a Slack message, a mail and a task's title are written with.

    customer      id, name, domain, segment, plan, csm_name, csm_email, mrr
    health        0-100, whole; None where the score has none. health_change: points against 30 days ago
    health_then   as it was when the playbook fired. band, previous_band, coverage (percent)
    churn         risk and annualised in percent, whole; band; horizon_days
    reasons       why, worst first: what holds health down, then what raises the churn risk; at most MAX_REASONS
    facts         every field of the vocabulary by name; None where missing
    playbook      name, title, about
    record        the record that set a `by: {record: …}` playbook off, its columns by name
    change        what set a `by: {change: …}` playbook off: field, old, new
    onboarding    of the customer's newest one: attempt, started_on, step (the current one's title), due_on, last (title of what
                  was done last), done, left, optional (titles), ended_why
    day           the scorecard's day, such as 22 November 2026
    link          the customer's page in the hub

Any of them may be None, which shows as a dash.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from hub.playbooks.spec import Playbook
from hub.playbooks.vocabulary import VOCABULARY
from hub.store.onboarding_words import BLANK as ONBOARDING
from hub.store.playbooks import RECORD_FIELDS, Situation

MAX_REASONS = 4
LOW_READING = 0.5
_MONTHS = (
    "January February March April May June July August September October November December".split()  # noqa: SIM905  reads as it is
)


def words(playbook: Playbook, situation: Situation, *, before: Mapping[str, Any], hub_url: str) -> dict[str, Any]:
    """The names for one customer; `before` are the facts at firing."""
    values = situation.values
    as_of = situation.as_of
    return {
        "customer": {
            "id": situation.customer_id,
            "name": _one_line(values.get("name")),
            **{name: _one_line(values.get(name)) for name in ("domain", "segment", "plan", "csm_name", "csm_email")},
            "mrr": values.get("mrr"),
        },
        "health": _percent(values.get("health")),
        "health_change": _percent(values.get("health_change_30d")),
        "health_then": _percent(before.get("health")),
        "band": values.get("band"),
        "previous_band": values.get("previous_band"),
        "coverage": _percent(values.get("coverage")),
        "churn": {
            "risk": _percent(values.get("churn_risk")),
            "annualised": _percent(values.get("churn_annualised")),
            "band": values.get("churn_band"),
            "horizon_days": situation.churn_horizon_days,
        },
        "reasons": reasons(situation),
        "facts": {name: values.get(name) for name in VOCABULARY},
        "record": _record(playbook, before.get("record")),
        "change": _change(playbook, before.get("change")),
        "onboarding": _onboarding(values.get("onboarding")),
        "playbook": {"name": playbook.name, "title": playbook.title, "about": playbook.about},
        "day": _day(as_of),
        "link": f"{hub_url.rstrip('/')}/customers/{situation.customer_id}",
    }


def _record(playbook: Playbook, record: Any) -> Mapping[str, Any]:
    """The record, or its fields without values where a person fired it."""
    if playbook.trigger.record is None:
        return {}
    blank: dict[str, Any] = dict.fromkeys(("id", *RECORD_FIELDS[playbook.trigger.record]))
    return blank | (dict(record) if isinstance(record, Mapping) else {})


def _change(playbook: Playbook, change: Any) -> Mapping[str, Any]:
    if playbook.trigger.field is None:
        return {}
    blank = {"field": playbook.trigger.field, "old": None, "new": None}
    return blank | (dict(change) if isinstance(change, Mapping) else {})


def _onboarding(found: Any) -> Mapping[str, Any]:
    """Words of hub.store.onboarding_words, with days as people write them."""
    told = ONBOARDING | (dict(found) if isinstance(found, Mapping) else {})
    days = {name: date.fromisoformat(told[name]) if told[name] else None for name in ("started_on", "due_on")}
    return told | {name: _day(day) for name, day in days.items()}


def _day(day: date | None) -> str | None:
    return None if day is None else f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def reasons(situation: Situation) -> list[str]:
    """Why, in sentences of the measures and the churn model: lowest readings by what they cost, then what raises the risk."""
    low = [
        each for each in situation.readings if _number(each.get("value")) is not None and each["value"] < LOW_READING
    ]
    low.sort(key=lambda each: (-(_number(each.get("weight")) or 0.0) * (1 - each["value"]), str(each.get("measure"))))
    raising = [each for each in situation.churn_reasons if (_number(each.get("effect")) or 0.0) > 0]
    told: list[str] = []
    for text in (*_texts(low, "reason"), *_texts(raising, "text")):
        if text not in told:
            told.append(text)
    return told[:MAX_REASONS]


def _texts(found: Sequence[Mapping[str, Any]], name: str) -> list[str]:
    return [text for each in found if isinstance(text := each.get(name), str) and text]


def _percent(value: Any) -> int | None:
    number = _number(value)
    return None if number is None else round(number * 100)


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _one_line(value: Any) -> str | None:
    """Names come from other systems; a line break in one must not begin a new line of ours."""
    return " ".join(str(value).split()) if value is not None else None
