"""When messages to a CSM go out: in their hours, so many a day, those with the most at stake; the others in the digest."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from hub.attention.ranking import turn_at
from hub.attention.rules import Rules
from hub.attention.slots import next_slot
from hub.model.actions import DeliveryState
from hub.model.records import Severity
from hub.model.team import Member, Team
from hub.store import Connection
from hub.store.attention import Place, find_places
from hub.store.digests import put_into_digest

Row = dict[str, Any]
OVER = "more than the CSM's places of the day, with less at stake: it waits for the digest"


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A new message, and when it would go out."""

    row: Row
    member: Member
    begin: datetime
    day: date


async def place(connection: Connection, messages: Sequence[Row], *, rules: Rules, team: Team, now: datetime) -> None:
    """Say in the rows of non-urgent messages to CSMs when they go out."""
    members = {str(row["owner_email"]): team.member(str(row["owner_email"])) for row in messages}
    wanted = []
    begins = {owner: member.next_working(now) if rules.hours else now for owner, member in members.items()}
    digests = {owner: next_slot(member, now, rules.digest_at) for owner, member in members.items()}
    for row in messages:
        owner = str(row["owner_email"])
        if Severity(row["severity"]) in rules.into_digest:
            _hold(row, digests[owner], f"of {row['severity']} severity: it waits for the digest")
            continue
        begin, member = begins[owner], members[owner]
        wanted.append(_Wanted(row, member, begin, member.local(begin).date()))
    if rules.most_a_day is None:
        for each in wanted:
            _let_out(each, now)
        return
    if not wanted:
        return
    taken = await find_places(
        connection,
        owners={str(each.row["owner_email"]) for each in wanted},
        days={each.day for each in wanted},
        now=now,
    )
    displaced: dict[str, datetime] = {}
    for (owner, _), (news, olds) in _by_day(wanted, taken).items():
        gone = sum(not each.free for each in olds)
        waiting = [each for each in olds if each.free]
        ranked: list[_Wanted | Place] = sorted(
            (*waiting, *news), key=lambda each: -(each.rank if isinstance(each, Place) else each.row["rank"])
        )
        places = max(0, rules.most_a_day - gone)
        for candidate in ranked[:places]:
            if isinstance(candidate, _Wanted):
                _let_out(candidate, now)
        for candidate in ranked[places:]:
            if isinstance(candidate, _Wanted):
                _hold(candidate.row, digests[owner], OVER)
            else:
                displaced[candidate.id] = digests[owner]
    await put_into_digest(connection, displaced, detail=OVER)


def _by_day(
    wanted: Iterable[_Wanted], taken: Iterable[Place]
) -> dict[tuple[str, date], tuple[list[_Wanted], list[Place]]]:
    found: dict[tuple[str, date], tuple[list[_Wanted], list[Place]]] = {}
    for each in wanted:
        found.setdefault((str(each.row["owner_email"]), each.day), ([], []))[0].append(each)
    for old in taken:
        if (old.owner_email, old.counts_on) in found:
            found[old.owner_email, old.counts_on][1].append(old)
    return found


def _let_out(wanted: _Wanted, now: datetime) -> None:
    """Now, or when the CSM's work begins."""
    row, begin = wanted.row, wanted.begin
    row["counts_on"] = wanted.day
    if begin > now:
        row["held"] = "hours"
        row["not_before"] = begin
        row["turn_at"] = turn_at(begin, row["rank"])
        here = wanted.member.local(begin)
        row["error"] = f"it waits for the CSM's working hours: {here:%Y-%m-%d %H:%M} {here.tzname()}"


def _hold(row: Row, until: datetime, detail: str) -> None:
    row |= {"state": DeliveryState.HELD.value, "held": "digest", "not_before": until, "error": detail}
