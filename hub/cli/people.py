"""`cshub note` and `cshub assign`: what our people write of customers, and whose those are."""

from collections.abc import Sequence
from pathlib import Path

import click

from hub import people
from hub.cli import show
from hub.cli.app import asynchronous, main, opened
from hub.clock import utc_now
from hub.compose.auditing import audited
from hub.people import Assigned, Writer
from hub.settings import load
from hub.store.customers import get_customer
from hub.store.notes import Note, find_notes

BY = "command line"
_by = click.option("--by", default=BY, show_default=True, help="Who says so, for the record.")


@main.group()
def note() -> None:
    """Write, list, edit and delete notes on customers."""


@note.command("add")
@click.argument("customer")
@click.argument("body")
@_by
@click.pass_obj
@asynchronous
async def note_add(config: Path | None, customer: str, body: str, by: str) -> None:
    """Write a note with the text BODY on CUSTOMER: an id, a domain or a whole name."""
    now = utc_now()
    async with opened(config) as store:

        async def run() -> Note:
            return await people.write_note(store, customer, body, by=by, now=now)

        detail = {"customer": customer, "body": body}
        made = await audited(store, "noteCreate", by=by, subject=customer, request=detail, now=now, run=run)
    show.say(f"{made.id} is written on {made.customer_id}")


@note.command("list")
@click.argument("customer")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="At most so many.")
@click.pass_obj
@asynchronous
async def note_list(config: Path | None, customer: str, limit: int) -> None:
    """List the notes on CUSTOMER, the newest first."""
    async with opened(config) as store, store.reading() as connection:
        who = await get_customer(connection, customer)
        found = await find_notes(connection, who.id, limit=limit)
    rows = [(each.id, f"{each.at:%Y-%m-%d %H:%M}", each.by, each.body) for each in found]
    if not rows:
        show.say(f"There is no note on {who.name}.")
        return
    show.table(None, ("note", "at", "by", "it says"), rows)


@note.command("edit")
@click.argument("note_id", metavar="NOTE")
@click.argument("body")
@_by
@click.pass_obj
@asynchronous
async def note_edit(config: Path | None, note_id: str, body: str, by: str) -> None:
    """Give NOTE another text; that it was edited is shown."""
    now = utc_now()
    async with opened(config) as store:

        async def run() -> Note:
            return await people.edit_note(store, note_id, body, writer=Writer(by, steward=True), now=now)

        detail = {"note": note_id, "body": body}
        await audited(store, "noteUpdate", by=by, subject=note_id, request=detail, now=now, run=run)
    show.say(f"{note_id} is edited")


@note.command("delete")
@click.argument("note_id", metavar="NOTE")
@_by
@click.pass_obj
@asynchronous
async def note_delete(config: Path | None, note_id: str, by: str) -> None:
    """Delete NOTE and what it said."""
    now = utc_now()
    async with opened(config) as store:

        async def run() -> Note:
            return await people.delete_note(store, note_id, writer=Writer(by, steward=True), now=now)

        await audited(store, "noteDelete", by=by, subject=note_id, request={"note": note_id}, now=now, run=run)
    show.say(f"{note_id} is deleted")


@main.command()
@click.argument("customers", metavar="CUSTOMER...", nargs=-1, required=True)
@click.option("--to", "csm", metavar="ADDRESS", help="The CSM whose they are from now on.")
@click.option("--nobody", is_flag=True, help="They are nobody's.")
@click.option("--back", is_flag=True, help="They are again whose the source says.")
@click.option("--reason", help="Why, for the record.")
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
@_by
@click.pass_obj
@asynchronous
async def assign(
    config: Path | None,
    customers: Sequence[str],
    csm: str | None,
    nobody: bool,
    back: bool,
    reason: str | None,
    dry_run: bool,
    by: str,
) -> None:
    """Give customers (ids, domains or whole names) to a CSM. Syncs leave it so until they are given back.

    \b
    cshub assign acme.example bell.example --to zoe@cs.example --reason "new territories"
    cshub assign acme.example --back
    """
    if (csm is not None) + nobody + back != 1:
        raise click.UsageError("say one of --to ADDRESS, --nobody and --back")
    now = utc_now()
    members = {email.lower(): each.name for email, each in load(config).team.members.items()}
    async with opened(config) as store:
        async with store.reading() as connection:
            ids = [(await get_customer(connection, each)).id for each in customers]

        async def run() -> list[Assigned]:
            if back:
                return await people.unassign(store, ids, by=by, now=now, dry_run=dry_run)
            name = members.get((csm or "").strip().lower())
            return await people.assign(store, ids, csm, csm_name=name, reason=reason, by=by, now=now, dry_run=dry_run)

        told = await audited(
            store,
            "customerUnassign" if back else "customerAssign",
            by=by,
            subject=f"{len(ids)} customers",
            request={"customers": ids, "csm": csm, "reason": reason, "dry_run": dry_run},
            now=now,
            run=run,
        )
    done = "would change" if dry_run else "changed"
    rows = [
        (each.name, each.before or "nobody", each.after or "nobody", done if each.changed else "as it was")
        for each in told
    ]
    show.table(None, ("customer", "CSM before", "CSM now", ""), rows)
