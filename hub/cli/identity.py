"""`cshub identity`: the matches that wait for a person."""

from pathlib import Path

import click

from hub.cli import show
from hub.cli.app import asynchronous, main, opened
from hub.clock import utc_now
from hub.identity import decide_by_hand
from hub.store.identity import find_evidence


@main.group()
def identity() -> None:
    """See which companies of the sources are nobody's yet, and decide whose they are."""


@identity.command("list")
@click.option(
    "--state", type=click.Choice(["ambiguous", "unmatched", "matched"]), default="ambiguous", show_default=True
)
@click.pass_obj
@asynchronous
async def identity_list(config: Path | None, state: str) -> None:
    """List evidence in a state, with the reason and the candidates."""
    async with opened(config) as store, store.reading() as connection:
        found = await find_evidence(connection, state=state)
    show.table(
        None,
        ("evidence", "name", "reason", "candidates" if state != "matched" else "customer"),
        [
            (each.id, each.name or "", each.reason or "", each.customer_id or ", ".join(each.candidates))
            for each in found
        ],
    )
    if found:
        show.say(f"{len(found)} {state}")
    else:
        show.say(f"no company is {state}")


@identity.command("decide")
@click.argument("evidence")
@click.argument("customer", required=False)
@click.option("--nobody", is_flag=True, help="It is no customer of ours; do not ask again.")
@click.option("--by", required=True, help="Who decides, for the record.")
@click.pass_obj
@asynchronous
async def identity_decide(config: Path | None, evidence: str, customer: str | None, nobody: bool, by: str) -> None:
    """Say that EVIDENCE (such as helpdesk:360001) is CUSTOMER, and move its records there."""
    if (customer is None) != nobody:
        raise click.UsageError("give either CUSTOMER or --nobody")
    async with opened(config) as store:
        moved = await decide_by_hand(store, evidence, customer, by=by, now=utc_now())
    show.say(f"{evidence} is {customer or 'nobody'}; {moved} records moved")
