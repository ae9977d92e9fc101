"""Where customers stand: written column by column, changes of states kept, and read as fields of conditions."""

from datetime import UTC, date, datetime

from sqlalchemy import select

from hub.model.conditions import parse
from hub.playbooks.vocabulary import VOCABULARY
from hub.store import Store
from hub.store.conditions import clause
from hub.store.lifecycle import Change, find_lifecycles, write_lifecycles
from hub.store.tables import customer, lifecycle_change, scorecard
from tests.fakes.world import World

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)


async def test_only_what_changed_is_written_and_states_are_kept(store: Store) -> None:
    await World(store).customers("a", "b")
    async with store.transaction() as connection:
        first = await write_lifecycles(
            connection,
            {"a": {"watch_level": "warning", "watch_days": 0.0}, "b": {"watch_level": "clear", "watch_days": 0.0}},
            now=NOW,
        )
        again = await write_lifecycles(connection, {"a": {"watch_level": "warning", "watch_days": 1.0}}, now=NOW)
        more = await write_lifecycles(connection, {"a": {"advocacy": "promoter"}}, now=NOW)
        gone = await write_lifecycles(
            connection, {"a": {"watch_level": "critical", "watch_days": 0.0}}, now=NOW, whole=True
        )
        assert first == [Change("a", "watch_level", None, "warning"), Change("b", "watch_level", None, "clear")]
        assert again == []
        assert more == [Change("a", "advocacy", None, "promoter")]
        assert gone == [Change("a", "watch_level", "warning", "critical"), Change("b", "watch_level", "clear", None)]
        assert await find_lifecycles(connection, ["watch_level", "watch_days", "advocacy"]) == {
            "a": {"watch_level": "critical", "watch_days": 0.0, "advocacy": "promoter"},
            "b": {"watch_level": None, "watch_days": None, "advocacy": None},
        }
        kept = await connection.execute(select(lifecycle_change.c.customer_id, lifecycle_change.c.new))
        assert sorted((row.customer_id, row.new or "") for row in kept) == [
            ("a", "critical"),
            ("a", "promoter"),
            ("a", "warning"),
            ("b", ""),
            ("b", "clear"),
        ]


async def test_numbers_that_change_by_events_are_kept_and_not_told(store: Store) -> None:
    await World(store).customers("a")
    rows = [
        {"renewal_on": date(2027, 1, 1), "renewal_days": 40.0},
        {"renewal_on": date(2027, 1, 1), "renewal_days": 39.0},
    ]
    async with store.transaction() as connection:
        for row in (*rows, {"renewal_on": date(2028, 1, 1), "renewal_days": 404.0}):
            assert await write_lifecycles(connection, {"a": row}, now=NOW) == []
        kept = await connection.execute(
            select(lifecycle_change.c.field, lifecycle_change.c.old, lifecycle_change.c.new)
        )
        assert [tuple(row) for row in kept] == [
            ("renewal_on", None, "2027-01-01"),
            ("renewal_on", "2027-01-01", "2028-01-01"),
        ]


async def test_conditions_read_it_and_a_customer_without_a_row_has_nothing(store: Store) -> None:
    async def those(connection, condition: dict) -> list[str]:
        statement = select(customer.c.id).outerjoin(scorecard, scorecard.c.customer_id == customer.c.id)
        found = await connection.execute(statement.where(clause(parse(condition, VOCABULARY))).order_by(customer.c.id))
        return list(found.scalars())

    await World(store).customers("a", "b", "c")
    async with store.transaction() as connection:
        await write_lifecycles(connection, {"a": {"watch_level": "warning"}, "b": {"watch_level": "clear"}}, now=NOW)
        assert await those(connection, {"watch_level": {"eq": "warning"}}) == ["a"]
        assert await those(connection, {"not": {"watch_level": {"eq": "warning"}}}) == ["b", "c"]
        assert await those(connection, {"watch_level": {"exists": False}}) == ["c"]
