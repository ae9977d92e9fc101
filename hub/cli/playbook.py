"""`cshub playbook`: firing one by hand, answering what runs ask, the kill switch, events that came in.

What there is and what became of it is shown by hub.cli.playbook_shown, what would be by hub.cli.playbook_plan.
"""

import json
import secrets
from contextlib import nullcontext
from pathlib import Path

import click

from hub.cli import show
from hub.cli.app import asynchronous, main
from hub.cli.playbook_plan import playbook_plan, playbook_report
from hub.cli.playbook_shown import id_of, playbook_list, playbook_runs, playbook_show
from hub.clock import utc_now
from hub.compose import Hub
from hub.errors import NotFoundError
from hub.playbooks import Firing
from hub.playbooks.durations import show_duration
from hub.playbooks.stopping import stop
from hub.settings import load, load_store
from hub.store import Store, hooks, runs
from hub.store.customers import get_customer
from hub.store.migrate import require_newest
from hub.store.stops import ALL

STATES = {"would_fire": "would fire", "already_fired": "already fired by the same key"}


@main.group()
def playbook() -> None:
    """Playbooks: list, plan before they act, fire by hand, approve, stop, and what they were worth."""


playbook.add_command(playbook_plan)
playbook.add_command(playbook_report)
playbook.add_command(playbook_list)
playbook.add_command(playbook_runs)
playbook.add_command(playbook_show)


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

    A CUSTOMER is an id, as the hub's (cus_…) or as GraphQL gives it, a domain or a whole name. With --send, messages go out
    through a running `cshub serve` or `cshub worker`.
    """
    async with Hub.open(load(config), clock=utc_now, work=False) as hub, hub.working() if send else nullcontext():
        hub.playbooks.get(name)
        async with hub.store.reading() as connection:
            ids = [(await get_customer(connection, id_of(given))).id for given in customers]
        firings = await hub.playbooks.fire(
            name,
            ids,
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

    A RUN is an id, as the hub's (run_…, see `cshub playbook runs --asking`) or as GraphQL gives it.
    """
    async with Hub.open(load(config), clock=utc_now, work=False) as hub, hub.working():
        found = await hub.playbooks.approve(id_of(run, "playbook_run"), approved=not decline, by=by, note=note)
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
    """Stop playbook NAME at once: it fires for nobody, its runs stand still, its messages are not sent.

    Of the configuration only the store is read, so that what is broken there keeps nobody from stopping.
    """
    chosen = _name(name, everything)
    async with Store.open(load_store(config)) as store:
        await require_newest(store)
        async with store.reading() as connection:
            ran = chosen == ALL or await runs.find_runs(connection, playbook=chosen, limit=1)
        if not ran and chosen not in (there := load(config).playbooks.playbooks):
            raise NotFoundError(f"there is no playbook {chosen!r}; there are: {', '.join(sorted(there)) or 'none'}")
        done = await stop(store, chosen, by=by, reason=reason, cancel=cancel, audited=False, now=utc_now())
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
