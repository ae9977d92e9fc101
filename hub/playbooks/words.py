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
    custom        what playbooks wrote of the customer, by name: `custom.save_stage`; None where nothing did
    event         what set a `by: {webhook: …}` playbook off: hook, id, type, and data as it came; what data lacks is None
    onboarding    of the customer's newest one: attempt, started_on, step (the current one's title), due_on, next (the same, but
                  of the customer's own steps), last (title of what was done last), done, left, optional (titles), ended_why
    renewal       by which the customer stands: due_on, status, reason, amount, final, expected (a year's), currency,
                  probability (percent), probability_by, notice_by
    expansion     the best opportunity: title, kind, state, evidence (lines), value, expected (a year's), probability (percent)
    day           the scorecard's day, such as 22 November 2026
    link          the customer's page in the hub

Mail knows besides company and product_url of hub.yaml, "" where nobody said.

Any of them may be None, which shows as a dash. Titles of alerts and tasks, and custom fields, are seen by all who may read:
they may not say what tells of a person (hub.playbooks.discretion), such as record.subject.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from hub.playbooks.spec import Playbook
from hub.playbooks.vocabulary import VALUES
from hub.store.conditions import CUSTOM
from hub.store.expansion import BLANK as EXPANSION
from hub.store.onboarding_words import BLANK as ONBOARDING
from hub.store.playbooks import RECORD_FIELDS, Situation
from hub.store.renewals import BLANK as RENEWAL
from scoring.facts import FACTS

MAX_REASONS = 4
LOW_READING = 0.5
SPOKEN = {
    "mau": "people active in 28 days",
    "features_used_28d": "features used in 28 days",
    "usage_trend": "growth of use in 28 days",
    "depth_trend": "growth of use a person",
    "stickiness": "of the month's people active on a day",
}
"""Facts whose names say little to who reads a message."""
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
        "facts": {name: values.get(name) for name in VALUES},
        "record": _record(playbook, before.get("record")),
        "change": _change(playbook, before.get("change")),
        "event": _event(playbook, before.get("event")),
        "custom": _Open({name.removeprefix(CUSTOM): text for name, text in values.items() if name.startswith(CUSTOM)}),
        "onboarding": _onboarding(values.get("onboarding")),
        "renewal": _renewal(values.get("renewal")),
        "expansion": _expansion(values.get("expansion")),
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


class _Open(dict[str, Any]):
    """What somebody else sent: nobody knows its names, so one that is missing is None and no fault."""

    def __missing__(self, name: str) -> None:
        return None


def _event(playbook: Playbook, event: Any) -> Mapping[str, Any]:
    if playbook.trigger.hook is None:
        return {}
    given = event if isinstance(event, Mapping) else {}
    blank = {"hook": playbook.trigger.hook, "id": None, "type": None}
    return blank | {**given, "data": _open(given.get("data") or {})}


def _open(value: Any) -> Any:
    if isinstance(value, Mapping):
        return _Open({name: _open(inner) for name, inner in value.items()})
    return [_open(each) for each in value] if isinstance(value, list) else value


def _onboarding(found: Any) -> Mapping[str, Any]:
    """Words of hub.store.onboarding_words, with days as people write them."""
    told = ONBOARDING | (dict(found) if isinstance(found, Mapping) else {})
    days = {name: date.fromisoformat(told[name]) if told[name] else None for name in ("started_on", "due_on")}
    return told | {name: _day(day) for name, day in days.items()}


def _renewal(found: Any) -> Mapping[str, Any]:
    """Words of hub.store.renewals, with days as people write them and the probability in percent."""
    told = RENEWAL | (dict(found) if isinstance(found, Mapping) else {})
    days = {name: date.fromisoformat(told[name]) if told[name] else None for name in ("due_on", "notice_by")}
    return told | {name: _day(day) for name, day in days.items()} | {"probability": _percent(told["probability"])}


def _expansion(found: Any) -> Mapping[str, Any]:
    """Words of hub.store.expansion, with the evidence as lines such as seat utilisation: 95 %."""
    told = EXPANSION | (dict(found) if isinstance(found, Mapping) else {})
    return told | {
        "evidence": [_quoted(name, value) for name, value in told["evidence"].items()],
        "probability": _percent(told["probability"]),
    }


def _quoted(name: str, value: Any) -> str:
    fact, number = FACTS.get(name), _number(value)
    if number is None:
        said = "unknown" if value is None else _one_line(value)
    elif fact is not None and fact.unit == "ratio":
        said = f"{number * 100:.0f} %"
    else:
        said = f"{number:,.10g}"
    return f"{SPOKEN.get(name) or name.replace('_', ' ')}: {said}"


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
