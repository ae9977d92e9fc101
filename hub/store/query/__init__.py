"""Reading what a selection asks for: a plan of columns and relations in, rows out, set-wise.

`plan`      what to read: pure dataclasses that say nothing of SQL; the GraphQL types build them from their declarations
`entities`  what can be read: the name of each thing, its table, the rows that count and the columns it has
`select`    the statements: columns, tests, order, where a page goes on, the first few of each parent
`read`      runs a plan: one statement for the root and one for each relation, however many rows there are

Everything a plan names is looked up in `entities`, so nothing a client sends ever becomes SQL; its values are bound.
"""

from hub.store.query.plan import Child, Order, Page, Plan, Position, Relation, Row, Where
from hub.store.query.read import count, find_all, find_by, page

__all__ = [
    "Child",
    "Order",
    "Page",
    "Plan",
    "Position",
    "Relation",
    "Row",
    "Where",
    "count",
    "find_all",
    "find_by",
    "page",
]
