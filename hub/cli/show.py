"""What the terminal shows: progress of long work, tables, faults. Everything that prints is here."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from hub.compose import Scored
from hub.errors import ConfigError
from hub.model.actions import Band
from hub.sync import StreamReport, SyncReport

out = Console(highlight=False)
err = Console(stderr=True, highlight=False, soft_wrap=True)

CHURN_BANDS = ("high", "medium", "low", "minimal")
MOST_CHANGES = 10
MARKS = {
    "done": "[green]done[/]",
    "succeeded": "[green]succeeded[/]",
    "incomplete": "[yellow]incomplete[/]",
    "paused": "[yellow]paused[/]",
    "denied": "[red]denied[/]",
    "failed": "[red]failed[/]",
    "interrupted": "[yellow]interrupted[/]",
}


def faults(error: ConfigError) -> None:
    """Every fault on a line of its own, as file:line: key: what is wrong (choices: …)."""
    for fault in error.faults:
        err.print(str(fault), markup=False)
    many = len(error.faults)
    err.print(f"{many} fault{'s' if many != 1 else ''} in the configuration; nothing was done.", markup=False)


def table(title: str | None, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Numbers to the right, everything else to the left."""
    made = Table(title=title, title_justify="left", header_style="bold", box=None, pad_edge=False)
    for index, column in enumerate(columns):
        numeric = bool(rows) and all(isinstance(row[index], int | float) for row in rows)
        made.add_column(column, justify="right" if numeric else "left")
    for row in rows:
        made.add_row(*(f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row))
    out.print(made)


@dataclass
class SyncProgress:
    """A line per stream of every source: rows so far, of how many where the vendor tells."""

    bars: Progress
    tasks: dict[tuple[str, str], TaskID] = field(default_factory=dict)

    def update(self, source: str, stream: str, report: StreamReport) -> None:
        key = source, stream
        if key not in self.tasks:
            self.tasks[key] = self.bars.add_task(f"{source} {stream}", total=None)
        total = report.total
        if report.state not in ("running", "skipped"):
            total = max(report.pulled, 1)
        completed = max(report.pulled, 1) if report.state == "done" else report.pulled
        self.bars.update(self.tasks[key], completed=completed, total=total)


@contextmanager
def sync_progress() -> Iterator[SyncProgress]:
    with _progress(MofNCompleteColumn()) as bars:
        yield SyncProgress(bars)


@contextmanager
def step(title: str, *, total: int | None = None) -> Iterator["Step"]:
    """A spinner, and a bar where the length of the work is known."""
    with _progress(*([MofNCompleteColumn()] if total else [])) as bars:
        yield Step(bars, bars.add_task(title, total=total))


@dataclass(frozen=True)
class Step:
    bars: Progress
    task: TaskID

    def advance(self, by: int = 1) -> None:
        self.bars.update(self.task, advance=by)

    def to(self, _day: date, done: int, total: int) -> None:
        """As the use cases tell it: after each day."""
        self.bars.update(self.task, completed=done, total=total)


def _progress(*columns: MofNCompleteColumn) -> Progress:
    return Progress(
        SpinnerColumn(finished_text="[green]✓[/]"),
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        *columns,
        TimeElapsedColumn(),
        console=out,
        transient=False,
    )


def sync_reports(reports: Sequence[SyncReport]) -> None:
    """What syncs did, a row a stream, and what is incomplete and why."""
    rows: list[tuple[object, ...]] = [
        (
            report.source,
            name,
            stream.pulled,
            stream.new,
            stream.changed,
            stream.unchanged,
            stream.quarantined,
            MARKS.get(stream.state, stream.state),
        )
        for report in reports
        for name, stream in report.streams.items()
    ]
    table(None, ("source", "stream", "pulled", "new", "changed", "unchanged", "quarantined", "state"), rows)
    for report in reports:
        found = report.resolution
        if found.created or found.matched or found.ambiguous or found.unmatched:
            out.print(
                f"{report.source}: {found.created} customers created, {found.matched} companies matched, "
                f"{found.ambiguous} ambiguous (held for a person), {found.unmatched} unmatched"
            )
        if report.error:
            err.print(f"{report.source}: {report.error}", markup=False)


def scored(done: Scored) -> None:
    """What scoring a day did."""
    scores = done.scores
    bands = ", ".join(f"{scores.bands[band]} {band}" for band in Band if scores.bands.get(band)) or "none"
    withheld = f"; {scores.withheld} withheld for want of data" if scores.withheld else ""
    out.print(f"{len(scores.customer_ids)} customers scored as of {scores.as_of}: {bands}{withheld}", markup=False)
    risk = ", ".join(f"{scores.churn_bands[band]} {band}" for band in CHURN_BANDS if scores.churn_bands.get(band))
    out.print(f"churn risk by {scores.model_version}: {risk or 'none'}", markup=False)
    for change in scores.changes[:MOST_CHANGES]:
        out.print(
            f"  {change.customer_id}: {change.before or 'no score'} -> {change.after or 'no score'}", markup=False
        )
    if len(scores.changes) > MOST_CHANGES:
        out.print(f"  … and {len(scores.changes) - MOST_CHANGES} more band changes", markup=False)
    for name, count in done.fired.fired.items():
        out.print(f"playbook {name} fired for {count}", markup=False)
