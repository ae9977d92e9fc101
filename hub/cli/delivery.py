"""`cshub delivery`: the ledger of every message, sending one once more, and endpoints that were disabled."""

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from hub.cli import show
from hub.cli.app import asynchronous, main
from hub.clock import utc_now
from hub.compose import Hub
from hub.delivery.webhook import new_secret
from hub.model.actions import Delivery, DeliveryState
from hub.settings import load
from schema.errors import BadInputError
from schema.nodes import parse_id

LONGEST_CELL = 70
_by = click.option("--by", default="command line", show_default=True, help="Who says so, for the record.")


@main.group()
def delivery() -> None:
    """See the delivery ledger, send messages once more, and enable endpoints that were disabled."""


@delivery.command("list")
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice([state.value for state in DeliveryState]),
    help="Only these; may be given more than once. unknown: nobody can say whether it arrived.",
)
@click.option("--channel", "channels", multiple=True, help="Only slack, email, pagerduty or webhook.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True)
@click.pass_obj
@asynchronous
async def delivery_list(config: Path | None, states: tuple[str, ...], channels: tuple[str, ...], limit: int) -> None:
    """List messages, the newest first."""
    async with _opened(config) as hub:
        found = await hub.delivering.find(
            states=[DeliveryState(state) for state in states] or None, channels=channels or None, limit=limit
        )
    show.table(
        None,
        ("id", "state", "channel", "to", "reserved (UTC)", "tries", "about", "what became of it"),
        [
            (
                each.id,
                each.state.value,
                each.channel,
                each.address,
                _at(each.reserved_at),
                each.attempts,
                _short(each.subject or str(each.payload.get("text") or each.payload.get("type") or "")),
                _short(each.error or ""),
            )
            for each in found
        ],
    )
    if len(found) == limit:
        show.say(f"the newest {limit}; more with --limit")


@delivery.command("show")
@click.argument("id_", metavar="ID")
@click.pass_obj
@asynchronous
async def delivery_show(config: Path | None, id_: str) -> None:
    """Show message ID: its way so far, the receipt, and exactly what is sent."""
    async with _opened(config) as hub:
        found = await hub.delivering.get(_id(id_))
    for name, value in _facts(found):
        show.say(f"{name:<13}{value}")
    show.say("payload")
    show.out.print_json(json.dumps(dict(found.payload)), indent=2)


@delivery.command("resend")
@click.argument("ids", nargs=-1, required=True, metavar="ID...")
@click.option("--yes", is_flag=True, help="Really do it. Without this, say what may be doubled and ask.")
@_by
@click.pass_obj
@asynchronous
async def delivery_resend(config: Path | None, ids: tuple[str, ...], yes: bool, by: str) -> None:
    """Send failed or unknown messages once more, all or none, through a running `cshub serve` or `cshub worker`."""
    wanted = [_id(given) for given in ids]
    async with _opened(config) as hub:
        for each in await hub.delivering.plan_resend(wanted):
            found = each.delivery
            show.say(f"{found.id} {found.state.value}, {found.channel} to {found.address}: {each.risk}")
        if not yes and not click.confirm("Send once more?", default=False):
            show.say("Nothing was sent.")
            return
        async with hub.working():
            resent: Sequence[Any] = await hub.delivering.audited(
                "deliveryResend",
                by=by,
                subject=wanted[0] if len(wanted) == 1 else f"{len(wanted)} messages",
                request={"deliveries": wanted},
                run=lambda: hub.delivering.resend(wanted, by=by),
            )
    show.say(f"{len(resent)} to be sent; what becomes of it: cshub delivery list")


@delivery.command("endpoints")
@click.pass_obj
@asynchronous
async def delivery_endpoints(config: Path | None) -> None:
    """List the webhook endpoints that fail, or were disabled for it."""
    async with _opened(config) as hub:
        found = await hub.delivering.endpoints()
    show.table(
        None,
        ("endpoint", "state", "failures", "since (UTC)", "disabled (UTC)", "the last time"),
        [
            (
                each.address,
                "disabled" if each.disabled_at else "failing" if each.failures else "well",
                each.failures,
                _at(each.failing_since),
                _at(each.disabled_at),
                _short(each.error or ""),
            )
            for each in found
        ],
    )
    if not found:
        show.say("none has ever failed")


@delivery.command("enable")
@click.argument("endpoint")
@_by
@click.pass_obj
@asynchronous
async def delivery_enable(config: Path | None, endpoint: str, by: str) -> None:
    """Send to ENDPOINT again, after it was disabled. What failed meanwhile: cshub delivery list --state failed."""
    async with _opened(config) as hub:
        await hub.delivering.audited(
            "deliveryEnable",
            by=by,
            subject=endpoint,
            request={"endpoint": endpoint},
            run=lambda: hub.delivering.enable(endpoint, by=by),
        )
    show.say(f"{endpoint} is enabled; its failures are forgotten")


@delivery.command("secret")
def delivery_secret() -> None:
    """Make a secret to sign a webhook's events with; it is printed and kept nowhere."""
    show.say(new_secret())


def _opened(config: Path | None) -> Any:
    return Hub.open(load(config), clock=utc_now, work=False)


def _id(given: str) -> str:
    """A message's id in the ledger, from that or from the API's."""
    try:
        entity, key = parse_id(given)
    except BadInputError:
        return given
    return key if entity == "delivery" else given


def _facts(found: Delivery) -> list[tuple[str, object]]:
    facts = [
        ("id", found.id),
        ("state", found.state.value),
        ("channel", found.channel),
        ("to", found.address),
        ("subject", found.subject),
        ("customer", found.customer_id),
        ("run", found.run_id),
        ("key", found.dedup_key),
        ("attempts", found.attempts),
        ("reserved", _at(found.reserved_at)),
        ("not before", _at(found.not_before)),
        ("expires", _at(found.expires_at)),
        ("sent", _at(found.sent_at)),
        ("confirmed", _at(found.confirmed_at)),
        ("in doubt", _at(found.doubted_at)),
        ("error", found.error),
        ("receipt", json.dumps(dict(found.receipt)) if found.receipt else None),
    ]
    return [(name, value) for name, value in facts if value not in (None, "")]


def _at(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}" if moment else ""


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_CELL else line[: LONGEST_CELL - 1] + "…"
