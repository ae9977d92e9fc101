"""`cshub writeback`: give a source's companies what the hub has found out, where sources.yaml names the fields."""

from pathlib import Path

import click

from connectors.kit.writing import Value
from hub.cli import show
from hub.cli.app import asynchronous, main
from hub.clock import utc_now
from hub.compose import Hub
from hub.compose.auditing import audited
from hub.errors import RefusedError
from hub.settings import load
from hub.sync.writing import Change, Written

MOST_SHOWN = 20


@main.command()
@click.argument("source")
@click.option("--send", is_flag=True, help="Really write. Without it: what would be written.")
@click.option("--by", default="command line", show_default=True, help="For the audit log.")
@click.pass_obj
@asynchronous
async def writeback(config: Path | None, source: str, send: bool, by: str) -> None:
    """Show what SOURCE would be given of scores and risks, and with --send write it.

    sources.yaml names the fields: `write: {fields: {health: the name of the field there}}`. Only what differs from what was
    written last is written, in batches. The hub also does it by itself, on the schedule that stands there.
    """
    async with Hub.open(load(config), clock=utc_now, work=False) as hub:
        planned = await hub.sourcing.plan_writing(source)
        _show(planned)
        if not send:
            show.say(
                f"{len(planned.changes):,} would be written, {planned.unchanged:,} are as they should be; --send writes them"
            )
            return
        with show.step(f"writing to {source}", total=len(planned.changes) or None) as step:
            done = await audited(
                hub.store,
                "writeBack",
                by=by,
                subject=source,
                request={"rows": len(planned.changes)},
                now=utc_now(),
                run=lambda: hub.sourcing.write_back(source, told=lambda count, _: step.reach(count)),
            )
            if done.error is not None:  # within the step, which then does not look done
                raise RefusedError(f"{done.written:,} of {len(done.changes):,} written: {done.error}")
    show.say(f"{done.written:,} written, {done.unchanged:,} were as they should be, {len(done.refused):,} refused")
    for key, why in list(done.refused.items())[:MOST_SHOWN]:
        show.complain(f"{key}: {why}")


def _show(planned: Written) -> None:
    rows = [(each.key, each.name, _told(each)) for each in planned.changes[:MOST_SHOWN]]
    if rows:
        show.table(None, ("key", "customer", "changes"), rows)
    if len(planned.changes) > MOST_SHOWN:
        show.say(f"… and {len(planned.changes) - MOST_SHOWN:,} more")


def _told(change: Change) -> str:
    """What a person sees change: a field that is empty there and stays so is not told."""
    shown = {name: (_shown(change.before.get(name)), _shown(value)) for name, value in change.after.items()}
    told = ", ".join(f"{name} {before} -> {after}" for name, (before, after) in shown.items() if before != after)
    return told or "left empty"


def _shown(value: Value) -> str:
    return "nothing" if value is None else f"{value:g}" if isinstance(value, float) else value
