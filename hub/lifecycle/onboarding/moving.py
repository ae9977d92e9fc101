"""Moves onboardings on by what the records say, any number at once: read in a few statements, decided in memory, written back.

What is asked of the records depends on the programmes alone: one statement for all conditions, and one for each kind of event
or playbook that is evidence. Nothing is asked per customer.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from hub.lifecycle.onboarding import walking
from hub.lifecycle.onboarding.programme import Evidence, Happening, Programme
from hub.lifecycle.onboarding.settings import VOCABULARY
from hub.lifecycle.onboarding.walking import Journey, Proof
from hub.model.conditions import Condition, fields_of, matches
from hub.store import Connection
from hub.store import onboarding as onboardings
from hub.store.lifecycle import Change, write_lifecycles
from hub.store.onboarding import Onboarding
from hub.store.onboarding_proof import Known, find_events, find_known, find_playbook_runs

FEW = 500
"""Up to so many onboardings are asked for by name; of more, all active ones are."""


@dataclass(frozen=True, slots=True)
class Records:
    """What the records say. happened: {what: {onboarding id: when}}; today: what days in conditions count from."""

    known: Mapping[str, Known]
    happened: Mapping[Happening, Mapping[str, datetime]] = field(default_factory=dict)
    today: date | None = None

    def holds(self, condition: Condition | None, customer_id: str) -> bool:
        return condition is None or matches(condition, self.values(customer_id), today=self.today)

    def values(self, customer_id: str) -> Mapping[str, object]:
        known = self.known.get(customer_id)
        return known.values if known is not None else {}

    def proof(self, evidence: Evidence, onboarding: Onboarding, *, now: datetime) -> Proof | None:
        """Why all of the evidence holds; None where it does not."""
        if not self.holds(evidence.condition, onboarding.customer_id):
            return None
        moments, told = [], []
        for each in evidence.happenings:
            at = self.happened.get(each, {}).get(onboarding.id)
            if at is None:
                return None
            moments.append(at)
            told.append(f"{each}, by {at:%Y-%m-%d}")
        if evidence.condition is not None:
            moments.append(now)
            told.append(self._said(evidence.condition, onboarding.customer_id))
        return Proof(at=max(moments), text="; ".join(told))

    def _said(self, condition: Condition, customer_id: str) -> str:
        values = self.values(customer_id)
        told = [
            f"{name} {_shown(values[name])}" for name in sorted(fields_of(condition)) if values.get(name) is not None
        ]
        known = self.known.get(customer_id)
        return ", ".join(told) + (f" on {known.as_of}" if known is not None and known.as_of is not None else "")


async def read(
    connection: Connection,
    programmes: Sequence[Programme],
    active: Sequence[Onboarding],
    *,
    customer_ids: Iterable[str] = (),
    today: date,
) -> Records:
    """What there is to know about these active onboardings, and about customers that have none yet."""
    few = len(active) <= FEW
    names = sorted({name for condition in _conditions(programmes) for name in fields_of(condition)})
    fields = [VOCABULARY[name] for name in names]
    asked = {*customer_ids, *((each.customer_id for each in active) if few else ())}
    known = await find_known(connection, fields, customer_ids=sorted(asked))
    if not few:
        known |= await find_known(connection, fields)
    only = [each.id for each in active] if few else None
    happened: dict[Happening, Mapping[str, datetime]] = {}
    for each in _happenings(programmes) if active else ():
        if each.kind == "event":
            days = await find_events(connection, each.names, times=each.times, only=only)
            happened[each] = {id_: walking.moment_of(day) for id_, day in days.items()}
        else:
            happened[each] = await find_playbook_runs(connection, each.names, only=only)
    return Records(known, happened, today)


def programme_for(programmes: Sequence[Programme], records: Records, customer_id: str) -> Programme | None:
    """The first that is for the customer."""
    return next((each for each in programmes if records.holds(each.when, customer_id)), None)


def moved(journey: Journey, programmes: Sequence[Programme], records: Records, *, now: datetime) -> Journey:
    """The journey as far as the records take it."""
    onboarding = journey.onboarding
    programme = next((each for each in programmes if each.name == onboarding.programme), None)
    programme = programme or programme_for(programmes, records, onboarding.customer_id)
    if programme is None:
        return journey  # its programme is gone from the file, and no other is for it: it stands where it stood
    applies = {step.name: records.holds(step.when, onboarding.customer_id) for step in programme.steps}
    proofs = {
        step.name: found[0]
        for step in programme.steps
        if applies[step.name]
        and (found := [p for each in step.evidence if (p := records.proof(each, onboarding, now=now)) is not None])
    }
    journey = walking.followed(journey, programme, applies=applies)
    journey = walking.turned(walking.proved(journey, proofs, now=now), programme)
    return walking.judged(journey, programme, proofs, now=now)


async def load(connection: Connection, active: Sequence[Onboarding]) -> list[Journey]:
    steps = await onboardings.find_steps(connection, [each.id for each in active])
    return [Journey(each, tuple(steps.get(each.id, ()))) for each in active]


async def save(connection: Connection, before: Sequence[Journey], after: Sequence[Journey]) -> None:
    """Write what is not as it was."""
    pairs = list(zip(before, after, strict=True))
    await onboardings.write(
        connection,
        [now.onboarding for was, now in pairs if was.onboarding != now.onboarding],
        [step for was, now in pairs for step in set_apart(was, now)],
    )


def set_apart(was: Journey, now: Journey) -> list[onboardings.OnboardingStep]:
    """The steps that are not as they were."""
    known = {step.name: step for step in was.steps}
    return [step for step in now.steps if known.get(step.name) != step]


async def tell(
    connection: Connection, found: Iterable[Onboarding], *, now: datetime, whole: bool = False
) -> list[Change]:
    """Write where customers stand. whole: these are the newest of all that ever had one."""
    rows = {each.customer_id: walking.stands(each, now=now) for each in found}
    return await write_lifecycles(connection, rows, now=now, whole=whole)


def _conditions(programmes: Sequence[Programme]) -> list[Condition]:
    found = [programme.when for programme in programmes]
    for programme in programmes:
        for step in programme.steps:
            found += [step.when, *(each.condition for each in step.evidence)]
    return [each for each in found if each is not None]


def _happenings(programmes: Sequence[Programme]) -> list[Happening]:
    asked = [each for programme in programmes for step in programme.steps for each in step.evidence]
    return list(dict.fromkeys(happening for each in asked for happening in each.happenings))


def _shown(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
