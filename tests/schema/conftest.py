"""A way to put queries to the store of a test."""

import pytest

from hub.store import Store
from tests.schema.fakes import Ask, FakeActions, asking


@pytest.fixture
def actions() -> FakeActions:
    return FakeActions()


@pytest.fixture
def ask(store: Store, actions: FakeActions) -> Ask:
    """On each database in turn."""
    return asking(store, actions)


@pytest.fixture
def ask_sqlite(sqlite_store: Store, actions: FakeActions) -> Ask:
    return asking(sqlite_store, actions)
