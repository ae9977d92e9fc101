"""Personal data is read while the audit log is written, and shown when that is done; what acts, acts only then."""

import asyncio
from typing import Any

import pytest

from hub.model.actions import Role
from hub.store import Store, audit
from schema.nodes import global_id
from tests.schema.company import seed
from tests.schema.fakes import Ask, FakeActions

PEOPLE = "{ customers { nodes { name contacts(first: 1) { nodes { email } } } } }"
WRITE = (
    """mutation ($id: ID!) { noteCreate(input: {customerId: $id, body: "Safe."}) { note { body } errors { code } } }"""
)


async def test_nothing_is_shown_before_it_is_noted(ask: Ask, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    await seed(store)
    write, noting = audit.append_alone, asyncio.Event()

    async def append_alone(*given: Any) -> None:
        await noting.wait()
        await write(*given)

    monkeypatch.setattr(audit, "append_alone", append_alone)
    asking = asyncio.ensure_future(ask(PEOPLE, role=Role.CSM))
    await asyncio.sleep(0.2)  # more than enough to read it
    assert not asking.done()
    noting.set()
    assert "@" in str((await asking)["data"])


async def test_what_cannot_be_noted_is_not_shown_nor_done(
    ask: Ask, store: Store, actions: FakeActions, monkeypatch: pytest.MonkeyPatch
) -> None:
    await seed(store)
    written: list[Any] = []

    async def write_note(*given: Any, **_: Any) -> None:
        written.append(given)

    monkeypatch.setattr(actions, "write_note", write_note, raising=False)

    async def append_alone(*_: Any) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(audit, "append_alone", append_alone)
    for body in (await ask(PEOPLE), await ask(WRITE, {"id": global_id("customer", "c000")})):
        assert "data" not in body
        assert "nothing is shown" in body["errors"][0]["message"]
    assert not written
