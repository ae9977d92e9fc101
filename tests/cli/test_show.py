"""What the terminal shows of a sync: rows of erased people have a column where there are any."""

from datetime import UTC, datetime

import pytest

from hub.cli import show
from hub.model.actions import SyncState
from hub.sync import StreamReport, SyncReport

AT = datetime(2026, 11, 1, tzinfo=UTC)


def report(**streams: StreamReport) -> SyncReport:
    return SyncReport(
        run_id="r1", source="crm", state=SyncState.SUCCEEDED, started_at=AT, finished_at=AT, streams=streams
    )


def told(capsys: pytest.CaptureFixture[str], *reports: SyncReport) -> list[list[str]]:
    show.sync_reports(reports, ambiguous=0, unmatched=0)
    return [line.split() for line in capsys.readouterr().out.splitlines() if line.strip()]


def test_erased_rows_are_counted_where_there_are_any(capsys: pytest.CaptureFixture[str]) -> None:
    contacts = StreamReport(pulled=5, new=3, erased=2, state="done")
    head, *rows = told(capsys, report(companies=StreamReport(pulled=1, new=1, state="done"), contacts=contacts))
    assert head == ["source", "stream", "pulled", "new", "changed", "unchanged", "quarantined", "erased", "state"]
    found = [row for row in rows if row[0] == "crm"]
    assert [row[:8] for row in found] == [
        ["crm", "companies", "1", "1", "0", "0", "0", "0"],
        ["crm", "contacts", "5", "3", "0", "0", "0", "2"],
    ]


def test_without_any_there_is_no_column(capsys: pytest.CaptureFixture[str]) -> None:
    head, *_ = told(capsys, report(companies=StreamReport(pulled=1, new=1, state="done")))
    assert head == ["source", "stream", "pulled", "new", "changed", "unchanged", "quarantined", "state"]
