"""`cshub try`: read a few rows of a source, from its vendor or as they came before, and write nothing."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import click

from connectors.kit.base import Raw
from connectors.kit.pull import Sample, read, remapped, rows_in
from connectors.kit.registry import folder
from hub.cli import show
from hub.cli.app import asynchronous, main, opened
from hub.clock import utc_now
from hub.errors import NotFoundError, RefusedError
from hub.settings import load
from hub.store import raw_rows
from hub.sync import Source

RAW_LOG, FIXTURES = "raw log", "fixtures"


@main.command("try")
@click.argument("source")
@click.option("--stream", help="Only this stream.")
@click.option("--limit", type=click.IntRange(1, 1000), default=5, show_default=True, help="Rows per stream.")
@click.option(
    "--replay",
    is_flag=False,
    flag_value=RAW_LOG,
    metavar="[FILE]",
    help="Do not ask the vendor: map rows as they came, of the raw log; of a FILE (JSON or JSON Lines, of one --stream); "
    "with the word fixtures, of those the connector ships with.",
)
@click.pass_obj
@asynchronous
async def try_(config: Path | None, source: str, stream: str | None, limit: int, replay: str | None) -> None:
    """Read a few rows of SOURCE and show the records they become. Nothing is written.

    Exits with 1 where a stream cannot be read, and says why.
    """
    settings = load(config)
    if source not in settings.sources:
        there = ", ".join(sorted(settings.sources)) or "none"
        raise NotFoundError(f"no source {source!r} is enabled; there are: {there}")
    found = settings.sources[source].source
    failed = False
    if replay is None:
        samples = read(found.connector, stream, limit=limit, now=utc_now())
    else:
        samples = _before(config, found, stream, replay, limit=limit)
    async for part in samples:
        show.out.rule(f"{source} {part.stream}")
        for record in part.records:
            show.out.print(record)
        for bad in part.quarantined:
            where = f", field {bad.field}" if bad.field else ""
            show.complain(f"would be quarantined: {bad.key}{where}: {bad.reason}")
        if not part.rows and not part.error:
            show.say("0 rows")
        if part.error:
            failed = True
            show.complain(f"{source} {part.stream}: {part.error}")
    if failed:
        raise click.exceptions.Exit(1)


async def _before(
    config: Path | None, source: Source, stream: str | None, replay: str, *, limit: int
) -> AsyncIterator[Sample]:
    """Samples of rows that came before."""
    names = [each.name for each in source.streams(None if stream is None else [stream])]
    rows: Mapping[str, list[Raw]]
    if replay == RAW_LOG:
        async with opened(config) as store, store.reading() as connection:
            found = {
                name: await raw_rows.find(connection, source.name, name, since=None, after=None, most=limit)
                for name in names
            }
        rows = {name: [row.raw for row in some] for name, some in found.items()}
        if not any(rows.values()):
            raise RefusedError(
                f"{source.name} has no rows as they came: set raw_log: {{days: 30}} for it in sources.yaml"
            )
    elif replay == FIXTURES:
        at = folder(source.connector_name) / "fixtures"
        rows = {name: rows_in(at / f"{name}.json") for name in names}
    else:
        rows = {_only(names, Path(replay)): rows_in(Path(replay))}
    for part in remapped(source.connector, rows, limit=limit):
        yield part


def _only(names: list[str], file: Path) -> str:
    """The stream whose rows a file holds: the only one asked for, or the one it is named for."""
    if len(names) == 1 or file.stem in names:
        return file.stem if file.stem in names else names[0]
    raise RefusedError(f"whose rows {file.name} holds is not clear; --stream is one of: {', '.join(names)}")
