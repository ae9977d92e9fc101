"""`cshub segment`: conditions on customers that people saved under a name, and the customers they choose."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from hub.cli import show
from hub.cli.app import asynchronous, main, opened
from hub.clock import utc_now
from hub.compose.auditing import audited
from hub.documents import Document
from hub.errors import ConfigError, Fault
from hub.model.conditions import All, Condition, ConditionError, parse
from hub.playbooks.settling import uses
from hub.segments import (
    VOCABULARY,
    Editor,
    SavedSegment,
    Wanted,
    change_segment,
    count_in,
    create_segment,
    get_segment,
    list_segments,
    problems_of,
    remove_segment,
    settle,
)
from hub.segments.settling import condition_of
from hub.settings import load
from hub.store import Store
from hub.store.query import Order, Plan, page

BY = "command line"
COLUMNS = ("id", "name", "domain", "segment", "csm_email", "score_band", "score_health", "number:mrr")
WHERE = "A condition such as '{health: {lt: 0.5}, created_at: {within: last 90 days}}'; YAML or JSON."
_by = click.option(
    "--by", default=BY, show_default=True, help="Who asks: whose private segments count, and for the record."
)


@main.group()
def segment() -> None:
    """Save conditions on customers under a name, and see whom they choose.

    A saved segment is used in a playbook's `when: {in_segment: NAME}`, in the API's filter {inSegment: "NAME"}, and in other
    segments. Whoever works here changes any that is shared.
    """


@segment.command("list")
@_by
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
@asynchronous
async def list_(config: Path | None, by: str, as_json: bool) -> None:
    """List the shared segments and those of --by, with how many customers are in each."""
    editor = Editor(name=by, steward=True)
    async with opened(config) as store:
        found = await list_segments(store, editor)
        counts: dict[str, int | None] = {}
        for first in range(0, len(found), 50):
            counts |= await count_in(store, editor, found[first : first + 50], book=None, today=utc_now().date())
    if as_json:
        click.echo(json.dumps([_plain(each, counts[each.id], found) for each in found], indent=2, default=str))
        return
    if not found:
        show.say("There is none yet: cshub segment save NAME --where '{health: {lt: 0.5}}'")
        return
    rows = [
        (
            each.name,
            "shared" if each.shared else "private",
            each.owner,
            "?" if counts[each.id] is None else counts[each.id],
            each.description or "",
            "; ".join(problems_of(each, found)),
        )
        for each in found
    ]
    show.table(None, ("name", "seen by", "owner", "customers", "about", "wrong with it"), rows)


@segment.command("show")
@click.argument("name")
@_by
@click.pass_obj
@asynchronous
async def show_(config: Path | None, name: str, by: str) -> None:
    """Show what the segment NAME says, as JSON."""
    editor = Editor(name=by, steward=True)
    async with opened(config) as store:
        found = await get_segment(store, editor, name)
        everything = await list_segments(store, editor)
        count = (await count_in(store, editor, [found], book=None, today=utc_now().date()))[found.id]
    click.echo(json.dumps(_plain(found, count, everything), indent=2, default=str))


@segment.command()
@click.argument("name")
@click.option("--where", help=f"{WHERE} Needed for a new one.")
@click.option("--about", help="What it is for.")
@click.option("--shared/--private", default=None, help="For everybody to use, or for --by alone. A new one is shared.")
@click.option("--rename", metavar="NAME", help="Give it another name.")
@_by
@click.pass_obj
@asynchronous
async def save(
    config: Path | None,
    name: str,
    where: str | None,
    about: str | None,
    shared: bool | None,
    rename: str | None,
    by: str,
) -> None:
    """Save a condition as the segment NAME, or change the one there is.

    \b
    cshub segment save big-and-unhappy --where '{mrr: {gte: 5000}, health: {lt: 0.5}}' --about "Weekly review"
    cshub segment save new-in-dach --where '{country: {in: [DE, AT, CH]}, created_at: {within: last 90 days}}'
    """
    settings = load(config)
    said = None if where is None else _read(where)[0]
    now = utc_now()
    editor = Editor(name=by, steward=True)
    async with opened(config) as store:
        there = {each.name: each for each in reversed(await list_segments(store, editor))}
        detail = {"where": said, "about": about, "shared": shared, "rename": rename}
        if name not in there and said is None:
            raise ConfigError([Fault("is needed for a new segment", key="--where")])

        async def run() -> SavedSegment:
            wanted = Wanted(name=rename, filter=said, description=about, shared=shared)
            if name not in there:
                new = replace(wanted, name=rename or name, shared=shared is not False)
                return await create_segment(store, editor, new, now=now)
            used = uses(settings.playbooks.playbooks)
            return await change_segment(store, editor, there[name].id, wanted, uses=used, now=now)

        made = await audited(store, "segmentSave", by=by, subject=name, request=detail, now=now, run=run)
        count = (await count_in(store, editor, [made], book=None, today=now.date()))[made.id]
    show.say(f"{made.name} is saved; {count} customers are in it.")


@segment.command()
@click.argument("name")
@_by
@click.pass_obj
@asynchronous
async def delete(config: Path | None, name: str, by: str) -> None:
    """Delete the segment NAME. Refused, naming them, while a playbook or another segment uses it."""
    settings = load(config)
    editor = Editor(name=by, steward=True)
    async with opened(config) as store:

        async def run() -> SavedSegment:
            return await remove_segment(store, editor, name, uses=uses(settings.playbooks.playbooks))

        gone = await audited(store, "segmentDelete", by=by, subject=name, request={}, now=utc_now(), run=run)
    show.say(f"{gone.name} is deleted.")


@segment.command()
@click.argument("name", required=False)
@click.option("--where", help=f"{WHERE} With NAME: besides.")
@click.option("--order", default="name", show_default=True, help="A field or a fact; -health for the highest first.")
@click.option("--limit", type=click.IntRange(1), default=200, show_default=True, help="At most so many.")
@click.option("--json", "as_json", is_flag=True, help="As JSON, one customer a line.")
@_by
@click.pass_obj
@asynchronous
async def customers(
    config: Path | None, name: str | None, where: str | None, order: str, limit: int, as_json: bool, by: str
) -> None:
    """List the customers of the segment NAME, or of a condition, or of both.

    \b
    cshub segment customers big-and-unhappy --order -mrr
    cshub segment customers --where '{search: acme}'
    cshub segment customers --where '{renewal_on: {within: next 60 days}, not: {in_segment: big-and-unhappy}}'
    """
    condition = None if where is None else _read(where)[1]
    async with opened(config) as store:
        if name is not None:
            chosen = condition_of(await get_segment(store, Editor(name=by, steward=True), name))
            condition = chosen if condition is None else All((chosen, condition))
        rows = await _customers(store, condition, order=_order(order), limit=limit, by=by)
    if as_json:
        for row in rows:
            click.echo(json.dumps({key.split(":")[-1].removeprefix("score_"): row[key] for key in COLUMNS}))
        return
    if not rows:
        show.say("No customer is in it.")
        return
    shown = [
        (
            row["name"],
            row["domain"] or "",
            row["segment"] or "",
            row["csm_email"] or "",
            row["score_band"] or "",
            "" if row["score_health"] is None else f"{100 * row['score_health']:.0f}",
            "" if row["number:mrr"] is None else f"{row['number:mrr']:,.0f}",
            row["id"],
        )
        for row in rows
    ]
    show.table(None, ("customer", "domain", "segment", "CSM", "band", "health", "MRR", "id"), shown)
    if len(rows) == limit:
        show.say(f"There may be more than {limit}: say --limit.")


async def _customers(
    store: Store, condition: Condition | None, *, order: Order, limit: int, by: str
) -> list[dict[str, Any]]:
    async with store.reading() as connection:
        if condition is not None:
            condition = await settle(connection, condition, today=utc_now().date(), owner=by)
        rows = await page(
            connection,
            "customer",
            Plan(frozenset(COLUMNS)),
            order=order,
            first=limit,
            book=None,
            condition=condition,
        )
    return list(rows.rows)


def _order(text: str) -> Order:
    name = text.removeprefix("-")
    field = VOCABULARY.get(name)
    if field is None or field.kind not in ("number", "text", "date"):
        raise ConfigError([Fault(f"{name!r} is no field and no fact", key="--order")])
    return Order(f"{field.kind}:{name}", descending=text != name)


def _read(text: str) -> tuple[Any, Condition]:
    """What --where says, as it is kept and as a condition; ConfigError with every fault."""
    document = Document.from_text(text, name="--where")
    try:
        return json.loads(json.dumps(document.value, default=str)), parse(document.value, VOCABULARY)
    except ConditionError as error:
        faults = [document.fault(each.message, key=each.key, choices=each.choices) for each in error.problems]
        raise ConfigError(faults) from None


def _plain(each: SavedSegment, count: int | None, among: Sequence[SavedSegment]) -> dict[str, Any]:
    return {
        "name": each.name,
        "about": each.description,
        "filter": each.filter,
        "owner": each.owner,
        "shared": each.shared,
        "customers": count,
        "problems": problems_of(each, among),
        "updated_at": each.updated_at.isoformat(),
        "updated_by": each.updated_by,
        "id": each.id,
    }
