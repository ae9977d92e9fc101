"""Facts of payments, of silence in surveys, of the CSM's judgement, and of how old the data is; on both databases."""

from datetime import date
from typing import Any

import pytest
from sqlalchemy import insert

from hub.model.actions import SyncState
from hub.model.records import Company, Invoice, InvoiceStatus, SurveyType
from hub.store import Store
from hub.store.evidence import find_evidence
from hub.store.tables import sentiment
from tests.store.test_facts import Writer, day, facts, moment

FAILURES = ("payment_failures_90d", "days_past_due")
SILENCE = ("survey_answers_90d", "survey_silence_days")


@pytest.fixture
def writer(store: Store) -> Writer:
    return Writer(store)


def version(days_ago: int) -> int:
    return int(moment(days_ago).timestamp() * 1000)


def invoice(id_: str, key: str, issued: int, due: int | None = None, changed: int = 0, **changes: Any) -> Invoice:
    return Invoice(
        key=key,
        version=version(changed),
        company_key=id_,
        amount=10.0,
        issued_on=day(issued),
        due_on=None if due is None else day(due),
        **changes,
    )


async def of(store: Store, names: tuple[str, ...], *, days_ago: int = 0) -> dict[str, tuple[Any, ...]]:
    return {id_: tuple(row[name] for name in names) for id_, row in (await facts(store, day(days_ago))).items()}


async def test_payments_that_failed_and_what_is_past_due(store: Store, writer: Writer) -> None:
    await writer.customers("a", "pays", "elsewhere")
    await writer.known("billing", "a", "pays")
    paid = InvoiceStatus.PAID
    await writer.put(
        "billing",
        invoice("a", "1", 100, 86, failed_at=moment(90), paid_at=moment(80), status=paid, attempts=3),
        invoice("a", "2", 70, 56, failed_at=moment(60), paid_at=moment(40), status=paid, attempts=9),
        invoice("a", "3", 30, 16, failed_at=moment(5), attempts=1),
        invoice("a", "4", 200, 190, changed=20, status=InvoiceStatus.VOID),
        invoice("a", "5", 2, None),
        invoice("pays", "6", 40, 26, paid_at=moment(27), status=paid),
        invoice("pays", "7", 90, 80, changed=70, status=paid),
        invoice("pays", "8", 20, 0),
    )
    assert {ago: (await of(store, FAILURES, days_ago=ago))["a"] for ago in (41, 40, 16, 15, 5, 0)} == {
        41: (2, 149),  # the void one, then still open
        40: (2, 150),
        16: (2, 0),  # due on the day itself is in time
        15: (2, 1),
        5: (3, 11),
        0: (2, 16),
    }
    assert {ago: (await of(store, FAILURES, days_ago=ago))["pays"] for ago in (75, 70, 27, 0, -1)} == {
        75: (0, 5),
        70: (0, 0),
        27: (0, 0),
        0: (0, 0),
        -1: (0, 1),
    }
    assert (await of(store, FAILURES))["elsewhere"] == (None, None)


async def test_the_invoices_behind_the_facts(store: Store, writer: Writer) -> None:
    await writer.customers("a")
    await writer.known("billing", "a")
    await writer.put(
        "billing",
        invoice("a", "1", 70, 56, failed_at=moment(60), paid_at=moment(40), status=InvoiceStatus.PAID, attempts=2),
        invoice("a", "2", 30, 16, failed_at=moment(5), attempts=1, number="INV-2"),
    )
    names = ("payment_failures_90d", "days_past_due")
    async with store.reading() as connection:
        found = (await find_evidence(connection, ["a"], names, as_of=day(0)))["a"]
        before = (await find_evidence(connection, ["a"], names, as_of=day(50)))["a"]
    assert [record.what for record in found["payment_failures_90d"][0].records] == [
        "INV-2, 10.00 USD, failed, 1 attempt",
        "1, 10.00 USD, failed, 2 attempts",
    ]
    assert [record.what for record in found["days_past_due"][0].records] == [f"INV-2, 10.00 USD, due {day(16)}"]
    assert [[record.key for record in before[name][0].records] for name in names] == [["1"], ["1"]]


async def test_silence_in_surveys(store: Store, writer: Writer) -> None:
    await writer.customers("a", "never", "young", "elsewhere")
    await writer.known("survey", "a", "never", "young")
    await writer.put("billing", writer.term("young", day(10)))
    ces, csat = SurveyType.CES, SurveyType.CSAT
    await writer.put(
        "survey",
        writer.answer("a", csat, 1, 300, None, "0-1"),
        writer.answer("a", ces, 5, 90, None, "1-7"),
        writer.answer("a", ces, 5, 40, None, "1-7"),
    )
    expected = {"a": (1, 40), "never": (0, 300), "young": (0, 10), "elsewhere": (None, None)}
    assert await of(store, SILENCE) == expected
    assert (await of(store, SILENCE, days_ago=41))["a"] == (1, 49)
    assert (await of(store, SILENCE, days_ago=301))["a"] == (None, None)


async def test_sentiment_is_the_one_in_force(store: Store, writer: Writer) -> None:
    await writer.customers("a", "none")
    row = {"customer_id": "a", "reason": "they said so", "by": "kim@us.example", "withdrawn_at": None}
    given = [
        {"id": "1", "value": 0.9, "set_at": moment(50), "expires_on": day(30), "withdrawn_at": moment(40)},
        {"id": "2", "value": 0.2, "set_at": moment(40), "expires_on": day(20)},
        {"id": "3", "value": 0.6, "set_at": moment(10), "expires_on": day(-90), "withdrawn_at": moment(5)},
    ]
    async with store.transaction() as connection:
        await connection.execute(insert(sentiment), [{**row, **each} for each in given])
    names = ("sentiment", "sentiment_age_days")
    assert {ago: (await of(store, names, days_ago=ago))["a"] for ago in (51, 50, 41, 40, 20, 19, 10, 6, 5)} == {
        51: (None, None),
        50: (0.9, 0),
        41: (0.9, 9),
        40: (0.2, 0),
        20: (0.2, 20),
        19: (None, None),
        10: (0.6, 0),
        6: (0.6, 4),
        5: (None, None),
    }
    assert (await of(store, names))["none"] == (None, None)
    async with store.reading() as connection:
        found = (await find_evidence(connection, ["a"], ["sentiment"], as_of=day(20)))["a"]["sentiment"]
    assert [(each.total, each.records[0].what) for each in found] == [(1, "20 of 100 by kim@us.example: they said so")]


async def test_how_old_the_data_is(store: Store, writer: Writer) -> None:
    await writer.customers("a", "b")
    await writer.known("desk", "a")
    await writer.known("other", "a", "b")
    await writer.put("desk", writer.ticket("a", 60), writer.use("a", "ann", 60))
    await writer.put("other", writer.use("b", "bob", 60), writer.term("b", date(2025, 1, 1)))
    await writer.put("crm", Company(key="b", version=1, company_key="b", segment="smb"))
    for ago in (40, 33, 5):
        await writer.sync(ago)
    await writer.sync(0, SyncState.FAILED)
    names = ("usage_age_days", "support_age_days", "feedback_age_days", "billing_age_days", "profile_age_days")
    assert await of(store, names) == {"a": (0, 5, None, 0, None), "b": (0, None, None, 0, 0)}, "not syncing is fresh"
    assert (await of(store, names, days_ago=33))["a"][1] == 0
    assert (await of(store, names, days_ago=20))["a"][1] == 13
    assert (await of(store, names, days_ago=19))["a"][1] is None, "dead"
    assert (await of(store, names, days_ago=50))["a"][1] == 0, "what a first sync brings of the past is not old"
