"""Finding a customer by what people call it: id, domain or name."""

from dataclasses import dataclass

from sqlalchemy import func, or_, select

from hub.store.store import Connection
from hub.store.tables import customer


@dataclass(frozen=True, slots=True)
class Named:
    """A customer, as people tell it from others."""

    id: str
    name: str
    domain: str | None


async def find_customers_called(connection: Connection, text: str) -> list[Named]:
    """The customers whose id, domain or whole name is `text`, in order of id; case matters in the id alone.

    An id is nobody else's name: where one matches, it is the only one. Merged customers are those they were merged into.
    """
    given = text.strip()
    row = customer.c
    matches = or_(row.id == given, func.lower(row.domain) == given.lower(), func.lower(row.name) == given.lower())
    into = func.coalesce(row.merged_into_id, row.id)
    ids = select(into.label("id"), (row.id == given).label("exact")).where(matches).subquery()
    statement = select(row.id, row.name, row.domain, ids.c.exact).join(ids, ids.c.id == row.id).order_by(row.id)
    rows = (await connection.execute(statement)).all()
    chosen = [each for each in rows if each.exact] or rows
    return list(dict.fromkeys(Named(each.id, each.name, each.domain) for each in chosen))
