"""`cshub new connector NAME`: the folder of a new connector, whole, for its author to change piece by piece."""

from pathlib import Path

import click

from connectors.kit import registry
from connectors.kit.scaffold import PAGINGS, RECORDS, files
from hub.cli import show
from hub.cli.app import main
from hub.errors import RefusedError
from hub.resources import ROOT

HELP = """Write the folder of connector NAME: a source that works, against an invented vendor.

It passes the suites as it is. Change it piece by piece into the real one, and run them after each step.

\b
The styles of paging, from the best a vendor may have to the worst:
{styles}

\b
Then, in connectors/NAME/:
  1. wire.py, sandbox.py     the vendor's own JSON, paging, limits and odd habits
  2. fixtures/               two or three real rows, names replaced, and one that is refused
  3. mapping.py              what the vendor calls what, as records
  4. pull.py, connector.py   how it is asked; manifest.yaml and README.md tell the same
  pytest tests/connectors/test_conformance.py tests/connectors/test_hostile.py -k NAME
""".format(styles="\n".join(f"  {name:8} {what}" for name, what in PAGINGS.items()))


@main.group()
def new() -> None:
    """Write the beginning of something new: of a connector."""


@new.command(help=HELP)
@click.argument("name")
@click.option(
    "--record", type=click.Choice(list(RECORDS)), help="The kind of record its rows become; else it is asked."
)
@click.option("--paging", type=click.Choice(list(PAGINGS)), help="How the vendor's listing is paged; else it is asked.")
@click.option(
    "--into",
    type=click.Path(path_type=Path, file_okay=False),
    default=ROOT / "connectors",
    help="The folder to make it in. Default: connectors/, where cshub is.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be written, and write nothing.")
def connector(name: str, record: str | None, paging: str | None, into: Path, dry_run: bool) -> None:
    if name in registry.names() or (into / name).exists():
        raise RefusedError(f"there is a connector {name} already; nothing was written")
    files(name, record="ticket", paging="token")  # a name that cannot be one is told before anything is asked
    if record is None:
        record = click.prompt("What its rows are", type=click.Choice(list(RECORDS)))
    if paging is None:
        for style, what in PAGINGS.items():
            show.say(f"{style:8} {what}")
        paging = click.prompt("How its listing is paged", type=click.Choice(list(PAGINGS)))
    made = files(name, record=record, paging=paging)
    for path, content in made.items():
        target = into / name / path
        if not dry_run:
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(content)
            except OSError as error:
                raise RefusedError(f"{target} cannot be written: {error.strerror}") from None
        show.say(f"{'would write' if dry_run else 'wrote'} {target} ({len(content.splitlines())} lines)")
    if not dry_run:
        show.say(f"now: pytest tests/connectors/test_conformance.py tests/connectors/test_hostile.py -k {name}")
