"""What the terminal shows: progress of long work, tables, faults. Everything that prints is here."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from rich.console import Console, RenderableType
from rich.markdown import Markdown
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table
from rich.text import Text

from hub.errors import ConfigError
from hub.model.actions import Band

if TYPE_CHECKING:  # every command shows something; few need a whole hub
    from hub.compose import Scored
    from hub.sync import StreamReport, SyncReport

out = Console(highlight=False)
err = Console(stderr=True, highlight=False, soft_wrap=True)

WIDE = 400
"""Characters of a line where the output is no terminal: rows stay rows for whatever reads them."""

CHURN_BANDS = ("high", "medium", "low", "minimal", "noticed")
MOST_CHANGES = 10
DONE, NOT_DONE = "[green]✓[/]", "[red]✗[/]"
MARKS = {
    "done": "[green]done[/]",
    "succeeded": "[green]succeeded[/]",
    "incomplete": "[yellow]incomplete[/]",
    "paused": "[yellow]paused[/]",
    "denied": "[red]denied[/]",
    "failed": "[red]failed[/]",
    "interrupted": "[yellow]interrupted[/]",
}


def say(sentence: str) -> None:
    """A line to standard output as it is: not wrapped, no markup."""
    out.print(sentence, markup=False, soft_wrap=True)


def document(text: str) -> None:
    """Markdown, for a terminal."""
    out.print(Markdown(text))


def complain(sentence: str) -> None:
    """A line to standard error as it is."""
    err.print(sentence, markup=False)


def faults(error: ConfigError) -> None:
    """Every fault on a line of its own, as file:line: key: what is wrong (choices: …)."""
    for fault in error.faults:
        complain(str(fault))
    many = len(error.faults)
    complain(f"{many} fault{'s' if many != 1 else ''} in the configuration; nothing was done.")


def table(title: str | None, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Numbers to the right, everything else to the left; nothing is cut off."""
    made = Table(title=title, title_justify="left", header_style="bold", box=None, pad_edge=False)
    for index, column in enumerate(columns):
        numeric = bool(rows) and all(isinstance(row[index], int | float) for row in rows)
        made.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        made.add_row(*(f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row))
    console = out if out.is_terminal else Console(file=out.file, width=WIDE, highlight=False)
    console.print(made)


class _Mark(SpinnerColumn):
    """A spinner, until the task says how it ended."""

    def render(self, task: Task) -> RenderableType:
        mark = task.fields.get("mark")
        return Text.from_markup(mark) if mark else super().render(task)


@dataclass
class SyncProgress:
    """A line per stream of every source: rows so far, of how many where the vendor tells."""

    bars: Progress
    tasks: dict[tuple[str, str], TaskID] = field(default_factory=dict)

    def update(self, source: str, stream: str, report: "StreamReport") -> None:
        key = source, stream
        if key not in self.tasks:
            self.tasks[key] = self.bars.add_task(f"{source} {stream}", total=None, rows="")
        ended = report.state not in ("running", "skipped")
        of = "" if ended or report.total is None else f" of {report.total:,}"
        self.bars.update(
            self.tasks[key],
            completed=max(report.pulled, 1) if ended else report.pulled,
            total=max(report.pulled, 1) if ended else report.total,
            rows=f"{report.pulled:,}{of} rows",
            mark=(DONE if report.state == "done" else NOT_DONE) if ended else None,
        )


@contextmanager
def sync_progress() -> Iterator[SyncProgress]:
    with _progress(TextColumn("{task.fields[rows]}")) as bars:
        yield SyncProgress(bars)


@contextmanager
def step(title: str, *, total: int | None = None, aside: bool = False) -> Iterator["Step"]:
    """A spinner, and a bar where the length of the work is known. aside: on standard error, for the output is data."""
    with _progress(*([MofNCompleteColumn()] if total else []), console=err if aside else out) as bars:
        task = bars.add_task(title, total=total)
        try:
            yield Step(bars, task)
        except BaseException:  # Ctrl-C, too: a bar must not look done
            bars.update(task, mark=NOT_DONE)
            raise
        known = bars.tasks[0].total
        bars.update(task, total=known or 1, completed=known or 1, mark=DONE)


@dataclass(frozen=True)
class Step:
    bars: Progress
    task: TaskID

    def advance(self, by: int = 1) -> None:
        self.bars.update(self.task, advance=by)

    def reach(self, done: int) -> None:
        self.bars.update(self.task, completed=done)

    def to(self, _day: date, done: int, total: int) -> None:
        """As the use cases tell it: after each day."""
        self.bars.update(self.task, completed=done, total=total)


def _progress(*columns: ProgressColumn, console: Console = out) -> Progress:
    return Progress(
        _Mark(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        *columns,
        TimeElapsedColumn(),
        console=console,
        transient=False,
    )


def sync_reports(reports: Sequence["SyncReport"], *, ambiguous: int, unmatched: int) -> None:
    """What syncs did, a row a stream, what is incomplete and why; then the companies of the book that are nobody's yet.

    Rows of erased people, and those the vendor has no more, have a column where there are any.
    """
    streams = [stream for report in reports for stream in report.streams.values()]
    erased, gone = any(stream.erased for stream in streams), any(stream.gone for stream in streams)
    rows: list[tuple[object, ...]] = [
        (
            report.source,
            name,
            stream.pulled,
            stream.new,
            stream.changed,
            stream.unchanged,
            stream.quarantined,
            *([stream.erased] if erased else []),
            *([stream.gone] if gone else []),
            MARKS.get(stream.state, stream.state),
        )
        for report in reports
        for name, stream in report.streams.items()
    ]
    seldom = (*(("erased",) if erased else ()), *(("gone",) if gone else ()))
    counted = ("pulled", "new", "changed", "unchanged", "quarantined", *seldom)
    table(None, ("source", "stream", *counted, "state"), rows)
    for report in reports:
        did = ((report.resolution.created, "customers created"), (report.resolution.matched, "companies matched"))
        if told := ", ".join(f"{many:,} {what}" for many, what in did if many):
            say(f"{report.source}: {told}")
        if report.error:
            complain(f"{report.source}: {report.error}")
        if report.paused_until is not None:
            until = f"{report.paused_until:%Y-%m-%d %H:%M} UTC"
            say(
                f"{report.source}: paused until {until}, when its quota is new; a worker goes on with it by itself then"
            )
    if ambiguous:
        who = "companies wait" if ambiguous > 1 else "company waits"
        say(f"{ambiguous:,} {who} for a person to say whose it is: cshub identity list")
    if unmatched:
        who = "companies match" if unmatched > 1 else "company matches"
        say(f"{unmatched:,} {who} no customer so far: cshub identity list --state unmatched")


def scored(done: "Scored") -> None:
    """What scoring a day did."""
    scores = done.scores
    if not len(scores.customer_ids):
        say("There are no customers yet, so nothing was scored. `cshub sync` brings them.")
        return
    bands = ", ".join(f"{scores.bands[band]} {band}" for band in Band if scores.bands.get(band)) or "none"
    withheld = f"; {scores.withheld} withheld for want of data" if scores.withheld else ""
    say(f"{len(scores.customer_ids)} customers scored as of {scores.as_of}: {bands}{withheld}")
    risk = ", ".join(f"{scores.churn_bands[band]} {band}" for band in CHURN_BANDS if scores.churn_bands.get(band))
    say(f"churn risk by {scores.model_version}: {risk or 'none'}")
    if scores.overridden:
        say(f"{scores.overridden} overridden by their CSMs")
    if scores.rollups:
        say(f"{scores.rollups} parents rolled up")
    if scores.circular:
        who = ", ".join(scores.circular[:MOST_CHANGES])
        complain(f"nothing is rolled up through {who}: each is its own ancestor, as the source of its parents has it")
    for change in scores.changes[:MOST_CHANGES]:
        say(f"  {change.customer_id}: {change.before or 'no score'} -> {change.after or 'no score'}")
    if len(scores.changes) > MOST_CHANGES:
        say(f"  … and {len(scores.changes) - MOST_CHANGES} more band changes")
    for name, count in done.fired.fired.items():
        say(f"playbook {name} fired for {count}")
