"""One SQL statement that returns a tree of rows as finished JSON text, on SQLite and on PostgreSQL.

`tree`        what the text is to hold: columns, parts, relations, pages, by the names of the answer; nothing of SQL
`form`        how values, objects and lists become JSON exactly as the ordinary path writes it: by `sqlite`, by `postgresql`
`rows`, `pages`   which rows, and connections of them
`statement`   the tree as a statement; what differs between requests is bound, so a statement serves many of them

What a statement cannot answer alone is left to whoever asked: values to be worked out in Python stand in the text between
marks, and a value that may not be stands there as `FAIL`: then the text is worth nothing, and the ordinary path says what is
wrong.
"""

from hub.store.query.compiled.statement import Compiled, compile_tree
from hub.store.query.compiled.tree import (
    ENUMS,
    MARKS,
    Constant,
    Cursor,
    Edges,
    Fields,
    Filled,
    Given,
    Leaf,
    Marks,
    Named,
    Nested,
    Nodes,
    NotCompilableError,
    Paged,
    PageInfo,
    Part,
    Root,
    Total,
)

__all__ = [
    "ENUMS",
    "MARKS",
    "Compiled",
    "Constant",
    "Cursor",
    "Edges",
    "Fields",
    "Filled",
    "Given",
    "Leaf",
    "Marks",
    "Named",
    "Nested",
    "Nodes",
    "NotCompilableError",
    "PageInfo",
    "Paged",
    "Part",
    "Root",
    "Total",
    "compile_tree",
]
