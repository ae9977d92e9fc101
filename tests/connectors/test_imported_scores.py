"""Scores of another platform that come as a table: a file it exported, or a query."""

from datetime import UTC, datetime

import pytest

from connectors.kit.base import Stream, map_rows
from connectors.kit.cells import Plan, record
from hub.model.records import ImportedScore

PLAN = Plan(
    kind="imported_score",
    columns={"raw_value": "score", "label": "colour", "scored_at": "day", "value": "share"},
    constants={"name": "Health", "scale": "0-100"},
    key=("account", "day"),
    company_key="account",
    updated_at="day",
)


@pytest.mark.parametrize(("share", "value"), [("0.76", 0.76), ("", None), ("1", 1.0)])
def test_a_row_of_a_table_is_a_score(share: str, value: float | None) -> None:
    row = {"account": "a4949", "day": "2026-10-31", "score": "76", "colour": "green", "share": share}
    assert record(row, PLAN) == ImportedScore(
        key="a4949:2026-10-31", version=1793404800000, company_key="a4949", name="Health", value=value, raw_value=76.0,
        scale="0-100", label="green", scored_at=datetime(2026, 10, 31, tzinfo=UTC),
    )  # fmt: skip


def test_a_value_that_is_none_of_ours_goes_to_quarantine() -> None:
    stream = Stream(name="rows", makes=(ImportedScore,), pull=None, records=lambda raw: [record(raw, PLAN)])  # type: ignore[arg-type]  # nothing is pulled
    row = {"id": "x", "account": "a4949", "day": "2026-10-31", "score": "76", "colour": "green", "share": "76"}
    records, (bad,) = map_rows(stream, [row])
    assert (records, bad.key) == ([], "x")
    assert "value is 0 to 1, not 76; what the platform gives is raw_value" in bad.reason
