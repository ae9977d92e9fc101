"""Both paths asked the same: the compiled one must say what the ordinary one says, to the byte, or nothing at all."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import orjson
from graphql import get_operation_ast

from hub.access import Viewer
from hub.access.reading import Reads
from hub.store import Store
from schema.answering import READER
from schema.api import SCHEMA
from schema.context import Context
from schema.preparing import prepare
from tests.schema.company import NOW
from tests.schema.fakes import PLAYBOOKS, SOURCES, FakeActions, viewer


async def both(
    store: Store,
    query: str,
    variables: Mapping[str, Any] | None = None,
    *,
    who: Viewer | None = None,
    now: datetime = NOW,
    must: bool = True,
) -> bytes | None:
    """The answer's data at a moment. must: it has to be compiled. Asserts that both paths agree where it was."""
    context = Context(
        store=store,
        reads=Reads(store),
        viewer=who or viewer(),
        now=now,
        actions=FakeActions(),
        playbooks=lambda: PLAYBOOKS,
        sources=lambda: SOURCES,
    )
    prepared = prepare(SCHEMA._schema, query)
    assert prepared.document is not None, prepared.errors
    operation = get_operation_ast(prepared.document, None)
    assert operation is not None
    given = dict(variables or {})
    compiled = await READER.read(context, prepared.document, operation, given)
    ordinary = await SCHEMA.execute(query, variable_values=given, context_value=context)
    if compiled is None:
        assert not must, f"not compiled: {query}"
        return None
    text = b"".join(compiled)
    assert not ordinary.errors, (query, given, ordinary.errors, text[:200])
    again = orjson.dumps(orjson.loads(text)["data"])
    assert again == orjson.dumps(ordinary.data), (query, given, again, ordinary.data)
    return again


def with_book(who: Viewer, book: str | None) -> Viewer:
    return replace(who, book=book)
