"""`cshub retention`: for how long each kind of record is kept, and letting go of what ran out of its time."""

from pathlib import Path

import click

from hub.access.privacy.retaining import find_last, plan_retention, retain
from hub.cli import show
from hub.cli.app import asynchronous, main
from hub.cli.privacy import bar
from hub.clock import utc_now
from hub.compose.auditing import audited
from hub.settings import Settings, load
from hub.store import Store
from hub.store.migrate import require_newest

_by = click.option("--by", default="command line", show_default=True, help="Who asks, for the record.")


@main.group()
def retention() -> None:
    """See for how long each kind of record is kept, and let go of what ran out of its time."""


@retention.command("show")
@click.pass_obj
@asynchronous
async def retention_show(config: Path | None) -> None:
    """Show each kind, how long it is kept, what becomes of it then, and how many rows the next run concerns."""
    settings = load(config)
    async with Store.open(settings.hub.store) as store:
        await require_newest(store)
        await _show(settings, store)
        last = await find_last(store)
    if last is None:
        show.say("never run yet; the daily job does it, or cshub retention run")
    else:
        ended = (
            f"{last.finished_at:%Y-%m-%d %H:%M} UTC" if last.finished_at else "not ended; the next one does the rest"
        )
        rows = sum(each["rows"] for each in last.counts.values())
        show.say(f"last run: {ended}; {rows:,} rows")


@retention.command("run")
@click.option("--dry-run", is_flag=True, help="Count what would go; change nothing.")
@_by
@click.pass_obj
@asynchronous
async def retention_run(config: Path | None, dry_run: bool, by: str) -> None:
    """Do now what the daily job does: let go of what is over its time, and end erasures that were killed."""
    settings = load(config)
    async with Store.open(settings.hub.store) as store:
        await require_newest(store)
        if dry_run:
            await _show(settings, store)
            show.say("nothing was changed")
            return
        done: dict[str, int] = {}

        async def run() -> None:
            with bar("retention") as progress:
                done.update(await retain(store, settings.hub.retention.ages(), now=utc_now(), progress=progress))

        await audited(store, "retentionRun", by=by, subject="retention", request={}, now=utc_now(), run=run)
    for name, rows in done.items():
        show.say(f"{rows:>10,} {name}")


async def _show(settings: Settings, store: Store) -> None:
    plan = await plan_retention(store, settings.hub.retention.ages(), now=utc_now())
    rows = [
        (
            each.kind.name,
            "for ever" if each.age is None else f"{each.age.days} days",
            "" if each.before is None else f"{each.before:%Y-%m-%d}",
            each.rows,
            each.kind.about,
        )
        for each in plan
    ]
    show.table(None, ("kind", "kept", "before", "rows due", "what becomes of it"), rows)
