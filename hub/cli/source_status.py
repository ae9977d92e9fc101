"""`cshub sync --status`: how every source stands, and how true each of its streams is."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from hub.cli import show
from hub.store import Store
from hub.store.source_events import Inbox, find_inboxes
from hub.store.streams import StreamStanding, find_standings
from hub.store.syncs import SourceState, find_sources


async def show_status(store: Store, names: Sequence[str], now: datetime) -> None:
    """Of these sources; of all where none is named."""
    async with store.reading() as connection:
        states = [state for state in await find_sources(connection) if not names or state.name in names]
        standings = [each for each in await find_standings(connection) if not names or each.source in names]
        inboxes = await find_inboxes(connection)
    if not states:
        show.say("no source is configured")
        return
    _sources(states, inboxes, now)
    if standings:
        _streams(standings, now)
    for each in standings:
        if each.check_error:
            show.complain(f"{each.source} {each.stream}: {each.check_error}")


def _sources(states: Sequence[SourceState], inboxes: Mapping[str, Inbox], now: datetime) -> None:
    told = any(state.name in inboxes for state in states)
    columns = ("source", "connector", "last run", "state", "last whole success", "quarantined", "quota left")
    show.table(
        None,
        (*columns, *(("webhooks",) if told else ()), "note"),
        [
            (
                state.name,
                state.connector,
                _ago(state.run_started_at, now),
                show.MARKS.get(state.run_state or "", state.run_state or "never ran"),
                _ago(state.last_succeeded_at, now),
                state.in_quarantine,
                ", ".join(_quota(each) for each in state.quotas or () if _is_so_still(each, now)),
                *((_inbox(inboxes.get(state.name, Inbox()), now),) if told else ()),
                _note(state, now),
            )
            for state in states
        ],
    )


def _streams(standings: Sequence[StreamStanding], now: datetime) -> None:
    show.table(
        None,
        ("source", "stream", "bookmark moved", "complete up to", "completeness", "compared", "found then"),
        [
            (
                each.source,
                each.stream,
                _ago(each.moved_at, now),
                _complete_to(each, now),
                "unknown" if each.completeness is None else f"{each.completeness:.2%}",
                _ago(each.checked_at, now),
                _found(each),
            )
            for each in standings
        ],
    )


def _complete_to(each: StreamStanding, now: datetime) -> str:
    if each.complete_to is None:
        return "unknown" if each.complete else "never was"
    return _ago(each.complete_to, now)


def _found(each: StreamStanding) -> str:
    if each.checked_at is None:
        return ""
    counts = (("missing", each.missing), ("extra", each.extra), ("stale", each.stale), ("held back", each.held))
    return ", ".join(f"{count:,} {what}" for what, count in counts if count) or "nothing amiss"


def _ago(at: datetime | None, now: datetime) -> str:
    if at is None:
        return "never"
    age = now - at
    if age < timedelta(hours=1):
        return f"{age.total_seconds() / 60:.0f} min ago"
    return f"{age.total_seconds() / 3600:.1f} h ago" if age < timedelta(days=3) else f"{age.days} days ago"


def _inbox(inbox: Inbox, now: datetime) -> str:
    if inbox.received_at is None:
        return ""
    parts = [f"last {_ago(inbox.received_at, now)}"]
    parts += [f"{inbox.pending:,} wait"] if inbox.pending else []
    parts += [f"{inbox.failed:,} given up"] if inbox.failed else []
    return ", ".join(parts)


def _note(state: SourceState, now: datetime) -> str:
    waits = state.paused_until is not None and state.paused_until > now
    paused = f"paused until {state.paused_until:%Y-%m-%d %H:%M} UTC" if waits else ""
    return "; ".join(part for part in (paused, state.run_error) if part)


def _is_so_still(known: Mapping[str, Any], now: datetime) -> bool:
    """Whether a quota is not all there again since it was told."""
    return known["resets_at"] is None or datetime.fromisoformat(known["resets_at"]) > now


def _quota(known: Mapping[str, Any]) -> str:
    """As "default 98 of 100 until 12:01 UTC"; until: when all of them are left again."""
    resets_at = known["resets_at"] and datetime.fromisoformat(known["resets_at"])
    of = "" if known["limit"] is None else f" of {known['limit']:g}"
    return f"{known['name']} {known['remaining']:g}{of}" + (f" until {resets_at:%H:%M} UTC" if resets_at else "")
