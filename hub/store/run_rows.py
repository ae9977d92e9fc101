"""A playbook's run out of its row.

A run keeps the playbook as it stood when it began, which is by far the longest part of its row, and the same for very many
runs: its text is read once.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Row, Text, cast, func

from hub.model.actions import Run, RunState
from hub.store.tables import playbook_definition, playbook_run

KNOWN = 256
_DEFINITION = func.coalesce(playbook_definition.c.definition, playbook_run.c.definition)
RUN_COLUMNS: tuple[ColumnElement[Any], ...] = (
    *(column for column in playbook_run.c if column.name != "definition"),
    cast(_DEFINITION, Text).label("definition"),
)
"""Of a join of runs and, where there is one, the definition that they name by its hash."""


def run_of(row: Row[Any]) -> Run:
    """Of RUN_COLUMNS."""
    known = row._mapping
    values = {name: known[name] for name in Run.__dataclass_fields__}
    return Run(**{**values, "definition": _definition(row.definition), "state": RunState(values["state"])})


@lru_cache(maxsize=KNOWN)
def _definition(text: str) -> Mapping[str, Any]:
    """Nobody changes it."""
    read: Mapping[str, Any] = orjson.loads(text)
    return read
