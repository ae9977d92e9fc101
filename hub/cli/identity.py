"""`cshub identity`: the matches that wait for a person, and customers that turn out to be one."""

from pathlib import Path

import click

from hub.cli import show
from hub.cli.app import asynchronous, main, opened
from hub.clock import utc_now
from hub.identity import Merged, decide_by_hand, reopen
from hub.store.customers import get_customer
from hub.store.identity import Evidence, find_evidence

_by = click.option("--by", required=True, help="Who decides, for the record.")
_dry = click.option("--dry-run", is_flag=True, help="Show what would move, and move nothing.")


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
@click.option("--new", is_flag=True, help="It is a customer that is not there yet.")
@_by
@click.pass_obj
@asynchronous
async def identity_decide(
    config: Path | None, evidence: str, customer: str | None, nobody: bool, new: bool, by: str
) -> None:
    """Say that EVIDENCE (such as helpdesk:360001) is CUSTOMER, and move its records there."""
    if (customer is not None) + nobody + new != 1:
        raise click.UsageError("give one of CUSTOMER, --nobody and --new")
    from hub.compose.auditing import audited  # as for merging

    now = utc_now()
    async with opened(config) as store:

        async def run() -> int:
            return await decide_by_hand(store, evidence, customer, by=by, now=now, new=new)

        detail = {"identity": evidence, "customer": customer, "new": new}
        moved = await audited(store, "identityDecide", by=by, subject=evidence, request=detail, now=now, run=run)
    show.say(f"{evidence} is {customer or ('a new customer' if new else 'nobody')}; {moved} records moved")


@identity.command("reopen")
@click.argument("evidence")
@_by
@click.pass_obj
@asynchronous
async def identity_reopen(config: Path | None, evidence: str, by: str) -> None:
    """Take back what was decided of EVIDENCE, and let the rules decide anew."""
    from hub.compose.auditing import audited  # as for merging
    from hub.settings import load

    now = utc_now()
    settings = load(config)
    async with opened(config) as store:

        async def run() -> Evidence:
            return await reopen(store, settings.identity, evidence, now=now)

        detail = {"identity": evidence}
        found = await audited(store, "identityReopen", by=by, subject=evidence, request=detail, now=now, run=run)
    show.say(f"{evidence} is {found.customer_id or found.state}: {found.reason}")


@identity.command("merge")
@click.argument("keep")
@click.argument("merged", metavar="MERGE")
@click.option("--reason", required=True, help="How you know that they are one.")
@_dry
@_by
@click.pass_obj
@asynchronous
async def identity_merge(config: Path | None, keep: str, merged: str, reason: str, dry_run: bool, by: str) -> None:
    """Make the customer MERGE part of KEEP, with all its records. Ids, domains or whole names.

    \b
    cshub identity merge acme.example "Acme Deutschland" --reason "one contract" --by ann --dry-run
    """
    # a whole hub is seconds of imports, and needed here alone
    from hub.compose import Hub
    from hub.compose.actions import HubActions
    from hub.compose.auditing import audited
    from hub.settings import load
    from schema.customers.asking import MergeRequest

    now = utc_now()
    async with Hub.open(load(config), clock=utc_now, work=False) as hub:
        async with hub.store.reading() as connection:
            kept_id, merged_id = [(await get_customer(connection, each)).id for each in (keep, merged)]
        request = MergeRequest(keep_id=kept_id, merge_id=merged_id, reason=reason, by=by, dry_run=dry_run)

        async def run() -> Merged:
            return await HubActions(hub).merge_customers(request, now=now)

        detail = {"keep": kept_id, "merge": merged_id, "reason": reason, "dry_run": dry_run}
        made = await audited(hub.store, "customerMerge", by=by, subject=kept_id, request=detail, now=now, run=run)
    _say(made, "would become part of" if dry_run else "is part of")


@identity.command("unmerge")
@click.argument("merge_id", metavar="MERGE")
@_dry
@_by
@click.pass_obj
@asynchronous
async def identity_unmerge(config: Path | None, merge_id: str, dry_run: bool, by: str) -> None:
    """Undo MERGE, an id as `cshub identity merge` says it: its two customers are two again."""
    from hub.compose import Hub  # as for merging
    from hub.compose.actions import HubActions
    from hub.compose.auditing import audited
    from hub.settings import load

    now = utc_now()
    async with Hub.open(load(config), clock=utc_now, work=False) as hub:

        async def run() -> Merged:
            return await HubActions(hub).undo_merge(merge_id, by=by, dry_run=dry_run, now=now)

        detail = {"merge": merge_id, "dry_run": dry_run}
        made = await audited(hub.store, "customerMergeUndo", by=by, subject=merge_id, request=detail, now=now, run=run)
    _say(made, "would be apart from" if dry_run else "is apart from")


def _say(made: Merged, what: str) -> None:
    show.say(f"{made.merged_id} {what} {made.kept_id}" + (f": {made.merge_id}" if made.merge_id else ""))
    kinds = {"evidence": made.evidence, "notes": made.notes, "open alerts and tasks": made.alerts, **made.records}
    show.table(None, ("what moves", "how many"), [(kind.replace("_", " "), count) for kind, count in kinds.items()])
    if made.runs:
        show.say(f"{made.runs} runs of playbooks are cancelled")
