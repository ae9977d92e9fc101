"""Rows of a CSV file as records: as the kit reads cells, with the line of the file in what is said of a bad one."""

from collections.abc import Sequence

from connectors.kit import cells
from connectors.kit.base import BadRowError, Raw
from connectors.kit.cells import READ_AT, Plan
from connectors.kit.delimited import LINE
from hub.model.records import Record

FILE_TIME = READ_AT

__all__ = ["FILE_TIME", "Plan", "key_of", "record"]


def record(raw: Raw, plan: Plan) -> Record:
    """The record of one row; BadRowError names the column and the line."""
    try:
        return cells.record(raw, plan)
    except BadRowError as error:
        raise BadRowError(f"line {raw[LINE]}, column {error.field!r}: {error}", field=error.field) from None


def key_of(raw: Raw, columns: Sequence[str]) -> str:
    """The row's key: its key cells, joined by ":"; the line where they are all empty."""
    return cells.key_of(raw, columns, otherwise=f"line {raw.get(LINE, '?')}")
