"""The CSV connector on local files and against its sandbox, over real HTTP on loopback."""

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.csvfile.connector import Connector, Settings
from connectors.csvfile.sandbox import app
from connectors.kit import registry
from connectors.kit.base import Bookmark, Page, Window, map_rows
from connectors.kit.errors import DeniedError
from connectors.kit.retry import Retry
from connectors.kit.sandbox import Faults
from connectors.kit.simulated import Bill, NpsAnswer, World, crm_id
from hub.errors import ConfigError
from hub.model.records import (
    CancellationKind,
    Invoice,
    InvoiceStatus,
    Quarantined,
    Record,
    Subscription,
    SubscriptionStatus,
    SurveyResponse,
    SurveyType,
    TicketStatus,
)

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
NPS: Mapping[str, Any] = {
    "record": "survey_response",
    "key": "response_id",
    "company_key": "company",
    "columns": {"respondent_email": "respondent"},
    "constants": {"type": "nps", "scale": "0-10"},
    "updated_at": "responded_at",
}
TICKETS: Mapping[str, Any] = {"record": "ticket", "key": ["id"], "company_key": "org", "constants": {}}


async def pages(connector: Connector, bookmark: Bookmark | None = None, *, limit: int | None = None) -> list[Page]:
    (stream,) = connector.streams()
    client = connector.client()
    client._retry = Retry(first=0.001)
    async with client:
        window = Window(bookmark=bookmark, started_at=NOON, limit=limit)
        return [page async for page in stream.pull(client, window)]


async def pull(connector: Connector, bookmark: Bookmark | None = None) -> tuple[list[Record], list[Quarantined]]:
    (stream,) = connector.streams()
    got = await pages(connector, bookmark)
    records, bad = map_rows(stream, [row for page in got for row in page.rows])
    return records, [*(fault for page in got for fault in page.faults), *bad]


def tickets(tmp_path: Path, text: str | bytes, **settings: Any) -> Connector:
    path = tmp_path / "tickets.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    os.utime(path, (1_700_000_000, 1_700_000_000))
    return Connector(Settings(location=str(path), **{**TICKETS, **settings}))


async def test_reads_what_the_annotations_of_the_record_say(tmp_path: Path) -> None:
    source = tickets(
        tmp_path,
        "\ufeffid;org; status;severity;created_at;reopens;first_response_minutes;deleted;subject;colour\r\n"
        '7;acme.example;OPEN;urgent;2026-11-01T10:00:00+02:00;2;12.5;no;"He said ""no"";\nthen left";red\r\n'
        "\r\n"
        "8;;on_hold;;1793527200000;;;yes;;\r\n",
        delimiter=";",
    )
    records, bad = await pull(source)
    assert bad == []
    first, second = records
    assert (first.key, first.company_key, first.version, first.deleted) == (
        "7",
        "acme.example",
        1_700_000_000_000,
        False,
    )
    assert first.subject == 'He said "no";\nthen left'
    assert first.created_at == datetime(2026, 11, 1, 8, tzinfo=UTC)
    assert (first.reopens, first.first_response_minutes) == (2, 12.5)
    assert (second.company_key, second.deleted) == (None, True)
    assert second.status is TicketStatus.ON_HOLD
    assert second.created_at == datetime(2026, 11, 1, 10, tzinfo=UTC)


async def test_bad_rows_go_to_quarantine_with_line_and_field_and_the_others_land(tmp_path: Path) -> None:
    source = tickets(
        tmp_path,
        b"id,org,status,created_at,reopens,subject\n"
        b"1,a,open,2026-01-01,0,\xe4\xf6\n"
        b"2,a,open,2026-01-01,0\n"
        b'3,a,open,2026-01-01,0,"two\nlines"\n'
        b"4,a,gone,2026-01-01,0,\n"
        b"5,a,open,yesterday,0,\n"
        b"6,a,open,2026-01-01,1.5,\n"
        b"7,a,,2026-01-01,0,\n"
        b",a,open,2026-01-01,0,\n"
        b"9,a,open,2026-01-01,0,fine\n",
    )
    records, bad = await pull(source)
    assert [record.key for record in records] == ["3", "9"]
    assert [(one.key, one.field, one.reason) for one in bad] == [
        ("1", None, "line 2 holds bytes that are no utf-8"),
        ("2", None, "line 3 has 5 cells, the header has 6"),
        (
            "4",
            "status",
            "line 6, column 'status': 'gone' is none of: new, open, pending, on_hold, solved, closed",
        ),
        ("5", "created_at", "line 7, column 'created_at': 'yesterday' is no time such as 2026-11-22T10:00:00Z"),
        ("6", "reopens", "line 8, column 'reopens': '1.5' is no whole number"),
        ("7", "status", "line 9, column 'status': is empty"),
        ("line 10", "id", "line 10, column 'id': is empty, and part of the key"),
    ]


async def test_cells_may_be_longer_than_the_libraries_limit_of_128_kb(tmp_path: Path) -> None:
    long = "x" * 1_000_000
    records, bad = await pull(tickets(tmp_path, f"id,org,status,created_at,subject\n1,a,open,2026-01-01,{long}\n"))
    assert (len(records), bad) == (1, [])
    assert records[0].subject == long


async def test_pages_of_a_thousand_rows_can_be_gone_on_from_and_an_unchanged_file_gives_nothing(tmp_path: Path) -> None:
    lines = [f"{n},a,open,2026-01-01" for n in range(2500)]
    source = tickets(tmp_path, "\n".join(["id,org,status,created_at", *lines]))
    got = await pages(source)
    assert [len(page.rows) for page in got] == [1000, 1000, 500]
    rest = await pages(source, got[0].bookmark)
    assert [page.rows for page in rest] == [page.rows for page in got[1:]]
    assert await pages(source, got[-1].bookmark) == []
    few = await pages(source, limit=3)
    assert [[row["id"] for row in page.rows] for page in few] == [["0", "1", "2"]]
    (tmp_path / "tickets.csv").write_text("id,org,status,created_at\n1,a,closed,2026-01-01\n")
    changed = await pages(source, got[0].bookmark)  # another file now: from its beginning
    assert [len(page.rows) for page in changed] == [1]


async def test_of_a_changed_file_whose_rows_tell_when_they_changed_only_the_news_are_handed_on(tmp_path: Path) -> None:
    header = "id,org,status,created_at,changed"

    def line(n: int, status: str = "open", changed: str = "2026-01-02") -> str:
        return f"{n},a,{status},2026-01-01,{changed}"

    def source(lines: list[str], **settings: Any) -> Connector:
        return tickets(tmp_path, "\n".join([header, *lines]) + "\n", **{"updated_at": "changed", **settings})

    async def news(lines: list[str], bookmark: Bookmark | None, **settings: Any) -> tuple[set[str], Page]:
        got = await pages(source(lines, **settings), {**(bookmark or {}), "tag": "another"} if bookmark else None)
        assert got[-1].bookmark is not None
        assert (got[-1].bookmark["rows"], got[-1].bookmark["done"]) == (len(lines), True)
        return {row["id"] for page in got for row in page.rows}, got[-1]

    lines = [line(n) for n in range(3_000)]
    everything, last = await news(lines, None)
    assert len(everything) == 3_000
    assert (await news(lines, last.bookmark))[0] == set()
    changed = [line(9_001), *lines[:1_500], line(1_500, "closed", "2026-01-03"), *lines[1_501:], line(9_002)]
    found, after = await news(changed, last.bookmark)  # one came first, one changed, one came last
    assert found >= {"9001", "1500", "9002"}
    assert len(found) < 600
    assert "1500" in (await news(lines, after.bookmark))[0], "what is as it was before has changed again"
    # a pull that was cut off knows what it handed on, and no more
    half = next(iter(await pages(source(changed), last.bookmark, limit=1)))
    assert half.bookmark is not None
    assert not half.bookmark["done"]
    assert (await news(changed, half.bookmark))[0] >= {"1500", "9002"}
    # other settings read other records, and what cannot be read is told every time
    assert len((await news(lines, last.bookmark, constants={"severity": "urgent"}))[0]) == 3_000
    broken = source([*lines, "7,a"])
    for bookmark in (last.bookmark, {**(await pages(broken, last.bookmark))[-1].bookmark, "tag": "another"}):  # type: ignore[dict-item]  # there is one
        assert [fault.key for page in await pages(broken, bookmark) for fault in page.faults] == ["7"]
    # without a column that tells it, the newest of a key is the last in the file: all of it is handed on
    plain, last = await news(lines, None, updated_at=None)
    assert len((await news(lines, last.bookmark, updated_at=None))[0]) == len(plain) == 3_000


async def test_what_the_settings_need_and_the_file_lacks_is_said_with_what_there_is(tmp_path: Path) -> None:
    source = tickets(tmp_path, "id,state,created_at\n1,open,2026-01-01\n")
    with pytest.raises(DeniedError) as caught:
        await pages(source)
    assert str(caught.value) == (
        "the file has no column 'status' for field status; none 'org' for company_key. It has: id, state, created_at"
    )
    with pytest.raises(DeniedError, match="columns stand twice in the header: id"):
        await pages(tickets(tmp_path, "id,org,id\n"))
    with pytest.raises(DeniedError, match="there is no file"):
        await pages(Connector(Settings(location=str(tmp_path / "none.csv"), **TICKETS)))


async def test_several_columns_can_be_the_key(tmp_path: Path) -> None:
    source = tickets(tmp_path, "id,org,status,created_at\n1,a,open,2026-01-01\n", key=["org", "id"])
    assert [record.key for record in (await pull(source))[0]] == ["a:1"]


def test_settings_name_every_fault_and_the_valid_choices() -> None:
    with pytest.raises(ConfigError) as caught:
        registry.build("csvfile", {"location": "x.csv", "record": "bill", "key": "id", "encoding": "klingon"})
    faults = {fault.key: fault for fault in caught.value.faults}
    assert "subscription" in faults["record"].choices
    assert "no encoding 'klingon'" in faults["encoding"].message
    for wrong, message in (
        ({"location": "s3://bucket/x.csv"}, "begins with http or https://; filesource reads more"),
        ({"columns": {"price": "p"}}, "a ticket has no field 'price'; it has: deleted, subject, status"),
        ({"constants": {"status": "lost"}}, "constant status: 'lost' is none of: new, open"),
    ):
        with pytest.raises(ConfigError, match=message):
            registry.build("csvfile", {"location": "x.csv", **TICKETS, **wrong})


@pytest.fixture
def served(serve: Callable[..., str], small_world: World) -> Any:
    class Served:
        world, faults, requests = small_world, Faults(), list[int]()

    own = Served()
    inner = app(lambda: own.world, token="s3cret-token", faults=own.faults)

    async def noted(scope: Any, receive: Any, send: Any) -> None:
        async def note(message: Any) -> None:
            if message["type"] == "http.response.start":
                own.requests.append(message["status"])
            await send(message)

        await inner(scope, receive, note)

    own.url = serve(noted)
    return own


async def test_nps_answers_over_http(served: Any, small_world: World) -> None:
    tenth = NpsAnswer(number=10, account=3, person=3, score=0, comment="", at=NOON - timedelta(hours=1))
    served.world = replace(small_world, nps=[*small_world.nps, tenth])
    source = Connector(Settings(location=f"{served.url}/nps.csv", token="s3cret-token", **NPS))
    records, bad = await pull(source)
    assert bad == []
    assert records[0] == SurveyResponse(
        key="nps-1", version=round((NOON - timedelta(days=20)).timestamp() * 1000), company_key="acme.example",
        type=SurveyType.NPS, scale="0-10", score=9.0, comment="Good, fast\nand friendly",
        respondent_email="nia@acme.example", responded_at=NOON - timedelta(days=20),
    )  # fmt: skip
    assert [record.company_key for record in records[1:]] == [
        "cloud.acme.example",
        "acme.example",
        "liv@borealis.example",
    ]


async def test_invoices_as_they_are_served(served: Any, small_world: World) -> None:
    bill = Bill(
        number=7, account=2, amount=120.5, currency="EUR", issued_on=date(2026, 10, 1), due_on=date(2026, 10, 15),
        paid_at=None, failed_at=NOON - timedelta(days=50), attempts=2, status="open", updated_at=NOON,
    )  # fmt: skip
    paid = replace(bill, number=8, paid_at=NOON, failed_at=None, attempts=1, status="paid")
    served.world = replace(small_world, bills=[bill, paid])
    source = Connector(
        Settings(
            base_url=served.url, location="invoices.csv", token="s3cret-token", record="invoice", key="invoice_id",
            company_key="customer", updated_at="updated_at",
        )
    )  # fmt: skip
    records, bad = await pull(source)
    first = Invoice(
        key="invoice-7", version=round(NOON.timestamp() * 1000), company_key=crm_id(2), number="NB-000007",
        amount=120.5, currency="EUR", issued_on=date(2026, 10, 1), due_on=date(2026, 10, 15),
        failed_at=NOON - timedelta(days=50), attempts=2, status=InvoiceStatus.OPEN,
    )  # fmt: skip
    assert bad == []
    assert records == [
        first,
        replace(first, key="invoice-8", number="NB-000008", paid_at=NOON, failed_at=None, attempts=1, status="paid"),
    ]


async def test_subscriptions_below_a_base_url(served: Any) -> None:
    source = Connector(
        Settings(
            base_url=served.url, location="subscriptions.csv", token="s3cret-token", record="subscription",
            key="term_id", company_key="customer", updated_at="updated_at",
        )
    )  # fmt: skip
    records, bad = await pull(source)
    assert (len(records), bad) == (4, [])
    assert records[3] == Subscription(
        key="term-4", version=round((NOON - timedelta(days=170)).timestamp() * 1000), company_key=crm_id(3),
        plan="growth", mrr=1500.0, currency="EUR", seats_purchased=30, seats_used=21, started_on=date(2025, 6, 1),
        renews_on=date(2026, 6, 1), ended_on=date(2026, 6, 1), auto_renew=False, status=SubscriptionStatus.ENDED,
        cancelled_at=NOON - timedelta(days=200), cancellation_kind=CancellationKind.VOLUNTARY,
    )  # fmt: skip


async def test_an_unchanged_address_answers_304_and_a_changed_one_is_read(served: Any, small_world: World) -> None:
    source = Connector(Settings(location=f"{served.url}/nps.csv", token="s3cret-token", **NPS))
    (page,) = await pages(source)
    assert await pages(source, page.bookmark) == []
    assert served.requests == [200, 304]
    served.world = replace(small_world, nps=small_world.nps[:1])
    (changed,) = await pages(source, page.bookmark)
    assert [row["response_id"] for row in changed.rows] == ["nps-1"]


@pytest.mark.parametrize("fault", ["rate_limited", "server_errors", "resets", "truncated", "html"])
async def test_faults_on_the_way_lose_nothing(served: Any, fault: str) -> None:
    setattr(served.faults, fault, 2)
    source = Connector(Settings(location=f"{served.url}/nps.csv", token="s3cret-token", **NPS))
    records, bad = await pull(source)
    assert (len(records), bad, getattr(served.faults, fault)) == (3, [], 0)


async def test_a_wrong_token_is_refused_after_one_request(served: Any) -> None:
    source = Connector(Settings(location=f"{served.url}/nps.csv", token="wrong-token", **NPS))
    with pytest.raises(DeniedError, match="does not accept the credential: token required"):
        await pages(source)
    assert served.requests == [401]
