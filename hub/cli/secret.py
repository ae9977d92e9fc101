"""`cshub secret`: secrets at rest, for `${secret:NAME}` in a configuration. None is ever shown."""

import sys
from pathlib import Path

import click

from hub.access import vault
from hub.access.vault import Vault, check_name
from hub.cli import show
from hub.cli.app import asynchronous, main
from hub.clock import utc_now
from hub.compose.auditing import audited
from hub.settings import load_secret_keys, load_store
from hub.store import Store
from hub.store.migrate import require_newest

_by = click.option("--by", default="command line", show_default=True, help="Who does, for the record.")


@main.group()
def secret() -> None:
    """Keep secrets encrypted in the store, for ${secret:NAME} in any file of the configuration.

    The key is `secrets_key` of hub.yaml, or $CSHUB_SECRETS_KEY; it is never in the store. No command shows a secret.
    """


@secret.command("key")
def secret_key() -> None:
    """Print a new key for `secrets_key`. Nothing is stored."""
    click.echo(vault.new_key())


@secret.command("set")
@click.argument("name")
@_by
@click.pass_obj
@asynchronous
async def secret_set(config: Path | None, name: str, by: str) -> None:
    """Store a secret under NAME, in the place of the one of this name. It is read from standard input."""
    check_name(name)
    keys = Vault.of(load_secret_keys(config))
    value = click.prompt("Secret", hide_input=True, err=True) if sys.stdin.isatty() else sys.stdin.read()
    value = value.rstrip("\r\n")
    made: list[bool] = []
    async with Store.open(load_store(config)) as store:
        await require_newest(store)

        async def run() -> None:
            made.append(await keys.set(store, name, value, by=by, now=utc_now()))

        await audited(store, "secretSet", by=by, subject=name, request={}, now=utc_now(), run=run)
    show.say(
        f"{name} is {'stored' if made[0] else 'changed'}; write ${{secret:{name}}} where it is wanted, and restart"
    )


@secret.command("list")
@click.pass_obj
@asynchronous
async def secret_list(config: Path | None) -> None:
    """Show the names of secrets, who set them when, and which key each needs."""
    here = Vault.of(keys).key_ids if (keys := load_secret_keys(config)) else ()
    async with Store.open(load_store(config)) as store:
        await require_newest(store)
        found = await vault.list_secrets(store)
    show.table(
        None,
        ("name", "key", "set", "by", ""),
        [
            (
                each.name,
                each.key_id,
                f"{each.set_at:%Y-%m-%d %H:%M}",
                each.set_by,
                ""
                if each.key_id in here[:1]
                else "old key: cshub secret rotate"
                if each.key_id in here
                else "no key for it",
            )
            for each in found
        ],
    )


@secret.command("rotate")
@_by
@click.pass_obj
@asynchronous
async def secret_rotate(config: Path | None, by: str) -> None:
    """Encrypt every secret with the newest key, all or none.

    Before: put the new key into `secrets_key` and the one before into `old_secrets_key`. After: take the old one away.
    """
    keys = Vault.of(load_secret_keys(config))
    done: list[int] = []
    async with Store.open(load_store(config)) as store:
        await require_newest(store)

        async def run() -> None:
            done.append(await keys.rotate(store))

        await audited(store, "secretRotate", by=by, subject="secrets", request={}, now=utc_now(), run=run)
    show.say(f"{done[0]} secrets are encrypted with the key {keys.key_ids[0]}; old_secrets_key can go")


@secret.command("delete")
@click.argument("name")
@_by
@click.pass_obj
@asynchronous
async def secret_delete(config: Path | None, name: str, by: str) -> None:
    """Delete the secret NAME. A configuration that refers to it no longer loads."""
    async with Store.open(load_store(config)) as store:
        await require_newest(store)

        async def run() -> None:
            await vault.delete_secret(store, name)

        await audited(store, "secretDelete", by=by, subject=name, request={}, now=utc_now(), run=run)
    show.say(f"{name} is deleted")
