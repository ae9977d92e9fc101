"""`cshub audit`: who asked for what, who read personal data, and whether anybody changed the log of it."""

from pathlib import Path
from typing import Any

import click
import orjson

from hub.cli import show
from hub.cli.app import asynchronous, main, opened
from hub.errors import CshubError
from hub.store import audit as log
from hub.store.audit import Entry

MOST = 1_000


class BrokenError(CshubError):
    """The log is not as it was written."""


@main.group()
def audit() -> None:
    """See who asked for what, and verify that the log of it is whole."""


@audit.command("list")
@click.option("--most", type=click.IntRange(1, MOST), default=50, show_default=True, help="So many of the newest.")
@click.option("--subject", help="Only of this subject: a customer's id, an alert's, a playbook's name.")
@click.option("--actor", help="Only of this person or token.")
@click.option("--json", "as_json", is_flag=True, help="With the details, one JSON object a line.")
@click.pass_obj
@asynchronous
async def audit_list(config: Path | None, most: int, subject: str | None, actor: str | None, as_json: bool) -> None:
    """Show the newest entries: what was asked for, reads of personal data, and details taken out."""
    async with opened(config) as store, store.reading() as connection:
        found = await log.find_latest(connection, limit=most, subject=subject, actor=actor)
    if as_json:
        for each in found:
            click.echo(orjson.dumps(_told(each)).decode())
        return
    show.table(
        None,
        ("at", "actor", "action", "subject", "outcome"),
        [
            (f"{each.at:%Y-%m-%d %H:%M:%S}", each.actor, each.action, each.subject, each.detail.get("outcome", ""))
            for each in found
        ],
    )


@audit.command("verify")
@click.option(
    "--head",
    metavar="NUMBER:DIGEST",
    help="What an earlier `verify` printed: also check that this record is still there, so that no end was cut off.",
)
@click.pass_obj
@asynchronous
async def audit_verify(config: Path | None, head: str | None) -> None:
    """Check the whole chain, and print its head. Exit code 1 where it is broken.

    Note the head somewhere else, such as with each backup: a chain whose end was cut off looks whole, and only a head that
    somebody kept tells.
    """
    number, digest = _parsed(head)
    records = redacted = 0
    newest, kept = (0, log.GENESIS), number is None or (number == 0 and digest == log.GENESIS)
    async with opened(config) as store, store.reading() as connection:
        last, _ = await log.find_head(connection)
        with show.step("checking the chain", total=last, aside=True) as step:
            async for each in log.verify(connection):
                if each.broken is not None:
                    raise BrokenError(f"record {each.number} is broken: {each.broken}")
                records, redacted, newest = records + 1, redacted + each.redacted, (each.number, each.digest)
                kept = kept or (each.number == number and each.digest == digest)
                step.advance()
    if not kept:
        raise BrokenError(
            f"record {number} of this digest is not in the log: its end was cut off, or all of it replaced"
        )
    show.say(f"{records:,} records, each sealed to the one before; of {redacted:,} the detail was taken out")
    show.say(f"head {newest[0]}:{newest[1]}")


def _parsed(head: str | None) -> tuple[int | None, str]:
    if head is None:
        return None, ""
    number, colon, digest = head.partition(":")
    if not number.isdecimal() or not colon or len(digest) != len(log.GENESIS):
        raise click.BadParameter("a head is NUMBER:DIGEST, as `cshub audit verify` prints it", param_hint="--head")
    return int(number), digest


def _told(entry: Entry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "at": entry.at,
        "actor": entry.actor,
        "token": entry.token_id,
        "action": entry.action,
        "subject": entry.subject,
        **entry.detail,
    }
