"""The audit log is only added to, and says so itself: every change of it breaks the chain, but for details taken out."""

import asyncio
from datetime import UTC, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from hub.store import Store, audit
from hub.store.audit import GENESIS, Record

NOW = datetime(2026, 11, 1, 12, 30, 15, 123456, tzinfo=UTC)


def record(number: int, **detail: object) -> Record:
    return Record(
        entry_id=f"aud_{number}",
        kind="asked",
        at=NOW,
        actor="ann@cs.example",
        token_id="tok_ann",
        action="playbookFire",
        subject="save",
        detail={"request": {"number": number, "z": 1.5, "a": "ü", **detail}},
    )


async def add(store: Store, *numbers: int) -> None:
    async with store.transaction() as connection:
        await audit.append(connection, [record(number) for number in numbers])


async def links(store: Store) -> list[tuple[int, bool, str | None]]:
    async with store.reading() as connection:
        return [(each.number, each.redacted, each.broken) async for each in audit.verify(connection)]


async def tamper(store: Store, statement: str) -> None:
    """As somebody with the database's password and time would: the triggers go first."""
    async with store.transaction() as connection:
        for name in ("kept", "never_deleted"):
            on = " ON audit_record" if store.dialect == "postgresql" else ""
            await connection.execute(text(f"DROP TRIGGER audit_record_{name}{on}"))
        await connection.execute(text(statement))


async def test_an_empty_log_is_whole(store: Store) -> None:
    assert await links(store) == []
    async with store.reading() as connection:
        assert await audit.find_head(connection) == (0, GENESIS)


async def test_a_chain_is_whole_over_transactions(store: Store) -> None:
    await add(store, 1, 2)
    await add(store, 3)
    assert await links(store) == [(1, False, None), (2, False, None), (3, False, None)]


async def test_what_is_asked_and_its_outcome_are_one_entry(store: Store) -> None:
    async with store.transaction() as connection:
        await audit.insert(
            connection, entry_id="aud_x", at=NOW, actor="ann", action="sync", subject="crm", request={"source": "crm"}
        )
    async with store.transaction() as connection:
        [begun] = await audit.find_latest(connection)
        await audit.finish(connection, "aud_x", at=NOW, outcome="done")
        [done] = await audit.find_latest(connection)
    assert begun.detail == {"request": {"source": "crm"}, "outcome": "begun"}
    assert done.detail == {"request": {"source": "crm"}, "outcome": "done"}
    assert [number for number, *_ in await links(store)] == [1, 2]


async def test_many_at_once_make_one_chain(store: Store) -> None:
    await asyncio.gather(*(add(store, number) for number in range(20)))
    assert [broken for _, _, broken in await links(store)] == [None] * 20


@pytest.mark.parametrize("column", ["actor", "subject", "at", "digest", "number"])
async def test_the_database_refuses_changes(store: Store, column: str) -> None:
    await add(store, 1, 2)
    value = "'2020-01-01'" if column == "at" else "9" if column == "number" else "'x'"
    for statement in (f"UPDATE audit_record SET {column} = {value} WHERE number = 2", "DELETE FROM audit_record"):
        with pytest.raises(DBAPIError, match="only ever added to"):
            async with store.transaction() as connection:
                await connection.execute(text(statement))
    assert [broken for _, _, broken in await links(store)] == [None, None]


@pytest.mark.parametrize(
    ("statement", "at", "why"),
    [
        ("UPDATE audit_record SET actor = 'eve' WHERE number = 2", 2, "it was changed"),
        ("UPDATE audit_record SET token_id = NULL WHERE number = 2", 2, "it was changed"),
        ("UPDATE audit_record SET detail = '{}' WHERE number = 2", 2, "its detail was changed"),
        ("UPDATE audit_record SET detail = NULL WHERE number = 2", 2, "half taken out"),
        ("DELETE FROM audit_record WHERE number = 2", 3, "records 2 to 2 are missing"),
        ("DELETE FROM audit_record WHERE number = 1", 2, "records 1 to 1 are missing"),
        ("UPDATE audit_record SET digest = detail_digest WHERE number = 1", 1, "it was changed"),
    ],
)
async def test_whoever_gets_past_them_breaks_the_chain(store: Store, statement: str, at: int, why: str) -> None:
    await add(store, 1, 2, 3)
    await tamper(store, statement)
    number, _, broken = (await links(store))[-1]
    assert number == at
    assert broken is not None
    assert why in broken


async def test_a_detail_can_be_taken_out_and_that_is_noted(store: Store) -> None:
    await add(store, 1, 2, 3)
    async with store.transaction() as connection:
        assert await audit.redact(connection, [2, 99], at=NOW, actor="admin", reason="a person is forgotten") == 1
        assert await audit.redact(connection, [2], at=NOW, actor="admin", reason="again") == 0
        newest, *_ = await audit.find_latest(connection)
    assert newest.action == "auditRedact"
    assert newest.detail == {"reason": "a person is forgotten"}
    assert await links(store) == [(1, False, None), (2, True, None), (3, False, None), (4, False, None)]
