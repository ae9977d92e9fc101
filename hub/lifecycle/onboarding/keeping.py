"""After every scoring: onboardings of new customers are begun, active ones moved on, and those out of time ended."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from hub.lifecycle.onboarding import moving, walking
from hub.lifecycle.onboarding.programme import Programme
from hub.lifecycle.onboarding.settings import OnboardingSettings
from hub.lifecycle.onboarding.walking import Journey
from hub.store import Connection, Store
from hub.store import onboarding as onboardings
from hub.store.lifecycle import Change, clear_lifecycles
from hub.store.onboarding import ACTIVE, Onboarding

FIELDS = (
    "onboarding_state",
    "onboarding_pace",
    "onboarding_step",
    "onboarding_progress",
    "onboarding_days",
    "onboarding_step_days",
)
LEFT = "the customer left"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What a look at all of them did: how many began and ended in which way, and the changes of states it wrote."""

    begun: int = 0
    completed: int = 0
    failed: int = 0
    cancelled: int = 0
    changes: tuple[Change, ...] = ()


async def keep_onboardings(store: Store, settings: OnboardingSettings, *, now: datetime) -> Kept:
    """Look at all of them. Twice is harmless. Switched off, nothing begins or moves, and nobody stands anywhere."""
    async with store.transaction() as connection:
        if not settings.enabled:
            await clear_lifecycles(connection, FIELDS, now=now)
            return Kept()
        programmes = settings.made()
        merged = await onboardings.cancel_merged(connection, now=now)
        begun = await _begin_new(connection, programmes, settings.starts_within_days, now=now)
        active = await onboardings.find_onboardings(connection, states=[ACTIVE], lock=True)
        records = await moving.read(connection, programmes, active, today=now.date())
        leavers = await onboardings.find_leavers(connection, today=now.date())
        before = await moving.load(connection, active)
        after = [
            Journey(walking.ended(each.onboarding, "cancelled", why=LEFT, now=now), each.steps)
            if each.onboarding.customer_id in leavers
            else moving.moved(each, programmes, records, now=now)
            for each in before
        ]
        await moving.save(connection, before, after)
        newest = await onboardings.find_onboardings(connection, newest=True)
        changes = await moving.tell(connection, newest, now=now, whole=True)
        states = [each.onboarding.state for each in after]
        return Kept(
            begun=begun,
            completed=states.count("completed"),
            failed=states.count("failed"),
            cancelled=states.count("cancelled") + len(merged),
            changes=tuple(changes),
        )


async def _begin_new(connection: Connection, programmes: Sequence[Programme], within: int, *, now: datetime) -> int:
    """Begin the onboardings of customers that began within so many days and never had one; return how many."""
    today = now.date()
    if not within or not programmes:
        return 0
    new = await onboardings.find_new_customers(connection, since=today - timedelta(days=within), today=today)
    if not new:
        return 0
    records = await moving.read(connection, programmes, (), customer_ids=new, today=now.date())
    rows = [
        new_onboarding(id_, programme, cause="subscription", at=_since(day, now))
        for id_, day in new.items()
        if (programme := moving.programme_for(programmes, records, id_)) is not None
    ]
    return len(await onboardings.begin(connection, rows))


def new_onboarding(
    customer_id: str, programme: Programme, *, cause: str, at: datetime, attempt: int = 1, by: str | None = None
) -> Onboarding:
    return Onboarding(
        id=f"onb_{secrets.token_hex(12)}",
        customer_id=customer_id,
        attempt=attempt,
        programme=programme.name,
        state=ACTIVE,
        cause=cause,
        started_at=at,
        started_by=by,
    )


def _since(day: date, now: datetime) -> datetime:
    return min(walking.moment_of(day), now)
