"""Personal data is shown only after the audit log says that it was read."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from hub.access import Viewer
from hub.access.reading import LONGEST_SUBJECT, Read, Reads, UnnotedError
from hub.model.actions import Role
from hub.store import Store, audit

NOW = datetime(2026, 11, 1, tzinfo=UTC)
ANN = Viewer(token_id="tok_ann", name="ann", role=Role.CSM, csm_email="ann@cs.example")


def read(*fields: str, **variables: Any) -> Read:
    return Read(viewer=ANN, at=NOW, fields=fields, document="ab" * 32, operation="Inbox", variables=variables)


async def noted(store: Store) -> Sequence[audit.Entry]:
    async with store.reading() as connection:
        return await audit.find_latest(connection)


async def test_a_read_is_written_when_it_is_noted(store: Store) -> None:
    await Reads(store).note(read("Contact.email", first=20))
    [entry] = await noted(store)
    assert (entry.actor, entry.token_id, entry.action, entry.subject) == (
        "ann@cs.example",
        "tok_ann",
        "personalRead",
        "Contact.email",
    )
    assert entry.detail == {
        "fields": ["Contact.email"],
        "document": "ab" * 32,
        "operation": "Inbox",
        "variables": {"first": 20},
    }


async def test_many_at_once_share_transactions_and_none_is_lost(store: Store) -> None:
    reads = Reads(store)
    await asyncio.gather(*(reads.note(read("Contact.email", number=number)) for number in range(50)))
    assert sorted(entry.detail["variables"]["number"] for entry in await noted(store)) == list(range(50))


async def test_a_reader_that_leaves_does_not_take_the_others_with_it(store: Store) -> None:
    reads = Reads(store)
    leaving, staying = reads.note(read("Contact.email")), reads.note(read("Contact.name"))
    await asyncio.sleep(0)
    leaving.cancel()
    await staying
    assert {entry.subject for entry in await noted(store)} == {"Contact.email", "Contact.name"}


async def test_what_cannot_be_written_raises(sqlite_store: Store) -> None:
    reads = Reads(sqlite_store)
    with pytest.raises(UnnotedError):
        await reads.note(read("Contact.email", what=object()))
    await reads.note(read("Contact.name"))  # the next one is written all the same
    [entry] = await noted(sqlite_store)
    assert entry.subject == "Contact.name"


async def test_many_fields_are_all_in_the_detail(sqlite_store: Store) -> None:
    fields = [f"Contact.field{number}" for number in range(40)]
    await Reads(sqlite_store).note(read(*fields))
    [entry] = await noted(sqlite_store)
    assert entry.detail["fields"] == fields
    assert len(entry.subject) <= LONGEST_SUBJECT
    assert entry.subject.endswith("…")
