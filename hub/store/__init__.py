"""The one store: SQLite by default, PostgreSQL by URL, the same code on both.

`Store` opens a database; every other module here is one noun, a few functions over a connection: `find_*` may come back
empty, `get_*` raises NotFoundError, the rest write. Only `Store.transaction` commits.
"""

from hub.store.store import Connection, Store

__all__ = ["Connection", "Store"]
