"""Customers that many ask for at the same time are read together, and each viewer sees what the ordinary path shows."""

import asyncio
from collections.abc import Sequence
from typing import Any

import orjson
import pytest

from hub.model.actions import Role
from hub.store import Store
from schema.nodes import global_id
from tests.schema.company import seed
from tests.schema.compiled.both import both, with_book
from tests.schema.fakes import viewer

NESTED = """query ($id: ID!, $first: Int = 2) { customer(id: $id) { id name csm { email } health { score band asOf }
    tickets(first: $first) { nodes { id subject status createdAt } } contacts(first: 1) { nodes { id email } } } }"""
BOOKS = ("ann@cs.example", "bob@cs.example", None)


def ids(count: int) -> list[str]:
    return [global_id("customer", f"c{number:03}") for number in range(count)]


async def test_viewers_of_several_books_at_once_see_their_own(store: Store) -> None:
    await seed(store, 4)
    await seed(store, 4, first=4, csm_email="bob@cs.example")
    asked = [(id_, book) for id_ in [*ids(8), global_id("customer", "none")] for book in BOOKS]
    found = await asyncio.gather(
        *(both(store, NESTED, {"id": id_}, who=with_book(viewer(Role.CSM), book)) for id_, book in asked)
    )
    for at, ((id_, book), text) in enumerate(zip(asked, found, strict=True)):
        shown = orjson.loads(text or b"")["customer"]
        own = "ann@cs.example" if at < 4 * len(BOOKS) else "bob@cs.example"
        if at >= 8 * len(BOOKS) or book not in (own, None):
            assert shown is None, "there is none, or none in this book"
        else:
            assert (shown["id"], shown["csm"]["email"]) == (id_, own)


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
async def test_they_are_one_statement_for_those_of_one_book(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    await seed(store, 3)
    raw: Any = store.raw
    read: list[Sequence[Any]] = []
    rows = raw._gathering._read

    async def watched(sql: str, parameters: Sequence[Any]) -> Any:
        read.append(parameters)
        return await rows(sql, parameters)

    monkeypatch.setattr(raw._gathering, "_read", watched)
    for first, statements in ((2, 2), (500, 0)):  # what may be many rows holds up nobody else
        read.clear()
        wanted = [(id_, with_book(viewer(Role.CSM), book)) for id_ in ids(3) for book in BOOKS[:2]]
        await asyncio.gather(*(both(store, NESTED, {"id": id_, "first": first}, who=who) for id_, who in wanted))
        assert len(read) == statements
        for parameters in read:
            assert ["c000", "c001", "c002"] in parameters
            assert (
                len({"ann@cs.example", "bob@cs.example"} & {each for each in parameters if isinstance(each, str)}) == 1
            )
