"""`cshub playbook`: what there is, firing one by hand, answering what runs ask, the kill switch; and hub.cli.playbook_plan."""

import json
import secrets
from contextlib import nullcontext
from pathlib import Path

import click

from hub.cli import show
from hub.cli.app import asynchronous, main
from hub.cli.playbook_plan import playbook_plan, playbook_report
from hub.clock import utc_now
from hub.compose import Hub
from hub.playbooks import Firing
from hub.playbooks.durations import show_duration
from hub.settings import load
from hub.store import hooks
from hub.store.stops import ALL
from schema.errors import BadInputError
from schema.nodes import parse_id

STATES = {"would_fire": "would fire", "already_fired": "already fired by the same key"}


@main.group()
def playbook() -> None:
    """Playbooks: list, plan before they act, fire by hand, approve, stop, and what they were worth."""


playbook.add_command(playbook_plan)
playbook.add_command(playbook_report)


@playbook.command("list")
@click.pass_obj
def playbook_list(config: Path | None) -> None:
    """List the playbooks of the configuration."""
    found = load(config).playbooks.playbooks.values()
    show.table(
        None,
        ("name", "version", "title", "rests (days)", "steps"),
        [
            (each.name, each.version, each.title, each.rest.days, ", ".join(step.action for step in each.steps))
            for each in found
        ],
    )


@playbook.command("fire")
@click.argument("name")
@click.argument("customers", nargs=-1, required=True, metavar="CUSTOMER...")
@click.option("--send", is_flag=True, help="Really do it. Without this, show what would go where and do nothing.")
@click.option("--key", help="Idempotency key: the same key fires once. Default: a new one.")
@click.option("--force", is_flag=True, help="Also for customers in their quiet period.")
@click.option("--by", default="command line", show_default=True, help="Who fires, for the record.")
@click.pass_obj
@asynchronous
async def playbook_fire(
    config: Path | None, name: str, customers: tuple[str, ...], send: bool, key: str | None, force: bool, by: str
) -> None:
    """Fire playbook NAME for CUSTOMERs: by default only show what would go where.

    A CUSTOMER is an id, as the hub's (cus_…) or as GraphQL gives it. With --send, messages go out through a running
    `cshub serve` or `cshub worker`.
    """
    async with Hub.open(load(config), clock=utc_now, work=False) as hub, hub.working() if send else nullcontext():
        firings = await hub.playbooks.fire(
            name,
            [_id(given) for given in customers],
            by=by,
            key=key or secrets.token_hex(8),
            dry_run=not send,
            force=force,
            now=utc_now(),
        )
    for firing in firings:
        _show(firing)
    if not send:
        show.say("Nothing was sent: this was a dry run. --send really does it.")


@playbook.command("approve")
@click.argument("run")
@click.option("--decline", is_flag=True, help="Say no.")
@click.option("--note", help="Why, for the record.")
@click.option("--by", default="command line", show_default=True, help="Who answers, for the record.")
@click.pass_obj
@asynchronous
async def playbook_approve(config: Path | None, run: str, decline: bool, note: str | None, by: str) -> None:
    """Approve what RUN asks, or decline it. The first answer counts.

    A RUN is an id, as the hub's (run_…) or as GraphQL gives it.
    """
    async with Hub.open(load(config), clock=utc_now, work=False) as hub, hub.working():
        found = await hub.playbooks.approve(_id(run, "playbook_run"), approved=not decline, by=by, note=note)
    show.say(f"{found.playbook}: {'declined' if decline else 'approved'}; the run goes on in a running hub.")


@playbook.command("events")
@click.option("--refused", is_flag=True, help="Only those that name no customer we know.")
@click.option("--hook", help="Only those that came in there.")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="How many at most.")
@click.option("--retry", metavar="EVENT", help="Look again whom this refused event means, and fire what heeds it.")
@click.pass_obj
@asynchronous
async def playbook_events(config: Path | None, refused: bool, hook: str | None, limit: int, retry: str | None) -> None:
    """Events that came in by webhook, and what playbooks did with them, the newest first."""
    async with Hub.open(load(config), clock=utc_now, work=False) as hub, hub.working() if retry else nullcontext():
        if retry is not None:
            event = await hub.playbooks.hear_again(retry)
            show.say(f"{event.id}: {event.state}{f': {event.reason}' if event.reason else ''}")
            return
        async with hub.store.reading() as connection:
            states = [hooks.REFUSED] if refused else None
            found = await hooks.find_events(connection, hook=hook, states=states, limit=limit)
    show.table(
        None,
        ("event", "received (UTC)", "hook", "type", "customer", "state", "what became of it"),
        [
            (
                each.id,
                f"{each.received_at:%Y-%m-%d %H:%M}",
                each.hook,
                each.type,
                each.customer_id,
                each.state,
                each.reason or "; ".join(f"{name}: {did}" for name, did in (each.outcome or {}).items()),
            )
            for each in found
        ],
    )


@playbook.command("stop")
@click.argument("name", required=False)
@click.option("--all", "everything", is_flag=True, help="Stop every playbook there is.")
@click.option("--reason", required=True, help="Why, for who finds it stopped.")
@click.option("--cancel", is_flag=True, help="End its runs and withdraw its messages, instead of holding them.")
@click.option("--by", default="command line", show_default=True, help="Who stops, for the record.")
@click.pass_obj
@asynchronous
async def playbook_stop(
    config: Path | None, name: str | None, everything: bool, reason: str, cancel: bool, by: str
) -> None:
    """Stop playbook NAME at once: it fires for nobody, its runs stand still, its messages are not sent."""
    async with Hub.open(load(config), clock=utc_now, work=False) as hub:
        done = await hub.playbooks.stop(_name(name, everything), by=by, reason=reason, cancel=cancel)
    which = "All playbooks are" if everything else f"{name} is"
    show.say(f"{which} stopped{'' if done.changed else ' already'}.")
    if cancel:
        show.say(f"{done.cancelled} runs were ended, {done.withdrawn} messages withdrawn.")


@playbook.command("start")
@click.argument("name", required=False)
@click.option("--all", "everything", is_flag=True, help="Lift the stop of all.")
@click.option("--by", default="command line", show_default=True, help="Who starts, for the record.")
@click.pass_obj
@asynchronous
async def playbook_start(config: Path | None, name: str | None, everything: bool, by: str) -> None:
    """Let a stopped playbook go on where it stood."""
    async with Hub.open(load(config), clock=utc_now, work=False) as hub, hub.working():
        await hub.playbooks.start(_name(name, everything), by=by)
        left = await hub.playbooks.stopped()
    show.say(f"{'The stop of all' if everything else f'The stop of {name}'} is lifted.")
    for each in left:
        what = "all playbooks are" if each.playbook == ALL else f"{each.playbook} is"
        show.say(f"Still, {what} stopped by {each.stopped_by}: {each.reason}")


def _name(name: str | None, everything: bool) -> str:
    if (name is None) is not everything:
        raise click.UsageError("Give either the NAME of a playbook, or --all.")
    return ALL if name is None else name


def _id(given: str, wanted: str = "customer") -> str:
    """An id in the store, from that or from the API's."""
    try:
        entity, key = parse_id(given)
    except BadInputError:
        return given
    return key if entity == wanted else given


def _show(firing: Firing) -> None:
    run = f", run {firing.run_id}" if firing.run_id else ""
    show.say(f"{firing.customer_name} ({firing.customer_id}): {STATES.get(firing.state, firing.state)}{run}")
    if firing.state == "resting" and firing.rest_until:
        show.say(f"  left alone until {firing.rest_until:%Y-%m-%d %H:%M} UTC; --force fires nevertheless")
    if not firing.matches and firing.plan:
        show.say("  note: the playbook's own condition does not hold for it")
    for planned in firing.plan:
        after = f"after {show_duration(planned.after)}: " if planned.after else ""
        block = f"{planned.block}: " if planned.block else ""
        show.say(f"  {'  ' * planned.depth}{block}{after}{planned.action} {planned.show()}")
        if planned.payload:
            show.out.print_json(json.dumps(dict(planned.payload)), indent=2)
