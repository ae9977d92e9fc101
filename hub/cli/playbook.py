"""`cshub playbook`: what there is, and firing one by hand."""

import json
import secrets
from contextlib import nullcontext
from pathlib import Path

import click

from hub.cli import show
from hub.cli.app import asynchronous, main
from hub.clock import utc_now
from hub.compose import Hub
from hub.playbooks import Firing
from hub.playbooks.durations import show_duration
from hub.settings import load
from schema.errors import BadInputError
from schema.nodes import parse_id

STATES = {"would_fire": "would fire", "already_fired": "already fired by the same key"}


@main.group()
def playbook() -> None:
    """List playbooks, and fire one by hand."""


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


def _id(given: str) -> str:
    """A customer's id in the store, from that or from the API's."""
    try:
        entity, key = parse_id(given)
    except BadInputError:
        return given
    return key if entity == "customer" else given


def _show(firing: Firing) -> None:
    run = f", run {firing.run_id}" if firing.run_id else ""
    show.say(f"{firing.customer_name} ({firing.customer_id}): {STATES.get(firing.state, firing.state)}{run}")
    if firing.state == "resting" and firing.rest_until:
        show.say(f"  left alone until {firing.rest_until:%Y-%m-%d %H:%M} UTC; --force fires nevertheless")
    if not firing.matches and firing.plan:
        show.say("  note: the playbook's own condition does not hold for it")
    for planned in firing.plan:
        after = f"after {show_duration(planned.after)}: " if planned.after else ""
        show.say(f"  {after}{planned.action} {planned.show()}")
        if planned.payload:
            show.out.print_json(json.dumps(dict(planned.payload)), indent=2)
