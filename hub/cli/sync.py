"""`cshub sync` and `cshub try`: pull sources, see how they stand, and read a few rows without writing."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from connectors.kit.pull import read
from hub.cli import show
from hub.cli.app import asynchronous, main
from hub.clock import utc_now
from hub.compose import Hub
from hub.errors import NotFoundError
from hub.model.actions import SyncState
from hub.settings import ScheduledSource, load
from hub.store import Store
from hub.store.identity import find_evidence
from hub.store.syncs import SourceState, find_sources


@main.command()
@click.argument("sources", nargs=-1, metavar="[SOURCE]...")
@click.option("--status", is_flag=True, help="Show how every source stands; pull nothing.")
@click.option("--full", is_flag=True, help="Forget the bookmarks first and pull everything again.")
@click.pass_obj
@asynchronous
async def sync(config: Path | None, sources: tuple[str, ...], status: bool, full: bool) -> None:
    """Pull SOURCEs (default: all) into the store, each as far as it has new rows.

    May be stopped or killed at any moment: what has landed stays, and the next sync goes on from there.
    """
    async with Hub.open(load(config), clock=utc_now, work=False) as hub:
        if status:
            async with hub.store.reading() as connection:
                _show_status(await find_sources(connection), utc_now())
            return
        chosen = [_known(hub.settings.sources, name) for name in sources] or list(hub.settings.sources)
        if not chosen:
            raise NotFoundError(f"no source is enabled; see {hub.settings.folder / 'sources.yaml'}")
        if full:
            await hub.forget_bookmarks(chosen)
        with show.sync_progress() as progress:
            reports = await hub.sync_all(chosen, progress=progress.update)
        ambiguous, unmatched = await waiting(hub.store)
        show.sync_reports(reports, ambiguous=ambiguous, unmatched=unmatched)
        if any(report.state is not SyncState.SUCCEEDED for report in reports):
            raise click.exceptions.Exit(1)


async def waiting(store: Store) -> tuple[int, int]:
    """How many companies are ambiguous, and unmatched with nobody having said that they are nobody's."""
    async with store.reading() as connection:
        found = await find_evidence(connection)
    states = [each.state for each in found if each.decided_by is None]
    return states.count("ambiguous"), states.count("unmatched")


@main.command("try")
@click.argument("source")
@click.option("--stream", help="Only this stream.")
@click.option("--limit", type=click.IntRange(1, 1000), default=5, show_default=True, help="Rows per stream.")
@click.pass_obj
@asynchronous
async def try_(config: Path | None, source: str, stream: str | None, limit: int) -> None:
    """Read a few rows of SOURCE and show the records they become. Nothing is written.

    Exits with 1 where a stream cannot be read, and says why.
    """
    settings = load(config)
    found = settings.sources[_known(settings.sources, source)].source
    failed = False
    async for part in read(found.connector, stream, limit=limit, now=utc_now()):
        show.out.rule(f"{source} {part.stream}")
        for record in part.records:
            show.out.print(record)
        for bad in part.quarantined:
            where = f", field {bad.field}" if bad.field else ""
            show.complain(f"would be quarantined: {bad.key}{where}: {bad.reason}")
        if not part.rows and not part.error:
            show.say("0 rows")
        if part.error:
            failed = True
            show.complain(f"{source} {part.stream}: {part.error}")
    if failed:
        raise click.exceptions.Exit(1)


def _known(sources: Mapping[str, ScheduledSource], name: str) -> str:
    if name not in sources:
        raise NotFoundError(f"no source {name!r} is enabled; there are: {', '.join(sorted(sources)) or 'none'}")
    return name


def _show_status(states: list[SourceState], now: datetime) -> None:
    def age(at: datetime | None) -> str:
        return "never" if at is None else f"{(now - at).total_seconds() / 3600:.1f} h ago"

    if not states:
        show.say("no source is configured")
        return
    show.table(
        None,
        ("source", "connector", "last run", "state", "last whole success", "quarantined", "quota left", "note"),
        [
            (
                state.name,
                state.connector,
                age(state.run_started_at),
                show.MARKS.get(state.run_state or "", state.run_state or "never ran"),
                age(state.last_succeeded_at),
                state.in_quarantine,
                ", ".join(map(_quota, state.quotas or ())),
                _note(state, now),
            )
            for state in states
        ],
    )


def _note(state: SourceState, now: datetime) -> str:
    waits = state.paused_until is not None and state.paused_until > now
    paused = f"paused until {state.paused_until:%Y-%m-%d %H:%M} UTC" if waits else ""
    return "; ".join(part for part in (paused, state.run_error) if part)


def _quota(known: Mapping[str, Any]) -> str:
    """As "default 98 of 100 until 12:01 UTC"; until: when all of them are left again."""
    resets_at = known["resets_at"] and datetime.fromisoformat(known["resets_at"])
    of = "" if known["limit"] is None else f" of {known['limit']:g}"
    return f"{known['name']} {known['remaining']:g}{of}" + (f" until {resets_at:%H:%M} UTC" if resets_at else "")
