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
from hub.settings import load


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
    """Fire playbook NAME for CUSTOMERs (their ids). Messages go out through a running `cshub serve` or `cshub worker`."""
    async with Hub.open(load(config), clock=utc_now, work=False) as hub, hub.working() if send else nullcontext():
        firings = await hub.playbooks.fire(
            name,
            customers,
            by=by,
            key=key or secrets.token_hex(8),
            dry_run=not send,
            force=force,
            now=utc_now(),
        )
    for firing in firings:
        _show(firing)


def _show(firing: Firing) -> None:
    run = f", run {firing.run_id}" if firing.run_id else ""
    show.out.print(f"{firing.customer_name} ({firing.customer_id}): {firing.state}{run}", markup=False)
    for planned in firing.plan:
        after = f"after {planned.after}: " if planned.after else ""
        show.out.print(f"  {after}{planned.action} {planned.show()}", markup=False)
        if planned.payload:
            show.out.print_json(json.dumps(dict(planned.payload)), indent=2)
