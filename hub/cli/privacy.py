"""`cshub export-person` and `cshub erase`: what people may ask of their data."""

import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import click
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from hub.access.privacy.asking import About, hidden, in_words
from hub.access.privacy.erasing import Plan, erase, go_on, list_erasures, plan_erasure
from hub.access.privacy.exporting import Exported, export
from hub.cli import show
from hub.cli.app import asynchronous, main, opened
from hub.clock import utc_now
from hub.compose.auditing import audited
from hub.errors import RefusedError
from hub.store.privacy.erasures import Erasure

_by = click.option("--by", default="command line", show_default=True, help="Who asks, for the record.")
_customer = click.option("--customer", help="A whole customer, by its id, domain or name, instead of a person.")


@main.command("export-person")
@click.argument("who", nargs=-1)
@_customer
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), help="File to write; default: standard output."
)
@_by
@click.pass_obj
@asynchronous
async def export_person(
    config: Path | None, who: Sequence[str], customer: str | None, output: Path | None, by: str
) -> None:
    """Write everything about WHO, from every table, as one JSON document.

    WHO is an e-mail address, or SOURCE:KEY of a contact or of a user of the product; name all that are one person. The
    audit log notes that it was exported, and not who.
    """
    about = _about(who, customer)
    told: list[Exported] = []

    async with opened(config) as store:

        async def write() -> None:
            with bar("exporting", quiet=output is None) as progress, _file(output) as file:
                async for piece in export(store, about, now=utc_now(), progress=progress, told=told):
                    file.write(piece)

        await audited(
            store,
            "personExport" if customer is None else "customerExport",
            by=by,
            subject=await hidden(store, about, now=utc_now()),
            request={},
            now=utc_now(),
            run=write,
        )
    if output is not None:
        for each in told:
            show.say(f"{each.rows:>8,} {each.about} ({each.table})")
        show.say(f"wrote {output}")


@main.command("erase")
@click.argument("who", nargs=-1)
@_customer
@click.option("--dry-run", is_flag=True, help="Count what would go; change nothing.")
@click.option("--yes", is_flag=True, help="Don't ask.")
@click.option("--resume", is_flag=True, help="End erasures that were begun and killed.")
@click.option("--list", "listed", is_flag=True, help="Show the reports of erasures; they name nobody.")
@_by
@click.pass_obj
@asynchronous
async def erase_command(
    config: Path | None,
    who: Sequence[str],
    customer: str | None,
    dry_run: bool,
    yes: bool,
    resume: bool,
    listed: bool,
    by: str,
) -> None:
    """Erase WHO from every table, for good, and keep syncs from bringing them back.

    WHO is an e-mail address, or SOURCE:KEY of a contact or of a user of the product; name all that are one person. Counts
    of tickets, users and answers stay what they were. What would go is shown before anything is asked.
    """
    async with opened(config) as store:
        if listed:
            for report in await list_erasures(store):
                _report(report)
            return
        if resume:
            with bar("erasing") as progress:
                ended = await go_on(store, now=utc_now(), progress=progress)
            for report in ended:
                _report(report)
            show.say(f"{len(ended)} erasures were ended")
            return
        about = _about(who, customer)
        _plan(await plan_erasure(store, about))
        if dry_run:
            show.say("nothing was changed")
            return
        if not yes and not click.confirm("Erase all of this, for good?", default=False, err=True):
            raise RefusedError("nothing was erased")
        done: list[Erasure] = []

        async def carry_out() -> None:
            with bar("erasing") as progress:
                done.append(await erase(store, about, by=by, now=utc_now(), progress=progress))

        await audited(
            store,
            "personErase" if customer is None else "customerErase",
            by=by,
            subject=await hidden(store, about, now=utc_now()),
            request={},
            now=utc_now(),
            run=carry_out,
        )
    _report(done[0])


def _about(who: Sequence[str], customer: str | None) -> About:
    if bool(who) == (customer is not None):
        raise RefusedError("whom? name a person (an e-mail address, or SOURCE:KEY), or a customer with --customer")
    return About(person=tuple(who), customer=customer)


def _plan(plan: Plan) -> None:
    for line in in_words(plan.subject):
        show.say(line)
    rows = [(name, count, "") for name, count in plan.own.items()]
    rows += [(name, count, "mentions") for name, count in plan.mentions.items()]
    show.table(None, ("table", "rows", ""), rows)
    for line in plan.left:
        show.say(f"not erased: {line}")


def _report(report: Erasure) -> None:
    state = f"{report.finished_at:%Y-%m-%d %H:%M} UTC" if report.finished_at else "not ended: cshub erase --resume"
    show.say(f"{report.id}: a {report.kind}, asked by {report.asked_by}, {state}; {report.rows:,} rows")
    for name, count in report.counts.items():
        show.say(f"{count:>8,} {name}")
    for line in report.left:
        show.say(f"not erased: {line}")


@contextmanager
def bar(word: str, *, quiet: bool = False) -> Iterator[Callable[[int, int, str, int], None]]:
    """A bar on standard error."""
    with Progress(
        TextColumn(word), BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn(),
        console=show.err, disable=quiet, transient=True,
    ) as made:  # fmt: skip
        task = made.add_task("", total=None)

        def moved(done: int, of: int, table: str, rows: int) -> None:
            made.update(task, completed=done, total=of, description=f"{table} {rows:,} rows")

        yield moved


@contextmanager
def _file(output: Path | None) -> Iterator[IO[bytes]]:
    """Standard output, or a file that is there whole or not at all, for its owner's eyes only."""
    if output is None:
        yield sys.stdout.buffer
        return
    with tempfile.NamedTemporaryFile(dir=output.parent, prefix=output.name, delete=False) as file:
        part = Path(file.name)
        try:
            yield file
        except BaseException:  # Ctrl-C, too: half an export must not stay
            part.unlink(missing_ok=True)
            raise
    part.replace(output)
