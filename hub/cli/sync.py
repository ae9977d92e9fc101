"""`cshub sync`: pull sources, and see how they stand."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import click

from hub.cli import show
from hub.cli.app import asynchronous, main
from hub.cli.source_care import compare, map_again
from hub.cli.source_status import show_status
from hub.clock import utc_now
from hub.compose import Hub
from hub.errors import NotFoundError
from hub.model.actions import SyncState
from hub.settings import ScheduledSource, load
from hub.store import Store
from hub.store.identity import find_evidence


@main.command()
@click.argument("sources", nargs=-1, metavar="[SOURCE]...")
@click.option("--all", "everything", is_flag=True, help="All sources, as when none is named.")
@click.option("--status", is_flag=True, help="Show how every source and stream stands; pull nothing.")
@click.option("--full", is_flag=True, help="Forget the bookmarks first and pull everything again.")
@click.option("--reconcile", is_flag=True, help="Compare with what the vendor lists, and mend what differs.")
@click.option(
    "--accept-deletions", is_flag=True, help="With --reconcile: mark deleted what is gone, however much it is."
)
@click.option("--replay", is_flag=True, help="Map the rows of the raw log again; the vendor is not asked.")
@click.option("--quarantine", is_flag=True, help="With --replay: the rows in quarantine instead.")
@click.option(
    "--since", type=click.DateTime(["%Y-%m-%d"]), metavar="DAY", help="With --replay: rows that came since then."
)
@click.option(
    "--stream", "streams", multiple=True, help="With --reconcile or --replay: only this one; may be repeated."
)
@click.option("--dry-run", is_flag=True, help="With --reconcile or --replay: say what it would do.")
@click.pass_obj
@asynchronous
async def sync(
    config: Path | None,
    sources: tuple[str, ...],
    everything: bool,
    status: bool,
    full: bool,
    reconcile: bool,
    accept_deletions: bool,
    replay: bool,
    quarantine: bool,
    since: datetime | None,
    streams: tuple[str, ...],
    dry_run: bool,
) -> None:
    """Pull SOURCEs (default: all) into the store, each as far as it has new rows.

    May be stopped or killed at any moment: what has landed stays, and the next sync goes on from there. A source whose quota
    is used up is paused, which is no failure: a worker goes on with it when the quota is new.
    """
    _check_options(
        {"--status": status, "--full": full, "--reconcile": reconcile, "--replay": replay},
        {
            "--accept-deletions": (accept_deletions, reconcile, "--reconcile"),
            "--quarantine": (quarantine, replay, "--replay"),
            "--since": (since is not None, replay and not quarantine, "--replay (of the raw log)"),
            "--stream": (bool(streams), reconcile or replay, "--reconcile or --replay"),
            "--dry-run": (dry_run, reconcile or replay, "--reconcile or --replay"),
        },
    )
    if everything and sources:
        raise click.UsageError("--all means all sources; name some, or say --all")
    async with Hub.open(load(config), clock=utc_now, work=False) as hub:
        if status:
            await show_status(hub.store, [_known(hub.settings.sources, name) for name in sources], utc_now())
            return
        chosen = [_known(hub.settings.sources, name) for name in sources] or list(hub.settings.sources)
        if not chosen:
            raise NotFoundError(f"no source is enabled; see {hub.settings.folder / 'sources.yaml'}")
        if reconcile:
            await compare(hub, chosen, streams=streams or None, dry_run=dry_run, accept=accept_deletions)
            return
        if replay:
            day = None if since is None else since.date()
            await map_again(hub, chosen, streams=streams or None, since=day, dry_run=dry_run, bad=quarantine)
            return
        if full:
            await hub.forget_bookmarks(chosen)
        with show.sync_progress() as progress:
            reports = await hub.sync_all(chosen, progress=progress.update)
        ambiguous, unmatched = await waiting(hub.store)
        show.sync_reports(reports, ambiguous=ambiguous, unmatched=unmatched)
        if any(report.state not in (SyncState.SUCCEEDED, SyncState.PAUSED) for report in reports):
            raise click.exceptions.Exit(1)


def _check_options(ways: Mapping[str, bool], needs: Mapping[str, tuple[bool, bool, str]]) -> None:
    """ways: of which one may be said; needs: {option: (was it said, may it be, what it goes with)}."""
    said = [name for name, given in ways.items() if given]
    if len(said) > 1:
        raise click.UsageError(f"{' and '.join(said)} do not go together")
    for name, (given, fits, with_) in needs.items():
        if given and not fits:
            raise click.UsageError(f"{name} goes with {with_}")


async def waiting(store: Store) -> tuple[int, int]:
    """How many companies are ambiguous, and unmatched with nobody having said that they are nobody's."""
    async with store.reading() as connection:
        found = await find_evidence(connection)
    states = [each.state for each in found if each.decided_by is None]
    return states.count("ambiguous"), states.count("unmatched")


def _known(sources: Mapping[str, ScheduledSource], name: str) -> str:
    if name not in sources:
        raise NotFoundError(f"no source {name!r} is enabled; there are: {', '.join(sorted(sources)) or 'none'}")
    return name
