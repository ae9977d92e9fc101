"""The audit log over the API: admins only, newest first, in pages."""

from datetime import timedelta
from typing import Any

import pytest

from hub.model.actions import Role
from hub.store import Store, audit
from hub.store.audit import Record
from tests.schema.company import NOW, seed
from tests.schema.fakes import Ask

LOG = """
query Log($first: Int = 20, $after: String, $actor: String, $since: DateTime, $until: DateTime) {
  auditLog(first: $first, after: $after, actor: $actor, since: $since, until: $until, action: "playbookFire") {
    totalCount
    nodes { number at entryId kind actor tokenId action subject detail digest }
    pageInfo { endCursor hasNextPage }
  }
}
"""


async def write(store: Store, many: int) -> None:
    async with store.transaction() as connection:
        await audit.append(
            connection,
            [
                Record(
                    entry_id=f"aud_{number}",
                    kind="asked",
                    at=NOW + timedelta(hours=number),
                    actor="bob" if number % 2 else "ann",
                    action="playbookFire",
                    subject="save",
                    detail={"request": {"number": number}},
                )
                for number in range(1, many + 1)
            ],
        )


async def test_the_log_newest_first(ask: Ask, store: Store) -> None:
    await write(store, 3)
    page = (await ask(LOG, role=Role.ADMIN))["data"]["auditLog"]
    assert page["totalCount"] == 3
    assert [node["number"] for node in page["nodes"]] == [3, 2, 1]
    assert page["nodes"][0]["detail"] == '{"request":{"number":3}}'
    async with store.reading() as connection:
        reading, newest, *_ = await audit.find_latest(connection)
    assert reading.subject == "AuditRecord.detail"  # who looks at the details is in the log, too
    assert newest.id == page["nodes"][0]["entryId"]


async def test_pages_hold_every_record_once(ask: Ask, store: Store) -> None:
    await write(store, 5)
    found: list[int] = []
    variables: dict[str, Any] = {"first": 2}
    for _ in range(3):
        page = (await ask(LOG, variables, role=Role.ADMIN))["data"]["auditLog"]
        found += [node["number"] for node in page["nodes"]]
        variables["after"] = page["pageInfo"]["endCursor"]
    assert found == [5, 4, 3, 2, 1]
    assert page["pageInfo"]["hasNextPage"] is False


async def test_narrowed(ask: Ask, store: Store) -> None:
    await write(store, 4)
    between = {"since": (NOW + timedelta(hours=2)).isoformat(), "until": (NOW + timedelta(hours=3)).isoformat()}
    for variables, numbers in (({"actor": "bob"}, [3, 1]), (between, [3, 2])):
        page = (await ask(LOG, variables, role=Role.ADMIN))["data"]["auditLog"]
        assert [node["number"] for node in page["nodes"]] == numbers


async def test_nobody_but_admins(ask_sqlite: Ask, sqlite_store: Store) -> None:
    await write(sqlite_store, 1)
    for role in (Role.VIEWER, Role.CSM, Role.MANAGER):
        body = await ask_sqlite(LOG, role=role)
        assert "data" not in body
        assert body["errors"][0]["extensions"]["code"] == "FORBIDDEN"


CONTACTS = "query Inbox($first: Int = 5) { contacts(first: $first) { nodes { email name } } }"


async def test_personal_data_is_noted_before_it_is_read(ask: Ask, store: Store) -> None:
    await seed(store, 2)
    body = await ask(CONTACTS, {"first": 3}, role=Role.CSM)
    assert len(body["data"]["contacts"]["nodes"]) == 3
    async with store.reading() as connection:
        [entry] = await audit.find_latest(connection)
    assert (entry.action, entry.subject) == ("personalRead", "Contact.email, Contact.name")
    assert entry.detail["operation"] == "Inbox"
    assert entry.detail["variables"] == {"first": 3}


async def test_other_reads_are_not_and_refused_ones_neither(ask: Ask, store: Store) -> None:
    await seed(store, 2)
    await ask("{ customers { nodes { name health { score } } } }", role=Role.CSM)
    refused = await ask(CONTACTS, role=Role.VIEWER)
    assert refused["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    skipped = "query Q($mail: Boolean!) { contacts { nodes { id email @include(if: $mail) } } }"
    assert "data" in await ask(skipped, {"mail": False}, role=Role.CSM)
    async with store.reading() as connection:
        assert await audit.find_latest(connection) == []
        assert await audit.find_head(connection) == (0, audit.GENESIS)


async def test_what_cannot_be_noted_is_not_shown(
    ask: Ask, store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await seed(store, 2)

    async def full(*_: object) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(audit, "append_alone", full)
    body = await ask(CONTACTS, role=Role.CSM)
    assert "data" not in body
    assert body["errors"][0]["extensions"]["code"] == "TRY_AGAIN"
    assert "disk" not in str(body)
    assert "the disk is full" in caplog.text
