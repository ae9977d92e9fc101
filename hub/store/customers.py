"""Finding a customer by what people call it: id, domain or name."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import func, or_, select

from hub.errors import NotFoundError, RefusedError
from hub.store.books import of_book
from hub.store.daily import batches
from hub.store.store import Connection
from hub.store.tables import customer

CANDIDATES = 10


@dataclass(frozen=True, slots=True)
class Named:
    """A customer, as people tell it from others."""

    id: str
    name: str
    domain: str | None


async def find_customers_called(connection: Connection, text: str, *, book: str | None = None) -> list[Named]:
    """The customers whose id, domain or whole name is `text`, in order of id; case matters in the id alone.

    An id is nobody else's name: where one matches, it is the only one. Merged customers are those they were merged into.
    `book`: those of one CSM, as if there were no others.
    """
    given = text.strip()
    row = customer.c
    matches = or_(row.id == given, func.lower(row.domain) == given.lower(), func.lower(row.name) == given.lower())
    into = func.coalesce(row.merged_into_id, row.id)
    ids = select(into.label("id"), (row.id == given).label("exact")).where(matches).subquery()
    statement = select(row.id, row.name, row.domain, ids.c.exact).join(ids, ids.c.id == row.id).order_by(row.id)
    statement = statement.where(*of_book(row.id, book))
    rows = (await connection.execute(statement)).all()
    chosen = [each for each in rows if each.exact] or rows
    return list(dict.fromkeys(Named(each.id, each.name, each.domain) for each in chosen))


async def find_names(connection: Connection, ids: Iterable[str]) -> dict[str, str]:
    """{id: name} of those there are."""
    found: dict[str, str] = {}
    for some in batches(ids):
        rows = await connection.execute(select(customer.c.id, customer.c.name).where(customer.c.id.in_(some)))
        found.update((row.id, row.name) for row in rows)
    return found


async def get_customer(connection: Connection, text: str) -> Named:
    """The customer of this id, domain or name; NotFoundError for none, RefusedError naming them where there are several."""
    found = await find_customers_called(connection, text)
    if not found:
        raise NotFoundError(f"no customer has the id, domain or name {text!r}; a name must be whole")
    if len(found) > 1:
        named = ", ".join(f"{each.id} ({each.name}, {each.domain or 'no domain'})" for each in found[:CANDIDATES])
        more = f" and {len(found) - CANDIDATES} more" if len(found) > CANDIDATES else ""
        raise RefusedError(f"{text!r} could be {len(found)} customers; say which id: {named}{more}")
    return found[0]
