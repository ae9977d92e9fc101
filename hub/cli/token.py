"""`cshub token`: who may use the API, and as what."""

from datetime import timedelta
from pathlib import Path

import click

from hub.access import tokens
from hub.cli import show
from hub.cli.app import asynchronous, main, opened
from hub.clock import utc_now
from hub.model.actions import Role


@main.group()
def token() -> None:
    """Make, list and revoke the tokens of the API."""


@token.command("create")
@click.argument("name")
@click.option("--role", type=click.Choice([role.value for role in Role]), default="viewer", show_default=True)
@click.option("--csm", "csm_email", help="E-mail of the CSM the token acts for.")
@click.option("--days", type=click.IntRange(1), default=90, show_default=True, help="Valid for this long.")
@click.pass_obj
@asynchronous
async def token_create(config: Path | None, name: str, role: str, csm_email: str | None, days: int) -> None:
    """Make a token for NAME and print it, this once; only its digest is stored.

    viewer reads; csm also fires playbooks, works alerts and rescores; admin also syncs sources.
    """
    async with opened(config) as store:
        now = utc_now()
        made = await tokens.create(
            store, name=name, role=Role(role), csm_email=csm_email, now=now, expires_at=now + timedelta(days=days)
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
        ("id", "name", "role", "csm", "created", "state"),
        [
            (
                each.id,
                each.name,
                each.role.value,
                each.csm_email or "",
                f"{each.created_at:%Y-%m-%d}",
                "revoked" if each.revoked_at else "valid" if each.valid(now) else "expired",
            )
            for each in found
        ],
    )


@token.command("revoke")
@click.argument("token_id")
@click.pass_obj
@asynchronous
async def token_revoke(config: Path | None, token_id: str) -> None:
    """Make a token invalid at once."""
    async with opened(config) as store:
        revoked = await tokens.revoke(store, token_id, now=utc_now())
    show.say(f"{revoked.id} ({revoked.name}) is revoked")
