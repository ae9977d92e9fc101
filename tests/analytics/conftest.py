"""Books over a store: `books` on each database in turn, `books_sqlite` for what is not about the database."""

import pytest

from hub.store import Store
from tests.analytics.books import Books


@pytest.fixture
def books(store: Store) -> Books:
    return Books(store)


@pytest.fixture
def books_sqlite(sqlite_store: Store) -> Books:
    return Books(sqlite_store)
