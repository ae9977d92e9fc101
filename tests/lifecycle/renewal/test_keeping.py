"""Renewals of all customers in the store: rows and their probabilities, past terms, records told otherwise, people's word."""

import pytest
from sqlalchemy import update

from hub.errors import NotFoundError, RefusedError
from hub.lifecycle.renewal import RenewalSettings, state_renewal, take_back_renewal
from hub.store import Store, tables
from tests.lifecycle.renewal.conftest import Renewals, day


def key(customer: str, due: int, currency: str = "USD") -> str:
    return f"{customer}:{day(due)}:{currency}"


async def test_rows_and_columns_of_all_customers(world: Renewals) -> None:
    await world.customers("auto", "far", "gone", "kept", "open", "trial")
    await world.term("1", "auto", 100, 50, auto_renew=True)
    await world.term("2", "far", 181)
    await world.term("3", "gone", -40, end=-40)
    await world.term("4", "kept", -10, end=-10)
    await world.term("5", "kept", 355, 150, start=-10)
    await world.term("6", "open", 20)
    await world.deal("d", "open", "open", 20, 900, target_amount=1000)
    await world.term("7", "trial", 20, status="trial")
    await world.risk("open", 0.25)
    await world.risk("auto", 0.9, horizon="90d")
    await world.keep()
    assert await world.statuses() == {
        key("auto", 100): "upcoming",
        key("far", 181): "upcoming",
        key("gone", -40): "churned",
        key("kept", -10): "renewed",
        key("kept", 355): "upcoming",
        key("open", 20): "due",
    }
    assert await world.standing() == {
        "auto": ("upcoming", 100, "yes", 600, 510),
        "far": (None, 181, "no", 1200, 1020),
        "gone": ("churned", -40, "no", 1200, 0),
        "kept": ("renewed", -10, "no", 1200, 1200),
        "open": ("due", 20, "no", 1000, 750),
    }
    rows = await world.rows()
    open_, auto = rows[key("open", 20)], rows[key("auto", 100)]
    assert (open_["arr"], open_["target"], open_["deal_id"], open_["running"]) == (1200, 1000, "crm:d", True)
    assert (open_["probability"], open_["probability_by"]) == (0.75, "churn_risk")
    assert (auto["probability"], auto["probability_by"], auto["notice_by"]) == (0.85, "assumed", day(70))
    kept = rows[key("kept", -10)]
    assert (kept["final"], kept["expected"], kept["probability"], kept["probability_by"]) == (1800, 1200, 1, "decided")
    assert (kept["terms"], kept["decided_on"], kept["running"]) == (["bill:4"], day(-10), False)


async def test_twice_writes_nothing_more(world: Renewals) -> None:
    await world.customers("a")
    await world.term("1", "a", 20)
    await world.keep()
    before = await world.rows()
    await world.keep(days=0)
    world.now = world.now.replace(hour=20)
    await world.keep()
    assert await world.rows() == before
    assert await world.changes() == [("a", None, "due")]


async def test_days_go_by(world: Renewals) -> None:
    await world.customers("a")
    await world.term("1", "a", 190)
    for days in (0, 10, 160, 190, 191):
        await world.keep(days=days)
    await world.change("1", ended_on=day(190))
    await world.keep(days=195)
    await world.term("2", "a", 190 + 365, 80, start=196)
    await world.keep(days=197)
    await world.keep(days=221)
    assert await world.changes() == [
        ("a", None, "upcoming"),
        ("a", "upcoming", "due"),
        ("a", "due", "overdue"),
        ("a", "overdue", "renewed"),
        ("a", "renewed", None),
    ]
    rows = await world.rows()
    assert rows[key("a", 190)]["final"] == 960
    assert await world.standing() == {"a": (None, 190 + 365 - 221, "no", 960, 816)}


async def test_a_vendor_that_moves_its_row_on_has_renewed_it(world: Renewals) -> None:
    await world.customers("a")
    await world.term("1", "a", 5)
    await world.keep()
    await world.change("1", renews_on=day(5 + 365), mrr=110.0)
    await world.keep(days=6)
    assert await world.statuses() == {key("a", 5): "renewed", key("a", 370): "upcoming"}
    row = (await world.rows())[key("a", 5)]
    assert (row["final"], row["target"], row["decided_on"], row["expected"]) == (1320, 1200, day(5), 1200)
    await world.keep(days=40)
    assert (await world.statuses())[key("a", 5)] == "renewed"


async def test_one_that_falls_due_on_another_day_was_none(world: Renewals) -> None:
    await world.customers("a", "b")
    await world.term("1", "a", 50)
    await world.term("2", "b", 50)
    await world.keep()
    await world.change("1", renews_on=day(60))
    await world.change("2", deleted=True)
    await world.keep(days=1)
    assert await world.statuses() == {key("a", 60): "upcoming"}
    assert await world.standing() == {"a": ("upcoming", 59, "no", 1200, 1020), "b": (None,) * 5}


async def test_past_terms_keep_their_status(world: Renewals) -> None:
    await world.customers("a")
    await world.term("1", "a", -500, end=-500)
    await world.term("2", "a", -135, start=-500, end=-135)
    await world.term("3", "a", 230, start=-135)
    await world.keep()
    wanted = {key("a", -500): "renewed", key("a", -135): "renewed", key("a", 230): "upcoming"}
    assert await world.statuses() == wanted
    await world.remove("1")
    await world.remove("2")
    await world.keep(days=1)
    assert await world.statuses() == wanted


async def test_currencies_are_not_added_up(world: Renewals) -> None:
    await world.customers("a")
    await world.term("1", "a", 40)
    await world.term("2", "a", 40, 50, currency="EUR")
    await world.deal("d", "a", "won", 40, 700, currency="EUR")
    await world.keep()
    rows = await world.rows()
    assert {id_: (row["status"], row["target"], row["final"]) for id_, row in rows.items()} == {
        key("a", 40, "EUR"): ("renewed", 600, 700),
        key("a", 40): ("upcoming", 1200, None),
    }


async def test_notice_taken_back_opens_it_again(world: Renewals) -> None:
    await world.customers("a")
    await world.term("1", "a", 60, notice=-3, auto_renew=False)
    await world.term("2", "a", 70, notice=-3, cancellation_kind="contraction")
    await world.keep()
    assert await world.statuses() == {key("a", 60): "churned", key("a", 70): "upcoming"}
    await world.change("1", cancelled_at=None)
    await world.keep()
    assert await world.statuses() == {key("a", 60): "upcoming", key("a", 70): "upcoming"}


async def test_the_base_rate_is_of_a_year_and_by_kind(world: Renewals) -> None:
    world.settings = RenewalSettings(enough=4, base_rate=0.5)
    names = [f"c{number}" for number in range(6)]
    await world.customers(*names, "old", "open", "auto")
    for name in names[:3]:
        await world.term(name, name, -50, auto_renew=True)
    await world.term("l", names[3], -50, auto_renew=True, end=-50)
    await world.term("m", names[4], -50, end=-50)
    await world.term("o", "old", -420, auto_renew=True, end=-420)
    await world.term("p", "open", 50)
    await world.term("q", "auto", 50, auto_renew=True)
    await world.keep()
    rows = await world.rows()
    assert (rows[key("auto", 50)]["probability"], rows[key("auto", 50)]["probability_by"]) == (0.75, "base_rate")
    assert (rows[key("open", 50)]["probability"], rows[key("open", 50)]["probability_by"]) == (0.5, "assumed")


async def test_a_merged_customer_has_none(world: Renewals) -> None:
    await world.customers("a", "b")
    await world.term("1", "a", 50)
    await world.keep()
    async with world.store.transaction() as connection:
        await connection.execute(update(tables.subscription).values(customer_id="b"))
        await connection.execute(update(tables.customer).where(tables.customer.c.id == "a").values(merged_into_id="b"))
    await world.keep()
    assert await world.standing() == {"a": (None,) * 5, "b": ("upcoming", 50, "no", 1200, 1020)}


async def test_switched_off(world: Renewals) -> None:
    await world.customers("a")
    await world.term("1", "a", 50)
    await world.keep()
    world.settings = RenewalSettings(enabled=False)
    await world.keep()
    assert await world.standing() == {"a": (None,) * 5}
    with pytest.raises(RefusedError, match="switched off"):
        await state_renewal(
            world.store, world.settings, key("a", 50), status="churned", reason="x", by="ann", now=world.now
        )


async def test_what_a_person_says_stands_beside_the_records(world: Renewals) -> None:
    await world.customers("a", "b")
    await world.term("1", "a", -5)
    await world.term("2", "b", -5)
    await world.keep()
    at = {"by": "ann", "now": world.now}
    row = await state_renewal(
        world.store, world.settings, key("a", -5), status="renewed", amount=1500, reason=" signed on paper ", **at
    )
    assert (row["status"], row["computed_status"], row["final"], row["stated_by"]) == (
        "renewed",
        "overdue",
        1500,
        "ann",
    )
    assert (row["reason"], row["expected"], row["probability_by"]) == ("signed on paper", 1200, "decided")
    assert await world.standing() == {
        "a": ("renewed", -5, "no", 1200, 1200),
        "b": ("overdue", -5, "no", 1200, 1020),
    }
    await world.keep(days=1)
    assert (await world.rows())[key("a", -5)]["final"] == 1500
    later = await state_renewal(world.store, world.settings, key("a", -5), status="churned", reason="backed out", **at)
    assert (later["status"], later["final"]) == ("churned", 0)
    back = await take_back_renewal(world.store, world.settings, key("a", -5), **at)
    assert (back["status"], back["final"], back["stated_by"]) == ("overdue", None, None)
    with pytest.raises(RefusedError, match="nobody said anything"):
        await take_back_renewal(world.store, world.settings, key("a", -5), **at)


@pytest.mark.parametrize(
    ("renewal", "said", "error", "words"),
    [
        ("a:2020-01-01:USD", {"status": "renewed"}, NotFoundError, "no renewal"),
        (key("a", -5), {"status": "due"}, RefusedError, "churned or renewed"),
        (key("a", -5), {"status": "renewed", "reason": " "}, RefusedError, "a reason is needed"),
        (key("a", -5), {"status": "churned", "amount": 5.0}, RefusedError, "only of what is renewed"),
        (key("a", -5), {"status": "renewed", "amount": -5.0}, RefusedError, "positive"),
        (key("a", -450), {"status": "churned"}, RefusedError, "too long ago"),
    ],
)
async def test_what_cannot_be_said(
    sqlite_world: Renewals, renewal: str, said: dict, error: type[Exception], words: str
) -> None:
    world = sqlite_world
    await world.customers("a")
    await world.term("0", "a", -450, end=-450)
    await world.term("1", "a", -5, start=-450)
    await world.keep()
    before = await world.rows()
    with pytest.raises(error, match=words):
        await state_renewal(
            world.store, world.settings, renewal, **{"reason": "r", "by": "ann", "now": world.now, **said}
        )
    assert await world.rows() == before
    async with world.store.reading() as connection:
        assert (await connection.execute(tables.renewal_statement.select())).all() == []


async def test_an_empty_store(store: Store) -> None:
    world = Renewals(store)
    await world.keep()
    assert await world.rows() == {}
