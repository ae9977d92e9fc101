"""`cshub sync SOURCE --reconcile` and `--replay`: hold a source against its vendor, and map what is here once more."""

from collections.abc import Sequence
from datetime import date, datetime, time

import click

from hub.cli import show
from hub.compose import Hub
from hub.store.streams import Check
from hub.sync import StreamReport
from hub.sync.reconcile import BY_NATURE, ReconcileReport
from hub.sync.replay import ReplayReport


async def compare(
    hub: Hub, names: Sequence[str], *, streams: Sequence[str] | None, dry_run: bool, accept: bool
) -> None:
    """Exits with 1 where something is left to a person, or could not be asked."""
    reports = []
    for name in names:
        with show.step(f"{name}: comparing with the vendor") as step:

            def told(_stream: str, _check: Check) -> None:
                step.advance()

            reports.append(
                await hub.sourcing.reconcile(name, streams=streams, dry_run=dry_run, accept=accept, told=told)
            )
    _show_checks(reports)
    wrong = [
        error
        for report in reports
        for check in report.checks.values()
        if (error := check.error) is not None and error not in BY_NATURE and report.paused_until is None
    ]
    if wrong:
        raise click.exceptions.Exit(1)


def _show_checks(reports: Sequence[ReconcileReport]) -> None:
    show.table(
        None,
        ("source", "stream", "theirs", "ours", "missing", "extra", "stale", "repaired", "deleted", "completeness"),
        [
            (
                report.source,
                name,
                *("" if each is None else each for each in (check.theirs, check.ours)),
                *("" if each is None else each for each in (check.missing, check.extra, check.stale)),
                check.repaired,
                check.deleted,
                "" if check.completeness is None else f"{check.completeness:.2%}",
            )
            for report in reports
            for name, check in report.checks.items()
        ],
    )
    for report in reports:
        for name, check in report.checks.items():
            if check.error in BY_NATURE:
                show.say(f"{report.source} {name}: {check.error}")
            elif check.error:
                show.complain(f"{report.source} {name}: {check.error}")
        if any(check.held for check in report.checks.values()):
            show.say(f"if they are gone: cshub sync {report.source} --reconcile --accept-deletions")
        if report.paused_until is not None:
            show.say(f"{report.source}: paused until {report.paused_until:%Y-%m-%d %H:%M} UTC")
        if report.dry_run:
            show.say(f"{report.source}: nothing was changed")


async def map_again(
    hub: Hub, names: Sequence[str], *, streams: Sequence[str] | None, since: date | None, dry_run: bool, bad: bool
) -> None:
    """bad: rows that wait in quarantine; else those of the raw log that came since then."""
    reports: list[ReplayReport] = []
    with show.sync_progress() as progress:
        for name in names:

            def note(stream: str, report: StreamReport, name: str = name) -> None:
                progress.update(name, stream, report)

            if bad:
                made = await hub.sourcing.retry_quarantine(name, streams=streams, dry_run=dry_run, progress=note)
            else:
                zone = hub.settings.timezone
                moment = None if since is None else datetime.combine(since, time.min, zone)
                made = await hub.sourcing.replay(name, streams=streams, since=moment, dry_run=dry_run, progress=note)
            reports.append(made)
    columns = ("source", "stream", "rows", "new", "changed", "unchanged", "cannot be read")
    show.table(
        None,
        columns,
        [
            (report.source, name, each.pulled, each.new, each.changed, each.unchanged, each.quarantined)
            for report in reports
            for name, each in report.streams.items()
        ],
    )
    if dry_run:
        show.say("nothing was changed")
