"""What people ask for: begin an onboarding, say that a step is done, pass over an optional one, call it off, look at it.

Each is one transaction, after which the customer's row of the lifecycle says so at once. What the data proves about the steps
that follow is noted in the same breath.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from hub.errors import BusyError, NotFoundError, RefusedError
from hub.lifecycle.onboarding import moving, walking
from hub.lifecycle.onboarding.keeping import new_onboarding
from hub.lifecycle.onboarding.programme import Programme
from hub.lifecycle.onboarding.settings import OnboardingSettings
from hub.lifecycle.onboarding.walking import Journey
from hub.store import Connection, Store
from hub.store import onboarding as onboardings
from hub.store.customers import get_customer
from hub.store.onboarding import ACTIVE, Onboarding

MAX_NOTE = 1_000


@dataclass(frozen=True, slots=True)
class Done:
    """An onboarding as it is after what was asked, and the customer's name."""

    customer_name: str
    journey: Journey


async def start(
    store: Store, settings: OnboardingSettings, customer: str, *, by: str, now: datetime, restart: bool = False
) -> Done:
    """Begin an onboarding; after one that failed or was cancelled it is the next attempt.

    customer  an id, a domain or a whole name
    restart   also where one is active, which is cancelled then, or was completed
    """
    programmes = _programmes(settings)
    async with store.transaction() as connection:
        named = await get_customer(connection, customer)
        newest = await _newest(connection, named.id)
        if newest is not None and not restart:
            _may_begin(newest, named.name)
        if newest is not None and newest.state == ACTIVE:
            over = walking.ended(newest, "cancelled", why="begun anew", by=by, now=now)
            await onboardings.write(connection, [over], [])
            await moving.tell(connection, [over], now=now)  # so that the change to active is one
        records = await moving.read(connection, programmes, (), customer_ids=[named.id], today=now.date())
        programme = moving.programme_for(programmes, records, named.id)
        if programme is None:
            names = ", ".join(each.name for each in programmes)
            raise RefusedError(f"no programme is for {named.name}: neither of {names} has a `when` that holds")
        attempt = newest.attempt + 1 if newest is not None else 1
        made = new_onboarding(named.id, programme, cause="hand", at=now, attempt=attempt, by=by)
        if not await onboardings.begin(connection, [made]):
            raise BusyError(f"{named.name} is just being given an onboarding by somebody else")
        return Done(named.name, await _move(connection, made, programmes, now=now))


async def complete(
    store: Store,
    settings: OnboardingSettings,
    customer: str,
    step: str | None,
    *,
    by: str,
    now: datetime,
    note: str | None = None,
) -> Done:
    """Say that a step is done. RefusedError, which names what may be done now, where its turn has not come or it is done.

    step  None: the current one
    """
    note = _checked(note)

    def change(journey: Journey, programme: Programme | None) -> Journey:
        return walking.completed(journey, step, programme, by=by, note=note, now=now)

    return await _change(store, settings, customer, change, now=now)


async def skip(
    store: Store,
    settings: OnboardingSettings,
    customer: str,
    step: str,
    *,
    by: str,
    now: datetime,
    note: str | None = None,
) -> Done:
    """Pass over an optional step. RefusedError, which names those that may be, for any other."""
    note = _checked(note)

    def change(journey: Journey, _: Programme | None) -> Journey:
        return walking.skipped(journey, step, by=by, note=note, now=now)

    return await _change(store, settings, customer, change, now=now)


async def cancel(store: Store, customer: str, *, by: str, reason: str, now: datetime) -> Done:
    """Call off the active onboarding of a customer."""
    why = _checked(reason)
    if why is None:
        raise RefusedError("calling an onboarding off needs a reason")
    async with store.transaction() as connection:
        name, newest = await _active(connection, customer)
        over = walking.ended(newest, "cancelled", why=why, by=by, now=now)
        (journey,) = await moving.load(connection, [newest])
        await onboardings.write(connection, [over], [])
        await moving.tell(connection, [over], now=now)
        return Done(name, Journey(over, journey.steps))


async def find(store: Store, customer: str) -> list[Done]:
    """All onboardings of a customer, the newest first."""
    async with store.reading() as connection:
        named = await get_customer(connection, customer)
        found = await onboardings.find_onboardings(connection, customer_ids=[named.id])
        newest_first = sorted(found, key=lambda each: -each.attempt)
        return [Done(named.name, journey) for journey in await moving.load(connection, newest_first)]


async def _change(
    store: Store,
    settings: OnboardingSettings,
    customer: str,
    change: Callable[[Journey, Programme | None], Journey],
    *,
    now: datetime,
) -> Done:
    programmes = _programmes(settings)
    async with store.transaction() as connection:
        name, active = await _active(connection, customer)
        programme = next((each for each in programmes if each.name == active.programme), None)
        return Done(name, await _move(connection, active, programmes, now=now, change=lambda it: change(it, programme)))


async def _move(
    connection: Connection,
    onboarding: Onboarding,
    programmes: Sequence[Programme],
    *,
    now: datetime,
    change: Callable[[Journey], Journey] = lambda journey: journey,
) -> Journey:
    """Do what was asked, and then what the records prove."""
    (before,) = await moving.load(connection, [onboarding])
    records = await moving.read(connection, programmes, [onboarding], today=now.date())
    after = moving.moved(change(before), programmes, records, now=now)
    await moving.save(connection, [before], [after])
    await moving.tell(connection, [after.onboarding], now=now)
    return after


async def _newest(connection: Connection, customer_id: str) -> Onboarding | None:
    found = await onboardings.find_onboardings(connection, customer_ids=[customer_id], newest=True, lock=True)
    return found[0] if found else None


async def _active(connection: Connection, customer: str) -> tuple[str, Onboarding]:
    named = await get_customer(connection, customer)
    newest = await _newest(connection, named.id)
    if newest is None:
        raise NotFoundError(f"{named.name} has no onboarding; begin one first")
    if newest.state != ACTIVE:
        over = f"{newest.ended_at:%Y-%m-%d}" if newest.ended_at else "some day"
        raise RefusedError(f"the onboarding of {named.name} is {newest.state} since {over}; begin another first")
    return named.name, newest


def _may_begin(newest: Onboarding, name: str) -> None:
    if newest.state == ACTIVE:
        raise RefusedError(
            f"{name} is being onboarded since {newest.started_at:%Y-%m-%d} and is at {newest.step}; "
            "only with `restart` that one is called off and another begun"
        )
    if newest.state == "completed":
        raise RefusedError(
            f"{name} completed its onboarding on {newest.ended_at:%Y-%m-%d}; only with `restart` another is begun"
        )


def _programmes(settings: OnboardingSettings) -> tuple[Programme, ...]:
    if not settings.enabled:
        raise RefusedError("onboarding is switched off: `onboarding: {enabled: false}` in lifecycle.yaml")
    programmes = settings.made()
    if not programmes:
        raise RefusedError("there is no programme: lifecycle.yaml has none under onboarding.programmes")
    return programmes


def _checked(note: str | None) -> str | None:
    note = " ".join(note.split()) if note is not None else None
    if note is not None and len(note) > MAX_NOTE:
        raise RefusedError(f"a note has at most {MAX_NOTE:,} characters, not {len(note):,}")
    return note or None
