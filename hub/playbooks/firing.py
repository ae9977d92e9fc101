"""Which customers a playbook fires for, and the rows of their runs.

After scoring, and at ticks of schedules: one statement a playbook finds everybody it concerns, one writes their runs.
By hand: for the customers
somebody named, under a key of his, so that asking again is no second firing.
"""

import logging
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from hashlib import blake2b

from hub.errors import NotFoundError, RefusedError
from hub.playbooks.attending import leave_snoozed
from hub.playbooks.holdout import begin
from hub.playbooks.letting_in import room
from hub.playbooks.planned import Planned
from hub.playbooks.planning import Planner
from hub.playbooks.rows import definition_row, run_id_of, run_row
from hub.playbooks.settling import settled
from hub.playbooks.spec import Playbook
from hub.playbooks.triggers import ANYTHING, CATCH_UP, FRESH
from hub.store import Connection, Store, runs
from hub.store.due import count_anew, find_changes_due, find_due, find_records_due, find_standing
from hub.store.playbooks import Situation, find_situations
from hub.store.rests import find_resting

log = logging.getLogger(__name__)
BY_HAND = "hand"
MAX_KEY = 150
MAX_BY_HAND = 1_000
AT_ONCE = 2_000
"""Runs that begin in one transaction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Firing:
    """What firing by hand did, or would do, for one customer.

    state       fired; already_fired: the same key did it before, `run_id` is that run; resting: left alone, see
                `rest_until`; would_fire: a dry run
    matches     whether the playbook's own `when` holds; by hand it need not
    rest_until  when the quiet period ends, whether or not it was honoured
    plan        what goes where, in order, as far as is known now; empty for what was fired before
    """

    customer_id: str
    customer_name: str
    state: str
    run_id: str | None = None
    matches: bool
    rest_until: datetime | None = None
    plan: tuple[Planned, ...] = ()


async def begin_due(
    store: Store, playbook: Playbook, *, as_of: date, now: datetime, tick: datetime | None = None
) -> AsyncIterator[list[str]]:
    """Begin a run for everybody the playbook's trigger concerns; yield the new ids, but for those that are held out.

    as_of  the day of the scorecards it looks at; `tick`: of a schedule, which looks at the newest ones
    One statement says whom it concerns, and a playbook that is new may be let in slowly (hub.playbooks.letting_in). Their
    runs begin AT_ONCE in a transaction, so that a hundred thousand neither fill the memory nor keep others from writing; what
    a process that dies in between leaves out, the next look finds.
    """
    if (playbook.by == "schedule") is not (tick is not None) or playbook.by == BY_HAND:
        return
    found: list[str] | list[Situation]
    async with store.reading() as connection:
        try:
            playbook = await settled(connection, playbook, today=now.date())
        except RefusedError as error:  # the others fire all the same
            log.error("nobody fires: %s", error)
            return
        if playbook.trigger.field is not None:
            found = await _changes_due(connection, playbook, playbook.trigger.field, now=now)
        elif playbook.trigger.record is not None:
            found = await _records_due(connection, playbook, playbook.trigger.record, now=now)
        else:
            found = await find_due(
                connection,
                playbook=playbook.name,
                when=playbook.condition,
                before=playbook.trigger.before,
                as_of=as_of if tick is None else None,
                rested_since=now - playbook.rest,
                now=now,
            )
        found = found[: await room(connection, playbook, now=now)]
    if len(found) > AT_ONCE:
        async with store.transaction() as connection:
            await count_anew(connection)
    for first in range(0, len(found), AT_ONCE):
        async with store.transaction() as connection:
            some = found[first : first + AT_ONCE]
            ids = [each for each in some if isinstance(each, str)]
            due = (
                await find_standing(connection, ids) if ids else [each for each in some if isinstance(each, Situation)]
            )
            due = await leave_snoozed(connection, playbook, due, now=now)
            rows = [
                run_row(
                    playbook,
                    each.customer_id,
                    each.values,
                    episode=_episode(playbook, each, as_of, tick),
                    cause=playbook.by,
                    by=None,
                    now=now,
                )
                for each in due
            ]
            begun = await begin(connection, playbook, rows, now=now)
        if begun.going:
            yield begun.going


async def _records_due(connection: Connection, playbook: Playbook, kind: str, *, now: datetime) -> list[Situation]:
    """One customer's newest record, or each of them where the playbook does not rest."""
    rests = playbook.rest > timedelta(0)
    found = await find_records_due(
        connection,
        playbook=playbook.name,
        kind=kind,
        where=playbook.trigger.where,
        when=playbook.when,
        learned_since=now - FRESH,
        rested_since=now - playbook.rest if rests else None,
        now=now,
    )
    if not rests:
        return found
    return list({each.customer_id: each for each in reversed(found)}.values())


async def _changes_due(connection: Connection, playbook: Playbook, field: str, *, now: datetime) -> list[Situation]:
    """One customer's newest change."""
    found = await find_changes_due(
        connection,
        playbook=playbook.name,
        field=field,
        values=playbook.trigger.values,
        but=playbook.trigger.but,
        was=None if playbook.trigger.was == (ANYTHING,) else playbook.trigger.was,
        when=playbook.condition,
        changed_since=now - CATCH_UP,
        rested_since=now - playbook.rest,
        now=now,
    )
    return list({each.customer_id: each for each in reversed(found)}.values())


def _episode(playbook: Playbook, situation: Situation, as_of: date, tick: datetime | None) -> str:
    """What set it off: the same thing never does twice."""
    if tick is not None:
        return f"schedule:{tick.isoformat()}"
    if playbook.trigger.field is not None:
        return f"change:{situation.values['change']['id']}"
    if playbook.trigger.record is not None:
        id_ = str(situation.values["record"]["id"])
        return f"record:{id_}" if len(id_) < MAX_KEY else f"record:{blake2b(id_.encode(), digest_size=24).hexdigest()}"
    if playbook.trigger.moment is not None:
        return f"date:{playbook.trigger.moment.day_of(situation.values, situation.as_of)}"
    return as_of.isoformat()


async def fire_by_hand(
    store: Store,
    playbook: Playbook,
    customer_ids: Sequence[str],
    *,
    planner: Planner,
    by: str,
    key: str,
    dry_run: bool,
    force: bool,
    now: datetime,
) -> list[Firing]:
    """One Firing a customer, in the order given. Raises before anything is written; a dry run writes nothing at all."""
    ids = list(dict.fromkeys(customer_ids))
    _check(ids, key)
    episode = f"{BY_HAND}:{key}"
    async with store.reading() as connection:
        playbook = await settled(connection, playbook, today=now.date())
        situations = await find_situations(connection, ids, with_contacts=playbook.writes_contacts)
        if missing := [id_ for id_ in ids if id_ not in situations]:
            raise NotFoundError(f"there is no customer {', '.join(map(repr, missing[:10]))}")
        done = await _fired_before(connection, playbook, ids, episode)
        resting = await find_resting(
            connection, playbook=playbook.name, customer_ids=ids, rested_since=now - playbook.rest
        )

    def firing(id_: str) -> Firing:
        situation = situations[id_]
        rest_until = resting[id_] + playbook.rest if id_ in resting else None
        state, run_id = "would_fire" if dry_run else "fired", None
        plan: tuple[Planned, ...] = ()
        if id_ in done:
            state, run_id = "already_fired", done[id_]
        elif rest_until is not None and not force:
            state = "resting"
        if state in ("fired", "would_fire"):
            plan = tuple(planner.whole(playbook, situation, now=now))
        return Firing(
            customer_id=id_,
            customer_name=str(situation.values["name"]),
            state=state,
            run_id=run_id if state != "fired" else run_id_of(playbook.name, id_, episode),
            matches=playbook.fires(situation.values),
            rest_until=rest_until,
            plan=plan,
        )

    firings = [firing(id_) for id_ in ids]
    if dry_run:
        return firings
    rows = [
        run_row(
            playbook,
            each.customer_id,
            situations[each.customer_id].values,
            episode=episode,
            cause=BY_HAND,
            by=by,
            now=now,
        )
        for each in firings
        if each.state == "fired"
    ]
    async with store.transaction() as connection:
        new = await runs.insert(
            connection,
            rows,
            definitions=[definition_row(playbook, now=now)],
            rested_since=playbook.rested_since(now),
            force=force,
        )
        late = [each.customer_id for each in firings if each.state == "fired" and each.run_id not in new]
        done = await _fired_before(connection, playbook, late, episode) if late else {}
        resting = (
            await find_resting(connection, playbook=playbook.name, customer_ids=late, rested_since=now - playbook.rest)
            if late
            else {}
        )

    def late_one(each: Firing) -> Firing:
        """What another process did between the look and the firing."""
        id_ = each.customer_id
        until = resting[id_] + playbook.rest if id_ in resting else each.rest_until
        state = "already_fired" if id_ in done else "resting"
        return replace(each, state=state, run_id=done.get(id_), rest_until=until, plan=())

    return [late_one(each) if each.customer_id in late else each for each in firings]


async def _fired_before(connection: Connection, playbook: Playbook, ids: Iterable[str], episode: str) -> dict[str, str]:
    found = await runs.find_runs(connection, customer_ids=ids, playbook=playbook.name, episode=episode)
    return {run.customer_id: run.id for run in found}


def _check(ids: Sequence[str], key: str) -> None:
    if not ids:
        raise RefusedError("name at least one customer")
    if len(ids) > MAX_BY_HAND:
        raise RefusedError(f"at most {MAX_BY_HAND} customers at once; {len(ids)} were named")
    if not key or len(key) > MAX_KEY:
        raise RefusedError(f"the key must have 1 to {MAX_KEY} characters")
