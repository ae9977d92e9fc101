"""What a field that vendors rewrite in place was on a past day, from the changes that the upsert logged.

    severity = await column_as_of(connection, window, ticket, "severity")
    select(…, severity.value, …).select_from(severity.beside(ticket))

The value of a day is the one before the earliest change that the hub had not learned of by the day's end, and where there is
none, today's. Before the hub watched a field nothing was logged: until the first change it saw, the value it saw first stands.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Boolean, ColumnElement, FromClause, Subquery, Table, and_, case, func, select

from hub.store.facts.window import Window
from hub.store.store import Connection
from hub.store.tables import field_change

TRUE = "true"


@dataclass(frozen=True, slots=True)
class AsOf:
    """A column as it was at the end of a day. `later`: what it was, by record_id, for those changed since; None: nobody."""

    column: ColumnElement[Any]
    key: ColumnElement[Any]
    later: Subquery | None

    @property
    def value(self) -> ColumnElement[Any]:
        """The column of a select from `beside` its table. Times in the log are text: of them ask `later` yourself."""
        if self.later is None:
            return self.column
        kept = self.later.c.before
        before: ColumnElement[Any] = kept == TRUE if isinstance(self.column.type, Boolean) else kept
        return case((self.later.c.record_id.is_not(None), before), else_=self.column)

    def beside(self, table: FromClause) -> FromClause:
        """The table, or a join that has it, with what `value` needs."""
        return table if self.later is None else table.outerjoin(self.later, self.later.c.record_id == self.key)


async def column_as_of(connection: Connection, window: Window, table: Table, field: str) -> AsOf:
    """A watched column at the end of the day; on the newest day nothing has changed since, and nothing is joined."""
    change = field_change.c
    unknown = and_(change.kind == table.name, change.field == field, change.learned_at >= window.end)
    if (await connection.execute(select(change.id).where(unknown).limit(1))).first() is None:
        return AsOf(table.c[field], table.c.id, None)
    first = select(func.min(change.id)).where(unknown).group_by(change.record_id)
    later = select(change.record_id, change.before).where(change.id.in_(first)).subquery()
    return AsOf(table.c[field], table.c.id, later)
