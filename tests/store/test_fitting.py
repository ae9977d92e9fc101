"""What a table cannot hold goes to quarantine by itself, the same on both databases."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from hub.model.records import Company, Record, Ticket, TicketStatus
from hub.store import Store
from hub.store.fitting import fit
from hub.store.records import upsert

NOW = datetime(2026, 11, 1, tzinfo=UTC)
COMPANY = Company(key="1", version=1, company_key="1", name="Acme", country="DE", employees=5)
TICKET = Ticket(key="1", version=1, company_key="1", subject="Help", status=TicketStatus.OPEN, created_at=NOW)


@pytest.mark.parametrize(
    ("record", "field"),
    [
        (replace(COMPANY, country="x" * 61), "country"),
        (replace(COMPANY, employees=3_000_000_000), "employees"),
        (replace(COMPANY, name="a\x00b"), "name"),
        (replace(COMPANY, key="k" * 241), "key"),
        (replace(TICKET, subject="a\x00b"), "subject"),
        (replace(TICKET, version=2**63), "version"),
    ],
)
def test_what_does_not_fit_is_named(record: Record, field: str) -> None:
    good, bad = fit([COMPANY, record])
    assert good == [COMPANY]
    assert [(each.key, each.field) for each in bad] == [(record.key, field)]


async def test_what_fits_is_taken_by_the_database(store: Store) -> None:
    widest = replace(
        COMPANY, country="x" * 60, employees=2**31 - 1, version=2**63 - 1, key="k" * 240, company_key="c" * 240
    )
    good, bad = fit([widest, TICKET])
    assert not bad
    async with store.transaction() as connection:
        assert (await upsert(connection, good, source="s" * 50, now=NOW)).new == 2
