"""What sets a playbook off.

    by: scorecard                                      after every scoring, for whom `when` holds (the default)
    by: hand                                           only when a person fires it, or another playbook starts it
    by: {threshold: {health: {falls_below: 0.5}}}      a number crossed a line since the scorecard before; or rises_above
    by: {date: 30 days before renewal}                 a day has come, within the last week
    by: {record: ticket, where: {severity: {eq: urgent}}}    a new record, no older than two days
    by: {change: {watch_level: critical}}              where a customer stands became this, or one of a list, within a week;
                                                       {field: any}: whatever; {field: {not: […]}}: whatever but these;
                                                       from: any    besides only where it was something before, or one of a list
    by: {webhook: billing, type: invoice.failed}       an event came at /hooks/billing, of this type or one of a list; see
                                                       hub.playbooks.hooking. Without `type` of any
    by: {schedule: "0 9 * * 1"}                        at each tick of a cron, for whom `when` holds by the newest scorecard

`when` is asked besides in all of them but `hand`. A threshold and a day are looked at after every scoring, and so are records
and changes; a record fires once ever, a day once for each date it falls on, a change, an event and a tick once. What changed
must still be what it became.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from difflib import get_close_matches
from typing import Any

from hub.documents import Key
from hub.durable.schedule import schedule
from hub.errors import ConfigError
from hub.model.conditions import All, Condition, ConditionError, Field, Operator, Test, matches, parse
from hub.playbooks.durations import Moment, parse_moment
from hub.playbooks.program import Faults
from hub.playbooks.vocabulary import VOCABULARY
from hub.store.conditions import LIFECYCLE_FIELDS
from hub.store.playbooks import RECORD_FIELDS

EXAMPLE_DAY = date(2026, 1, 31)
"""What days count from in examples: theirs may count, too (`created_at: today - 10 days`), so that it could be any."""
KINDS = ("scorecard", "hand", "threshold", "date", "record", "change", "webhook", "schedule")
CATCH_UP = timedelta(days=7)
"""How long after its day a date still fires, and a change, so that a hub that stood still for a week misses nothing."""
PLACE = re.compile("[a-z][a-z0-9_-]{0,49}")
FRESH = timedelta(days=2)
"""How long a record is new."""
CHANGING: Mapping[str, Field] = {each.name: each for each in LIFECYCLE_FIELDS if each.kind == "text"}
"""What `change` may name."""
ANYTHING = "any"
CROSSINGS: Mapping[str, tuple[Operator, Operator]] = {
    "falls_below": (Operator.LT, Operator.GTE),
    "rises_above": (Operator.GT, Operator.LTE),
}
"""{crossing: (what holds now, what held by the scorecard before)}."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """What sets a playbook off. now, before: what holds by the newest scorecard, and what must have by the one before.

    field, values   of `change`: a text of the lifecycle, and what it must have become; none: whatever but one of `but`
    was             of `change`: what it must have been before; ANYTHING: not nothing; none: whatever
    hook, types     of `webhook`: where an event comes in, and of which types; none: of any
    """

    kind: str = "scorecard"
    now: Condition | None = None
    before: Condition | None = None
    moment: Moment | None = None
    record: str | None = None
    where: Condition | None = None
    field: str | None = None
    values: tuple[str, ...] = ()
    but: tuple[str, ...] = ()
    was: tuple[str, ...] = ()
    hook: str | None = None
    types: tuple[str, ...] = ()
    cron: str | None = None

    @property
    def tests_something(self) -> bool:
        return self.now is not None or self.where is not None or bool(self.types)

    def with_when(self, when: Condition | None) -> Condition | None:
        """All that must hold by the newest scorecard; None: nothing in particular."""
        parts = tuple(each for each in (when, self.now) if each is not None)
        return (parts[0] if len(parts) == 1 else All(parts)) if parts else None

    def heeds(self, hook: str, kind: str | None) -> bool:
        """Whether an event that came in there, of this type, concerns it."""
        return self.hook == hook and (not self.types or kind in self.types)

    def holds(
        self,
        facts: Mapping[str, Any],
        before: Mapping[str, Any],
        record: Mapping[str, Any],
        event: Mapping[str, Any] | None = None,
    ) -> bool:
        """Whether an example sets it off, its `when` aside."""
        return (self.hook is None or self.heeds(self.hook, (event or {}).get("type"))) and (
            (self.now is None or matches(self.now, facts, today=EXAMPLE_DAY))
            and (self.before is None or matches(self.before, before, today=EXAMPLE_DAY))
            and (self.where is None or matches(self.where, record, today=EXAMPLE_DAY))
        )


def read(value: object, faults: Faults) -> Trigger:
    """The trigger that `by` says; what is wrong is told to `faults`."""
    if value in ("scorecard", "hand"):
        return Trigger(kind=str(value))
    named = [name for name in KINDS[2:] if isinstance(value, Mapping) and name in value]
    if not isinstance(value, Mapping) or len(named) != 1:
        faults.say(
            ("by",),
            f"must be scorecard or hand, or one of {', '.join(f'{{{name}: …}}' for name in KINDS[2:])}",
        )
        return Trigger()
    (kind,) = named
    key: Key = ("by", kind)
    for name in value:
        if name != kind and (kind, name) not in (("record", "where"), ("webhook", "type"), ("change", "from")):
            faults.say(("by", name), "is not a setting here")
    match kind:
        case "threshold":
            return _threshold(value[kind], key, faults)
        case "date":
            return _date(value[kind], key, faults)
        case "record":
            return _record(value[kind], value.get("where"), key, faults)
        case "change":
            return _change(value[kind], value.get("from"), key, faults)
        case "webhook":
            return _webhook(value[kind], value.get("type"), key, faults)
    return _schedule(value[kind], key, faults)


def _threshold(value: object, key: Key, faults: Faults) -> Trigger:
    if not isinstance(value, Mapping) or len(value) != 1:
        faults.say(key, "must be one number's crossing, such as {health: {falls_below: 0.5}}")
        return Trigger(kind="threshold")
    ((name, crossing),) = value.items()
    field = VOCABULARY.get(str(name))
    if field is None or field.kind != "number":
        numbers = [each.name for each in VOCABULARY.values() if each.kind == "number"]
        faults.say((*key, name), "is no number of a scorecard", tuple(get_close_matches(str(name), numbers) or numbers))
        return Trigger(kind="threshold")
    if not isinstance(crossing, Mapping) or len(crossing) != 1 or next(iter(crossing)) not in CROSSINGS:
        faults.say((*key, name), "must be one crossing", tuple(CROSSINGS))
        return Trigger(kind="threshold")
    ((word, limit),) = crossing.items()
    if isinstance(limit, bool) or not isinstance(limit, int | float):
        faults.say((*key, name, word), f"must be a number, not {limit!r}")
        return Trigger(kind="threshold")
    now, before = CROSSINGS[word]
    return Trigger(kind="threshold", now=Test(field, now, float(limit)), before=Test(field, before, float(limit)))


def _date(value: object, key: Key, faults: Faults) -> Trigger:
    try:
        moment = parse_moment(value)
    except ValueError as error:
        faults.say(key, str(error))
        return Trigger(kind="date")
    return Trigger(kind="date", moment=moment, now=moment.came(CATCH_UP))


def _record(kind: object, where: object, key: Key, faults: Faults) -> Trigger:
    if kind not in RECORD_FIELDS:
        faults.say(key, "is no kind of record", tuple(RECORD_FIELDS))
        return Trigger(kind="record")
    fields: Mapping[str, Field] = RECORD_FIELDS[str(kind)]
    condition = None
    if where is not None:
        try:
            condition = parse(where, fields)
        except ConditionError as error:
            faults.no_condition(("by", "where"), error)
    return Trigger(kind="record", record=str(kind), where=condition)


def _change(value: object, before: object, key: Key, faults: Faults) -> Trigger:
    if not isinstance(value, Mapping) or len(value) != 1:
        faults.say(key, "must be one field and what it becomes, such as {watch_level: critical}")
        return Trigger(kind="change")
    ((name, wanted),) = value.items()
    if (field := CHANGING.get(str(name))) is None:
        faults.say((*key, name), "is no text of the lifecycle", tuple(CHANGING))
        return Trigger(kind="change")
    at = (*key, name)
    was = () if before is None else (ANYTHING,) if before == ANYTHING else _texts(before, field, ("by", "from"), faults)
    now: Condition
    values: tuple[str, ...] = ()
    but: tuple[str, ...] = ()
    if wanted == ANYTHING:
        now = Test(field, Operator.EXISTS, True)
    elif isinstance(wanted, Mapping) and list(wanted) == ["not"]:
        but = _texts(wanted["not"], field, (*at, "not"), faults)
        now = All((Test(field, Operator.EXISTS, True), Test(field, Operator.NOT_IN, but)))
    else:
        values = _texts(wanted, field, at, faults)
        now = Test(field, Operator.IN, values)
    return Trigger(kind="change", now=now, field=field.name, values=values, but=but, was=was)


def _texts(value: object, field: Field, key: Key, faults: Faults) -> tuple[str, ...]:
    """What a text may be: one, or a list of them."""
    values = (value,) if isinstance(value, str) else value
    if not isinstance(values, list | tuple) or not values or not all(isinstance(each, str) for each in values):
        faults.say(key, f"must be a text or a list of them, or {ANYTHING}", field.choices)
        return (ANYTHING,)
    for each in values:
        if field.choices and each not in field.choices:
            faults.say(key, f"{each!r} is no {field.name}", field.choices)
    return tuple(dict.fromkeys(values))


def _webhook(hook: object, kinds: object, key: Key, faults: Faults) -> Trigger:
    if not isinstance(hook, str) or not PLACE.fullmatch(hook):
        faults.say(key, f"{hook!r} must be a name under `hooks` of config/hub.yaml")
        return Trigger(kind="webhook")
    given = () if kinds is None else (kinds,) if isinstance(kinds, str) else kinds
    if not isinstance(given, list | tuple) or not all(isinstance(each, str) and each for each in given):
        faults.say(("by", "type"), "must be a text or a list of them, such as invoice.failed")
        given = ()
    return Trigger(kind="webhook", hook=hook, types=tuple(dict.fromkeys(given)))


def _schedule(cron: object, key: Key, faults: Faults) -> Trigger:
    try:
        schedule("check", str(cron), "check", {}, timezone="UTC")
    except ConfigError as error:
        for fault in error.faults:
            faults.say(key, fault.message)
    return Trigger(kind="schedule", cron=str(cron))
