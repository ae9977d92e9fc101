"""`cshub try`: read a few rows of a source, from its vendor or as they came before, and write nothing."""

from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

import click

from connectors.kit.base import Raw
from connectors.kit.pull import Sample, read, remapped, rows_in
from connectors.kit.registry import folder
from hub.cli import show
from hub.cli.app import asynchronous, main, opened
from hub.cli.receiving import show_received
from hub.clock import utc_now
from hub.errors import NotFoundError, RefusedError
from hub.settings import Settings, load
from hub.store import raw_rows
from hub.sync import Source

RAW_LOG, FIXTURES = "raw log", "fixtures"
BEHIND = "what stands behind --replay is a FILE or the word fixtures, and nothing for the raw log"


@main.command("try")
@click.argument("source", required=False)
@click.option("--stream", "streams", multiple=True, help="Only this one; may be repeated.")
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
async def try_(
    config: Path | None, source: str | None, streams: tuple[str, ...], limit: int, replay: str | None
) -> None:
    """Read a few rows of SOURCE and show the records they become. Nothing is written.

    Of a source that only receives: where rows are sent to, and what came lately. Exits with 1 where a stream cannot be read,
    and says why.
    """
    settings = load(config)
    found = _known(settings, source, replay)
    if replay is None and found.connector.manifest.receives_only:
        await show_received(settings, found, streams, now=utc_now())
        return
    names = [each.name for each in found.streams(streams or None)]
    samples = (
        read(found.connector, names, limit=limit, now=utc_now())
        if replay is None
        else _before(config, found, names, replay, limit=limit)
    )
    failed = False
    async for part in samples:
        failed |= part.error is not None
        _show(found.name, part)
    if failed:
        raise click.exceptions.Exit(1)


def _known(settings: Settings, name: str | None, replay: str | None) -> Source:
    """The source of that name; NotFoundError, UsageError where the name of one was taken for --replay's FILE."""
    if name is None:
        if replay in settings.sources:
            raise click.UsageError(f"{BEHIND}; did you mean: cshub try {replay} --replay")
        raise click.UsageError(f"which source? There are: {', '.join(sorted(settings.sources)) or 'none'}")
    if name not in settings.sources:
        there = ", ".join(sorted(settings.sources)) or "none"
        raise NotFoundError(f"no source {name!r} is enabled; there are: {there}")
    return settings.sources[name].source


def _show(source: str, part: Sample) -> None:
    show.out.rule(f"{source} {part.stream}")
    for record in part.records:
        show.out.print(record)
    for bad in part.quarantined:
        where = f", field {bad.field}" if bad.field else ""
        show.complain(f"would be quarantined: {bad.key}{where}: {bad.reason}")
    if not part.rows and not part.error:
        show.say("0 rows")
    if part.error:
        show.complain(f"{source} {part.stream}: {part.error}")


async def _before(
    config: Path | None, source: Source, names: Sequence[str], replay: str, *, limit: int
) -> AsyncIterator[Sample]:
    """Samples of rows that came before."""
    rows: Mapping[str, list[Raw]]
    if replay == RAW_LOG:
        async with opened(config) as store, store.reading() as connection:
            found = {
                name: await raw_rows.find(connection, source.name, name, since=None, after=None, most=limit)
                for name in names
            }
        rows = {name: [row.raw for row in some] for name, some in found.items()}
        if not any(rows.values()):
            raise RefusedError(_no_raw_rows(source))
    elif replay == FIXTURES:
        rows = _fixtures(source, names)
    else:
        rows = {_only(source, names, replay): rows_in(Path(replay))}
    for part in remapped(source.connector, rows, limit=limit):
        yield part


def _no_raw_rows(source: Source) -> str:
    if source.raw_days is None:
        return f"{source.name} has no rows as they came: set raw_log: {{days: 30}} for it in sources.yaml, and sync it"
    return f"{source.name} has no rows as they came yet: cshub sync {source.name} brings some"


def _fixtures(source: Source, names: Sequence[str]) -> dict[str, list[Raw]]:
    """Of the streams that the connector ships rows of; where streams are named by their settings, it may be none."""
    at = folder(source.connector_name) / "fixtures"
    there = [name for name in names if (at / f"{name}.json").exists()]
    if not there:
        shipped = ", ".join(sorted(path.stem for path in at.glob("*.json")))
        raise RefusedError(f"{source.connector_name} ships rows of {shipped}, and of none of: {', '.join(names)}")
    return {name: rows_in(at / f"{name}.json") for name in there}


def _only(source: Source, names: Sequence[str], replay: str) -> str:
    """The stream whose rows a file holds: the only one asked for, or the one it is named for."""
    file = Path(replay)
    if not file.is_file():
        known = [each.name for each in source.streams()]
        meant = f"; did you mean: cshub try {source.name} --replay --stream {replay}" if replay in known else ""
        raise NotFoundError(f"there is no file {replay!r}: {BEHIND}{meant}")
    if len(names) == 1 or file.stem in names:
        return file.stem if file.stem in names else names[0]
    raise RefusedError(f"whose rows {file.name} holds is not clear; --stream is one of: {', '.join(names)}")
