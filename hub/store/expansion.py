"""Opportunities to expand: whom conditions find, with the numbers to quote, and the rows of what was found."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import String, and_, case, cast, literal, null, or_, select

from hub.errors import NotFoundError
from hub.model.conditions import Condition, Field
from hub.store.asking import several
from hub.store.bulk import write_rows
from hub.store.conditions import clause, column_of
from hub.store.daily import batches
from hub.store.store import Connection
from hub.store.tables import customer, expansion_opportunity, scorecard

COLUMNS = tuple(column.name for column in expansion_opportunity.columns if column.name != "updated_at")
LIVE = ("open", "offered")


async def find_matches(
    connection: Connection, when: Condition, against: Mapping[str, Condition], fields: Sequence[Field], *, today: date
) -> dict[str, tuple[str | None, dict[str, Any]]]:
    """{customer: (name of the first of `against` that holds, {field: value})} of whom `when` holds for today: one statement."""
    blocked = (
        case(*((clause(condition, today=today), literal(name)) for name, condition in against.items()), else_=null())
        if against
        else null()
    )
    columns = [column_of(field).label(f"value{place}") for place, field in enumerate(fields)]
    statement = (
        select(customer.c.id, cast(blocked, String).label("blocked"), *columns)
        .join_from(customer, scorecard, and_(scorecard.c.customer_id == customer.c.id, scorecard.c.latest))
        .where(customer.c.merged_into_id.is_(None), clause(when, today=today))
    )
    names = [field.name for field in fields]
    return {row[0]: (row[1], dict(zip(names, row[2:], strict=True))) for row in await connection.execute(statement)}


async def find_live(connection: Connection, *, customer_id: str | None = None) -> list[dict[str, Any]]:
    """The opportunities nobody decided yet, by customer and rule."""
    row = expansion_opportunity.c
    statement = select(*(row[name] for name in COLUMNS)).where(row.state.in_(LIVE)).order_by(row.customer_id, row.rule)
    if customer_id is not None:
        statement = statement.where(row.customer_id == customer_id)
    return [dict(zip(COLUMNS, each, strict=True)) for each in await connection.execute(statement)]


async def find_present(connection: Connection, fields: Sequence[Field]) -> dict[str, dict[str, Any]]:
    """{customer: fields of its newest scorecard} of those with a live opportunity."""
    live = select(expansion_opportunity.c.customer_id).where(expansion_opportunity.c.state.in_(LIVE))
    columns = [column_of(field).label(f"value{place}") for place, field in enumerate(fields)]
    statement = (
        select(customer.c.id, *columns)
        .join_from(customer, scorecard, and_(scorecard.c.customer_id == customer.c.id, scorecard.c.latest))
        .where(customer.c.merged_into_id.is_(None), customer.c.id.in_(live))
    )
    names = [field.name for field in fields]
    return {row[0]: dict(zip(names, row[1:], strict=True)) for row in await connection.execute(statement)}


async def find_resting(connection: Connection, *, since: date) -> set[tuple[str, str]]:
    """(customer, rule) of which one was won, lost or withdrawn by a person after `since`."""
    row = expansion_opportunity.c
    statement = select(row.customer_id, row.rule).where(
        row.closed_on > since, or_(row.state.in_(("won", "lost")), row.decided_by.is_not(None))
    )
    return {(each.customer_id, each.rule) for each in await connection.execute(statement)}


async def write_opportunities(
    connection: Connection, rows: Sequence[Mapping[str, Any]], *, now: datetime, new: bool = False
) -> None:
    """Replace opportunities, or insert new ones; one that is live already stays the only one."""
    await write_rows(connection, expansion_opportunity, [{**row, "updated_at": now} for row in rows], replace=not new)


async def get_opportunity(connection: Connection, opportunity_id: str) -> dict[str, Any]:
    """One opportunity; NotFoundError where there is none of this id."""
    row = expansion_opportunity.c
    statement = select(*(row[name] for name in COLUMNS)).where(row.id == opportunity_id)
    found = (await connection.execute(statement)).one_or_none()
    if found is None:
        raise NotFoundError(f"no opportunity {opportunity_id!r}; cshub expansion list shows which there are")
    return dict(zip(COLUMNS, found, strict=True))


async def find_opportunities(
    connection: Connection,
    *,
    states: Sequence[str] = (),
    kinds: Sequence[str] = (),
    customer_id: str | None = None,
    most: int | None = None,
) -> list[Any]:
    """Opportunities with their customer's name and csm_email, what is expected to bring most first."""
    row = expansion_opportunity.c
    columns = (*(row[name] for name in COLUMNS), customer.c.name, customer.c.csm_email)
    statement = select(*columns).join_from(expansion_opportunity, customer, customer.c.id == row.customer_id)
    statement = statement.where(customer.c.merged_into_id.is_(None))
    if states:
        statement = statement.where(row.state.in_(list(states)))
    if kinds:
        statement = statement.where(row.kind.in_(list(kinds)))
    if customer_id is not None:
        statement = statement.where(row.customer_id == customer_id)
    statement = statement.order_by(row.expected.desc(), row.id)
    return list((await connection.execute(statement if most is None else statement.limit(most))).all())


BLANK: dict[str, Any] = dict.fromkeys(("title", "kind", "state", "value", "expected", "probability", "seats")) | {
    "evidence": {}
}


_BEST = expansion_opportunity.c
_WORDS = (
    select(_BEST.customer_id, *(_BEST[name] for name in BLANK))
    .where(_BEST.customer_id.in_(several("ids")), _BEST.state.in_(LIVE), _BEST.blocked.is_(None))
    .order_by(_BEST.customer_id, _BEST.expected.desc(), _BEST.rule)
)


async def find_expansion_words(connection: Connection, customer_ids: Iterable[str]) -> dict[str, dict[str, Any]]:
    """{customer: what messages may say of its best live opportunity that nothing stands against}: the names of `BLANK`."""
    found: dict[str, dict[str, Any]] = {}
    for ids in batches(customer_ids):
        for each in await connection.execute(_WORDS, {"ids": ids}):
            found.setdefault(each.customer_id, {name: each._mapping[name] for name in BLANK})
    return found
