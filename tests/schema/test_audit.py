"""The audit log over the API: admins only, newest first, in pages."""

from datetime import timedelta
from typing import Any

from hub.model.actions import Role
from hub.store import Store, audit
from hub.store.audit import Record
from tests.schema.company import NOW
from tests.schema.fakes import Ask

LOG = """
query Log($first: Int = 20, $after: String, $actor: String, $since: DateTime, $until: DateTime) {
  auditLog(first: $first, after: $after, actor: $actor, since: $since, until: $until) {
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
        assert page["nodes"][0]["digest"] == (await audit.find_head(connection))[1]


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
