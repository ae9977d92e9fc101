"""Any valid query is answered alike by both paths, to the byte, whoever asks: data, errors and status.

CSHUB_TEST_QUERIES=2000 makes up that many, and other ones each time.
"""

import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.access.reading import Reads
from hub.model.actions import Role
from hub.store import Store
from schema.answering import READER, answer
from schema.context import Context
from tests.schema.company import NOW, seed
from tests.schema.compiled.generated import Query, queries
from tests.schema.fakes import PLAYBOOKS, SOURCES, FakeActions, viewer

MANY = os.environ.get("CSHUB_TEST_QUERIES")
BOOKS = (None, "ann@cs.example", "nobody@cs.example")


async def answered(store: Store, query: Query, role: Role, book: str | None) -> tuple[int, Any, bool]:
    context = Context(
        store=store,
        reads=Reads(store),
        viewer=replace(viewer(role), book=book),
        now=NOW,
        actions=FakeActions(),
        playbooks=lambda: PLAYBOOKS,
        sources=lambda: SOURCES,
    )
    found = await answer(context, query.text, query.variables)
    return found.status, found.said(), not isinstance(found.body, Mapping)


@pytest.fixture
async def company(store: Store) -> Store:
    await seed(store, 4)
    return store


@settings(
    max_examples=int(MANY or 25),
    derandomize=MANY is None,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(query=queries(), role=st.sampled_from(list(Role)), book=st.sampled_from(BOOKS))
async def test_both_paths_answer_alike(company: Store, query: Query, role: Role, book: str | None) -> None:
    status, body, compiled = await answered(company, query, role, book)
    SEEN[compiled, "errors" in body] += 1
    READER.enabled = False
    try:
        ordinary_status, ordinary, _ = await answered(company, query, role, book)
    finally:
        READER.enabled = True
    assert status == ordinary_status
    assert orjson.dumps(body) == orjson.dumps(ordinary)


SEEN: Counter[tuple[bool, bool]] = Counter()


def test_most_of_them_were_compiled() -> None:
    """What is compared is both paths, and not one with itself."""
    if not SEEN:
        pytest.skip("no query was made up in this process")
    assert SEEN[True, False] >= SEEN[False, False], SEEN
