"""`cshub token`: who may use the API, and as what."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import click

from hub.access import tokens
from hub.cli import show
from hub.cli.app import asynchronous, main, opened
from hub.clock import utc_now
from hub.model.actions import Role, Scope
from hub.playbooks.durations import parse_duration
from hub.store.tokens import Token

_SHORT = re.compile(r"^(\d{1,5})([mhdw])$")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


@main.group()
def token() -> None:
    """Make, list, rotate and revoke the tokens of the API."""


@token.command("create")
@click.argument("name")
@click.option("--role", type=click.Choice([role.value for role in Role]), default="viewer", show_default=True)
@click.option("--csm", "csm_email", help="E-mail of the CSM the token acts for.")
@click.option("--days", type=click.IntRange(1), default=90, show_default=True, help="Valid for this long.")
@click.option(
    "--scope",
    "scopes",
    type=click.Choice([scope.value for scope in Scope]),
    multiple=True,
    help="Only this of what the role may; can be given more than once. Default: all of it.",
)
@click.pass_obj
@asynchronous
async def token_create(
    config: Path | None, name: str, role: str, csm_email: str | None, days: int, scopes: Sequence[str]
) -> None:
    """Make a token for NAME and print it, this once; only its digest is stored.

    viewer reads, but no personal data; csm reads that too, fires playbooks, works alerts and rescores, for its own
    customers only where hub.yaml says `access: {csm: book}`; manager for all of them; admin may do everything.

    Scopes: read; personal, of fields that show personal data; act, of mutations; export.
    """
    async with opened(config) as store:
        now = utc_now()
        made = await tokens.create(
            store,
            name=name,
            role=Role(role),
            csm_email=csm_email,
            now=now,
            expires_at=now + timedelta(days=days),
            scopes=[Scope(scope) for scope in scopes] or None,
        )
    click.echo(made.secret)


@token.command("list")
@click.pass_obj
@asynchronous
async def token_list(config: Path | None) -> None:
    """Show every token, without its secret."""
    async with opened(config) as store:
        found = await tokens.list_tokens(store)
    now = utc_now()
    show.table(
        None,
        ("id", "name", "role", "scopes", "csm", "created", "last used", "state"),
        [
            (
                each.id,
                each.name,
                each.role.value,
                "all" if each.scopes is None else " ".join(each.scopes),
                each.csm_email or "",
                f"{each.created_at:%Y-%m-%d}",
                "never" if each.last_used_at is None else f"{each.last_used_at:%Y-%m-%d %H:%M}",
                _state(each, now),
            )
            for each in found
        ],
    )


@token.command("rotate")
@click.argument("token_id")
@click.option(
    "--overlap", default="7d", show_default=True, help="How long the secret before opens too, such as 12h; 0d: not."
)
@click.pass_obj
@asynchronous
async def token_rotate(config: Path | None, token_id: str, overlap: str) -> None:
    """Give a token another secret and print it, this once; the one before opens for a while too."""
    try:
        for_so_long = parse_duration(_SHORT.sub(lambda match: f"{match[1]} {_UNITS[match[2]]}", overlap))
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--overlap") from None
    async with opened(config) as store:
        made = await tokens.rotate(store, token_id, overlap=for_so_long, now=utc_now())
    click.echo(made.secret)
    assert made.token.previous_until is not None, "it was just rotated"
    click.echo(f"the secret before opens until {made.token.previous_until:%Y-%m-%d %H:%M} UTC", err=True)


@token.command("revoke")
@click.argument("token_id")
@click.pass_obj
@asynchronous
async def token_revoke(config: Path | None, token_id: str) -> None:
    """Make a token invalid, all its secrets; running servers refuse it within a second."""
    async with opened(config) as store:
        revoked = await tokens.revoke(store, token_id, now=utc_now())
    show.say(f"{revoked.id} ({revoked.name}) is revoked")


def _state(token: Token, now: datetime) -> str:
    if token.revoked_at:
        return "revoked"
    if not token.valid(now):
        return "expired"
    overlaps = token.previous_until is not None and now < token.previous_until
    return f"valid, with the secret before until {token.previous_until:%Y-%m-%d %H:%M}" if overlaps else "valid"
