"""`cshub check` and `cshub db`: is everything as it must be, before anything runs."""

from pathlib import Path

import click

from hub.cli import show
from hub.cli.app import asynchronous, main
from hub.errors import ConfigError
from hub.settings import load
from hub.settings.reach import misnamed, unreachable
from hub.store import Store
from hub.store.migrate import current, newest, upgrade
from scoring.book import HealthBook


@main.command()
@click.pass_obj
def check(config: Path | None) -> None:
    """Read the whole configuration and list every fault, with file, line and the valid choices.

    Exits with 2 where there is one. Nothing is connected to, written or sent.
    """
    settings = load(config)
    for sentence in unreachable(settings):
        show.complain(f"note: {sentence}")
    if faults := misnamed(settings):
        raise ConfigError(faults)
    counts = (
        f"{len(settings.sources)} sources, {len(settings.playbooks.playbooks)} playbooks, {_in_words(settings.health)}"
    )
    show.say(f"{settings.folder}: {counts}; nothing is wrong")


def _in_words(book: HealthBook) -> str:
    """Which definitions of health there are: "health by main; for some by big (priority 10); beside it adoption"."""
    words = ["health by main"]
    if book.variants:
        some = [f"{variant.definition.name} (priority {variant.priority})" for variant in book.variants]
        words.append(f"for some by {', '.join(some)}")
    if book.extras:
        words.append(f"beside it {', '.join(extra.name for extra in book.extras)}")
    return "; ".join(words)


@main.group()
def db() -> None:
    """Make the store, and bring it up to this version."""


@db.command("upgrade")
@click.pass_obj
@asynchronous
async def db_upgrade(config: Path | None) -> None:
    """Apply the migrations that are missing. Safe to repeat."""
    async with Store.open(load(config).hub.store) as store:
        before, after = await upgrade(store)
        done = "is up to date" if before == after else f"was brought from {before or 'nothing'} to {after}"
        show.say(f"{store.description} {done}")


@db.command("status")
@click.pass_obj
@asynchronous
async def db_status(config: Path | None) -> None:
    """Show where the store is and which version it has. Exits with 1 where that is not this version's."""
    async with Store.open(load(config).hub.store) as store:
        have, want = await current(store), newest()
        state = "up to date" if have == want else f"at {have or 'nothing'}, this version wants {want}: cshub db upgrade"
        show.say(f"{store.description}: {state}")
        if have != want:
            raise click.exceptions.Exit(1)
