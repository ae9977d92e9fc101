"""The use case: replay the past day by day under a playbook and under its live version, and say what each would have done.

    plan = await rehearse(store, Asked(playbook=new, live=old, days=90, …), now=now)

The window is the last `days` days. The replay begins earlier, where scorecards reach back: by the horizon and the grace, so
that there are firings whose outcome is known, and so that rests are as they would be. One day is in memory at a time; days are
read in one statement each. Nothing is written and nothing is sent.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from itertools import pairwise

from hub.errors import RefusedError
from hub.playbooks.letting_in import foretell
from hub.playbooks.rehearsal.counting import compare, count, in_window
from hub.playbooks.rehearsal.firing import Rehearsed
from hub.playbooks.rehearsal.needs import LEVELS, Needs, needs_of
from hub.playbooks.rehearsal.outcome import Ground, later_of
from hub.playbooks.rehearsal.report import Compared, Plan, Shown
from hub.playbooks.rehearsal.scene import Roster, Scene
from hub.playbooks.rehearsal.standing import Standing, end_of
from hub.playbooks.settling import expanded
from hub.playbooks.spec import Playbook
from hub.playbooks.triggers import FRESH
from hub.store import Connection, Store
from hub.store.blindfold import blindfolded
from hub.store.labels import find_at_stake, find_churned
from hub.store.rehearsal import Learned, count_contacts, find_changes, find_learned, find_names, read_columns
from hub.store.replay import find_stored_days
from scoring.facts import FactTable
from scoring.levels import Scale
from scoring.outcomes import Churns

Progress = Callable[[date, int, int], None]
MOST_DAYS = 730
HORIZONS = range(7, 366)
LEVEL_DAYS = 60
"""Levels lean on the days before; so many before the first replayed one are looked at."""
EARLIER = 3
"""Of crossings, so many days with scorecards before the first one are looked at for each customer's one before."""
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is rehearsed.

    live, live_is   what it is compared with, and what that is in words
    days            of the window; horizon: days within which leaving counts
    grace, tenure, count_involuntary   what counts as leaving, and who is at stake: see scoring.churn_definition
    scales          {watch_level, churn_level: how scores are made into it}, for days the hub did not keep them
    timezone        of schedules
    """

    playbook: Playbook
    live: Playbook | None = None
    live_is: str = "there is no live version"
    days: int = 90
    horizon: int = 90
    grace: int = 30
    tenure: int = 0
    count_involuntary: bool = True
    scales: Mapping[str, Scale] = field(default_factory=dict)
    timezone: str = "UTC"

    def check(self) -> None:
        if not 1 <= self.days <= MOST_DAYS:
            raise RefusedError(f"days must be 1 to {MOST_DAYS}, not {self.days}")
        if self.horizon not in HORIZONS:
            raise RefusedError(f"the horizon must be {HORIZONS[0]} to {HORIZONS[-1]} days, not {self.horizon}")

    @property
    def versions(self) -> tuple[Playbook, ...]:
        return (self.playbook,) if self.live is None else (self.playbook, self.live)


async def rehearse(store: Store, asked: Asked, *, now: datetime, progress: Progress | None = None) -> Plan:
    """Raises RefusedError where there is nothing to replay, or what it asks cannot be known of the past."""
    asked.check()
    async with (
        store.reading() as connection
    ):  # segments as they are now; their days count from each day that is replayed
        live = None if asked.live is None else await expanded(connection, asked.live)
        asked = replace(asked, playbook=await expanded(connection, asked.playbook), live=live)
    needs = needs_of(asked.versions, rebuilt=frozenset(asked.scales) & LEVELS.keys())
    today = now.date()
    first = today - timedelta(days=asked.days - 1)
    earliest = first - timedelta(days=asked.horizon + asked.grace + 1)
    roster = Roster()
    async with store.reading() as connection:
        changes = await find_changes(connection, needs.states, until=end_of(today)) if needs.states else []
        standing = Standing(needs, changes, scales=asked.scales, roster=roster)
        earliest = _known_since(standing, first=first, earliest=earliest)
        stored = await find_stored_days(connection, first=earliest - timedelta(days=LEVEL_DAYS), last=today)
        days = [day for day in stored if day >= earliest]
        if not days or days[-1] < first:
            raise RefusedError(f"there are no scorecards of the last {asked.days} days: nothing can be replayed")
        ground = await _ground(connection, asked, today)
        contacts = await _contacts(connection, asked, roster)
        rehearsed = [
            Rehearsed(each, roster, standing=standing, contacts=contacts, since=first, timezone=asked.timezone)
            for each in asked.versions
        ]
        learned = await _learned(store, rehearsed, days)
        before = stored[: len(stored) - len(days)]
        if not standing.rebuilt:
            before = before[-EARLIER:]
        if standing.rebuilt or any(each.trigger.before is not None for each in asked.versions):
            async for scene in _scenes(connection, before, needs, standing, roster):
                for each in rehearsed:
                    each.remember(scene)
        csms: set[str] = set()
        number = 0
        async for scene in _scenes(connection, days, needs, standing, roster):
            if scene.day >= first:
                csms |= {each for each in scene.text("csm_email") if each}
            await asyncio.to_thread(_take, rehearsed, scene, learned)
            if ground.wants(scene.day):
                staked = await find_at_stake(connection, as_of=scene.day, minimum_tenure_days=asked.tenure)
                await asyncio.to_thread(ground.take, scene, staked)
            number += 1
            if progress:
                progress(scene.day, number, len(days))
        cautions = [*needs.cautions, *_cautions(asked, days, first)]
        counted = [
            count(each, roster, ground, first=first, days=asked.days, csms=csms, since=days[0]) for each in rehearsed
        ]
        let_in = await foretell(connection, asked.playbook, waiting=counted[0].matching_now, now=now)
        if let_in is not None:
            cautions.append(let_in)
        return Plan(
            playbook=asked.playbook.name,
            title=asked.playbook.title,
            by=asked.playbook.by,
            days=asked.days,
            first=first,
            last=today,
            scored=sum(day >= first for day in days),
            rehearsed_since=days[0],
            customers=len(roster),
            new=counted[0],
            live=counted[1] if len(counted) > 1 else None,
            live_is=asked.live_is,
            compared=await _compared(connection, rehearsed, roster, first),
            examples=await _examples(connection, rehearsed[0], ground, roster),
            cautions=tuple(cautions),
        )


def _known_since(standing: Standing, *, first: date, earliest: date) -> date:
    """The first day all that is asked is known of; RefusedError where that lies within the window."""
    late = {name: day for name, day in standing.unknown_before().items() if day is None or day > first}
    if late:
        told = "; ".join(f"{name} since {day}" if day else f"{name} not at all yet" for name, day in late.items())
        days = [day for day in late.values() if day is not None]
        shorter = "" if len(days) < len(late) else f"; a shorter window can be replayed: the days from {max(days)} on"
        raise RefusedError(f"the hub has kept {told}, and nothing tells what it was before{shorter}")
    return max([earliest, *(day for day in standing.unknown_before().values() if day is not None)])


async def _ground(connection: Connection, asked: Asked, today: date) -> Ground:
    found = await find_churned(connection, until=today, grace_days=asked.grace)
    churns = Churns.of(found["customer_id"], found["churned_on"], [kind == "involuntary" for kind in found["kind"]])
    return Ground.of(
        churns,
        horizon=asked.horizon,
        grace=asked.grace,
        count_involuntary=asked.count_involuntary,
        today=today,
    )


async def _contacts(connection: Connection, asked: Asked, roster: Roster) -> Mapping[int, int]:
    if not any(each.writes_contacts for each in asked.versions):
        return {}
    found = await count_contacts(connection)
    return dict(zip(roster.of(list(found)).tolist(), found.values(), strict=True))


async def _learned(
    store: Store, rehearsed: Sequence[Rehearsed], days: Sequence[date]
) -> dict[tuple[int, date], list[Learned]]:
    """{(place among the rehearsed, day): records that became known, as they were known that day}."""
    found: dict[tuple[int, date], list[Learned]] = {}
    triggers = [(place, each.playbook.trigger) for place, each in enumerate(rehearsed)]
    if not any(trigger.record for _, trigger in triggers):
        return found
    async with store.scratch() as connection:
        for last, day in pairwise([days[0] - DAY, *days]):
            async with blindfolded(connection, day):
                for place, trigger in triggers:
                    if trigger.record is not None:
                        found[place, day] = await find_learned(
                            connection,
                            trigger.record,
                            where=trigger.where,
                            since=max(end_of(last), end_of(day) - FRESH),
                            until=end_of(day),
                        )
    return found


async def _scenes(
    connection: Connection, days: Sequence[date], needs: Needs, standing: Standing, roster: Roster
) -> AsyncIterator[Scene]:
    texts = {each.name for each in needs.columns if each.kind != "number"}
    for day, until in pairwise([*days, *([days[-1] + DAY] if days else [])]):
        columns = await read_columns(connection, day, needs.columns)
        values = {"customer_id": columns.customers, **{n: v for n, v in columns.values.items() if n not in texts}}
        table = FactTable.of(day, values)
        table = replace(table, texts={name: columns.values[name] for name in sorted(texts)})
        codes = roster.of(columns.customers)
        if standing.rebuilt:
            await asyncio.to_thread(standing.watch, table, codes)
        yield Scene(standing.put_on(table), codes, until=until)


def _take(rehearsed: Sequence[Rehearsed], scene: Scene, learned: Mapping[tuple[int, date], list[Learned]]) -> None:
    for place, each in enumerate(rehearsed):
        each.take(scene, learned.get((place, scene.day), ()))


def _cautions(asked: Asked, days: Sequence[date], first: date) -> list[str]:
    found = []
    scored = sum(day >= first for day in days)
    if scored < asked.days:
        found.append(
            f"{scored} of the {asked.days} days have scorecards; on the others nothing could fire (cshub score --backfill)"
        )
    if any(each.writes_contacts for each in asked.versions):
        found.append("mail to contacts is counted by the addresses that customers have today")
    if any(step.action == "approve" and not step.off for each in asked.versions for step in each.steps):
        found.append("every approval is taken as given at once: messages and tasks are at most so many")
    if asked.playbook.by == "threshold" and days[0] >= first:
        found.append("crossings need the scorecard before: none of the first day are found")
    return found


async def _compared(
    connection: Connection, rehearsed: Sequence[Rehearsed], roster: Roster, first: date
) -> Compared | None:
    if len(rehearsed) < 2:
        return None
    found, mine, theirs = compare(*(in_window(each, first) for each in rehearsed))
    names = await find_names(connection, [roster.ids[code] for code in (*mine, *theirs)])
    return replace(
        found,
        new_names=tuple(names[roster.ids[code]] for code in mine),
        live_names=tuple(names[roster.ids[code]] for code in theirs),
    )


async def _examples(connection: Connection, made: Rehearsed, ground: Ground, roster: Roster) -> tuple[Shown, ...]:
    names = await find_names(connection, [roster.ids[each.firing.code] for each in made.examples])
    left = ground.leavings()
    return tuple(
        Shown(
            customer_id=(id_ := roster.ids[each.firing.code]),
            name=names[id_],
            day=date.fromordinal(each.firing.day),
            csm=each.firing.csm,
            facts=each.facts,
            later=later_of(each.firing, ground, left, roster),
        )
        for each in made.examples
    )
