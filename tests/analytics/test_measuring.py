"""The figures from records to values, on both databases: the vectors, the reasons, and rows that add up."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from math import fsum
from typing import Any

import pytest
from sqlalchemy import event

from hub.analytics import Month, Value
from hub.analytics.definitions import NAMES, Aggregation
from hub.errors import NotFoundError, RefusedError
from hub.store import Store, tables
from hub.store.onboarding import Onboarding, begin
from tests.analytics.books import AFTER, BEFORE, INSIDE, OCTOBER, Books
from tests.schema.company import insert, scorecard_row


async def test_retention_of_a_cohort(books: Books) -> None:
    await books.moves(a=(100, 120), b=(100, 70), c=(100, 0), d=(0, 50))
    nrr, grr = [await books.value(name, basis="cohort") for name in ("nrr", "grr")]
    logos = await books.value("logo_retention")
    assert (nrr.value, grr.value, logos.value) == (190 / 300, 170 / 300, 2 / 3)
    assert (nrr.n, nrr.currency, logos.currency) == (3, "USD", None)
    assert (nrr.definition.version, nrr.definition.basis) == (1, "cohort")
    assert [(row.customer_id, row.note, row.numerator, row.denominator) for row in grr.rows()] == [
        ("c", "churned", 0.0, 100.0),
        ("b", "contracted", 70.0, 100.0),
        ("a", "expanded", 100.0, 100.0),
    ]
    counts = {
        name: (await books.value(f"{name}_customers")).value for name in ("churned", "contracted", "expanded", "new")
    }
    assert counts == {"churned": 1, "contracted": 1, "expanded": 1, "new": 1}


async def test_gross_retention_is_capped_customer_by_customer(books: Books) -> None:
    await books.moves(a=(100, 150), b=(100, 60))
    assert (await books.value("grr", basis="cohort")).value == 0.8


async def test_mrr_churn_gross_and_net(books: Books) -> None:
    await books.moves(a=(100, 120), b=(100, 70), c=(100, 0))
    found = {name: (await books.value(name)).value for name in ("mrr_churn", "gross_mrr_churn", "net_mrr_churn")}
    assert found == {"mrr_churn": 100 / 300, "gross_mrr_churn": 130 / 300, "net_mrr_churn": 110 / 300}


async def test_the_bounds_of_a_period(books: Books) -> None:
    """Who begins on the first day is new; who is not paying from it on has left in it; the last day still counts."""
    await books.customers("new", "left", "stays", "later")
    await books.term("new", 1, OCTOBER.first)
    await books.term("left", 10, BEFORE, OCTOBER.first)
    await books.term("stays", 100, BEFORE, AFTER)
    await books.term("later", 1000, AFTER)
    rows = {row.customer_id: row.note for row in (await books.value("nrr", basis="cohort")).rows()}
    assert rows == {"left": "churned", "stays": "retained"}
    assert [row.customer_id for row in (await books.value("new_customers")).rows()] == ["new"]
    assert (await books.value("arr")).value == 12 * 101


async def test_who_returns_is_neither_new_nor_retained(books: Books) -> None:
    await books.customers("back", "stays")
    await books.term("back", 10, BEFORE, date(2026, 6, 1))
    await books.term("back", 20, INSIDE)
    await books.term("stays", 100, BEFORE)
    assert (await books.value("nrr", basis="cohort")).value == 1.0
    assert (await books.value("new_customers")).value == 0
    assert (await books.value("reactivated_customers")).value == 1


async def test_currencies_are_never_added_up(books: Books) -> None:
    await books.customers("a", "b")
    await books.term("a", 100, BEFORE)
    await books.term("a", 50, BEFORE, INSIDE, currency="EUR")
    await books.term("b", 10, BEFORE, currency="EUR")
    values = (await books.measure("mrr", "logo_retention")).values
    assert [(value.definition.name, value.currency, value.value) for value in values] == [
        ("logo_retention", None, 1.0),  # a dropped its euros and still pays
        ("mrr", "EUR", 10.0),
        ("mrr", "USD", 100.0),
    ]


async def test_trials_deleted_terms_and_strangers_are_no_revenue(books: Books) -> None:
    await books.customers("a", "b", "c")
    await books.term("a", 100, BEFORE)
    await books.term("b", 100, BEFORE, status="trial")
    await books.term("c", 100, BEFORE, deleted=True)
    await books.term(None, 100, BEFORE)  # type: ignore[arg-type]  # of a company nobody knows
    assert (await books.value("mrr")).value == 100.0


async def test_lifetime_value_takes_the_six_months_before(books: Books) -> None:
    """20 customers of $100; one of those of the start left in each month before: churn is the mean of six rates."""
    names = [f"c{number:02}" for number in range(26)]
    await books.customers(*names)
    for number, name in enumerate(names):
        end = Month(2026, 4 + number).first if number < 6 else None
        await books.term(name, 100, date(2025, 1, 1), end)
    rates = [1 / size for size in range(26, 20, -1)]
    value = await books.value("ltv")
    assert value.value == pytest.approx(100 / (fsum(rates) / 6), rel=1e-12)
    assert value.components["arpa"] == 100.0
    assert value.components["months"] == 6
    assert value.components["churned"] == 6


async def test_lifetime_value_of_100_dollars_at_5_percent(books: Books) -> None:
    """One of 20 leaves in every month and one more begins: 5 % each."""
    names = [f"c{number:02}" for number in range(26)]
    await books.customers(*names)
    for month in range(6):
        await books.term(names[month], 100, date(2025, 1, 1), Month(2026, 4 + month).first)
        await books.term(names[20 + month], 100, Month(2026, 4 + month).first)
    for name in names[6:20]:
        await books.term(name, 100, date(2025, 1, 1))
    value = await books.value("ltv")
    assert value.value == pytest.approx(2000.0, rel=1e-12)
    assert {row.numerator for row in value.rows()} == {100.0}
    margin = await books.value("margin_ltv", gross_margin=0.8)
    assert margin.value == pytest.approx(1600.0, rel=1e-12)
    assert {(row.numerator, row.denominator) for row in margin.rows()} == {(80.0, value.components["mean_churn"])}
    assert (margin.given, margin.components["gross_margin"]) == ("a gross margin of 80.0%", 0.8)
    assert value.given is None
    # the current month's own churn is no part of it
    await books.term("c06", 50, INSIDE)
    assert (await books.value("ltv")).components["mean_churn"] == pytest.approx(0.05)


async def test_no_gross_margin_is_assumed(books: Books) -> None:
    await books.customers("a", "b")
    await books.term("a", 100, BEFORE)
    await books.term("b", 100, BEFORE, date(2026, 9, 1))
    assert (await books.value("ltv")).value is not None
    value = await books.value("margin_ltv")
    assert (value.value, value.reason) == (None, "no gross margin was given, and none is assumed")


async def test_lifetime_value_without_churn_is_no_number(books: Books) -> None:
    await books.customers("a")
    await books.term("a", 100, BEFORE)
    value = await books.value("ltv")
    assert value.value is None
    assert value.reason == "nobody left in the six months before 2026-10: churn is 0 and a lifetime has no end"


async def test_lifetime_value_without_a_past_is_no_number(books: Books) -> None:
    await books.customers("a")
    await books.term("a", 100, INSIDE)
    assert (await books.value("ltv")).reason == (
        "nobody paid in the six months before 2026-10, so there is no churn rate yet"
    )


async def test_renewals_due_are_another_basis(books: Books) -> None:
    await books.customers("a", "b", "c", "d")
    await books.deal("a", "won", 120, 100)
    await books.deal("b", "won", 70, 100)
    await books.deal("c", "lost", 100, 100)
    await books.deal("d", "open", 100, 100, close_on=AFTER)
    net, gross = [await books.value(name, basis="renewals_due") for name in ("nrr", "grr")]
    assert (net.value, gross.value) == (190 / 300, 170 / 300)
    assert (net.definition.basis, net.definition.version, net.n) == ("renewals_due", 1, 3)
    assert dict(net.components) == {
        "target": 300.0,
        "final": 190.0,
        "upsell": 20.0,
        "downsell": 30.0,
        "lost": 100.0,
        "forecast": 170.0,
        "still_open": 0.0,
        "deals_without_target": 0.0,
    }
    rows = {row.customer_id: (row.numerator, row.denominator) for row in net.rows()}
    assert rows == {"a": (120.0, 100.0), "b": (70.0, 100.0), "c": (0.0, 100.0)}
    assert (gross.definition.basis, sum(row.numerator for row in gross.rows())) == ("renewals_due", 170.0)


async def test_a_forecast_of_renewals_counts_no_growth(books: Books) -> None:
    await books.customers("a", "b", "c")
    await books.deal("a", "won", 150, 100)
    await books.deal("b", "open", 130, 100)
    await books.deal("c", "open", 40, 50)
    net = await books.value("nrr", basis="renewals_due")
    assert (net.components["forecast"], net.components["still_open"], net.components["upsell"]) == (250.0, 150.0, 50.0)


async def test_growth_at_renewal_is_not_known_without_targets(books: Books) -> None:
    await books.customers("a", "b")
    await books.deal("a", "won", 150, None)
    await books.deal("b", "open", 50, None)
    net, gross = [await books.value(name, basis="renewals_due") for name in ("nrr", "grr")]
    assert gross.value == 0.75
    assert (gross.components["still_open"], gross.components["deals_without_target"]) == (50.0, 2.0)
    assert net.value is None
    assert net.reason is not None
    assert "growth at renewal is not known" in net.reason


async def test_nps(books: Books) -> None:
    await books.customers("a", "b")
    for place, score in enumerate([10, 9, 9, 8, 7, 6, 0, 10, 3, 9]):
        await books.answer("ab"[place % 2], score)
    value = await books.value("nps")
    assert (value.value, value.scale, value.n) == (20.0, "0-10", 10)
    assert value.rows(1)[0].note == "detractor (6)"


async def test_the_newest_answer_of_a_contact_counts_and_no_average_of_averages(books: Books) -> None:
    await books.customers("a", "b")
    await books.answer("a", 0, of="Ann@a.example", day=date(2026, 10, 2))
    await books.answer("a", 10, of="ann@a.example", day=date(2026, 10, 31))
    await books.answer("a", 0, of="ann@a.example", day=AFTER)  # of the next window
    for _ in range(3):
        await books.answer("b", 0)  # nobody's address: three contacts
    value = await books.value("nps", minimum_answers=1)
    assert (value.value, value.n) == (-50.0, 4)  # not 0, the mean of a's 100 and b's -100
    monthly = (await books.measure("nps", last=Month(2026, 11), monthly=True, minimum_answers=1)).values
    assert [(str(each.period), each.value) for each in monthly] == [
        ("2026-10", -50.0),
        ("2026-11-01 to 2026-11-22", -100.0),
    ]


async def test_scales_are_never_mixed(books: Books) -> None:
    await books.customers("a")
    for score in (9, 10):
        await books.answer("a", score)
        await books.answer("a", score, scale="1-10")
    values = (await books.measure("nps", minimum_answers=2)).values
    assert [(value.scale, value.value, value.reason) for value in values] == [
        ("0-10", 100.0, None),
        ("1-10", None, "NPS is asked on 0-10; answers on 1-10 do not count"),
    ]


async def test_csat_and_ces_both_ways_with_a_minimum(books: Books) -> None:
    await books.customers("a")
    for score in (5, 4, 4, 2):
        await books.answer("a", score, type="csat", scale="1-5")
        await books.answer("a", score, type="ces", scale="1-7")
    values = (await books.measure("csat", "csat_mean", "ces", "ces_mean", minimum_answers=4)).values
    assert {value.definition.name: (value.value, value.scale) for value in values} == {
        "csat": (0.75, "1-5"),
        "csat_mean": (3.75, "1-5"),
        "ces": (0.25, "1-7"),
        "ces_mean": (3.75, "1-7"),
    }
    few = await books.value("csat")
    assert (few.value, few.n, few.reason) == (None, 4, "4 answers are too few; the minimum is 5")
    assert few.given == "at least 5 answers"


async def test_answers_of_nobody_known_are_counted_apart(books: Books) -> None:
    await books.customers("a")
    await books.answer("a", 10)
    await books.answer(None, 0)
    value = await books.value("nps", minimum_answers=1)
    assert (value.value, value.n, dict(value.components)) == (100.0, 1, {"of_no_known_customer": 1.0})


async def test_time_to_value(books: Books) -> None:
    """Days 1, 2+, 3, 4, 5+ since the first paid day: the median is 4."""
    names = {"one": (1, None), "two": (None, 2), "three": (3, None), "four": (4, None), "five": (None, 5)}
    await books.customers(*names, "early")
    await books.use("early", date(2026, 10, 1), users=1)  # use is on record from here
    await books.term("early", 10, date(2026, 9, 1))
    for name, (reached, left) in names.items():
        await books.term(name, 10, INSIDE, None if left is None else date(2026, 10, 10 + left))
        await books.use(name, date(2026, 10, 9), users=5)  # before it was paid for
        await books.use(name, INSIDE, users=2)  # two are not yet three
        if reached is not None:
            await books.use(name, date(2026, 10, 10 + reached), users=3, feature="export" if name == "one" else None)
    value = await books.value("time_to_value", first=Month(2026, 9))
    assert (value.value, value.n) == (4.0, 5)
    assert dict(value.components) == {"reached": 3.0, "censored": 2.0, "began_before_records_of_use": 1.0}
    assert value.given == "a day of value is one with at least 3 users"
    assert value.definition.aggregation is Aggregation.MEDIAN
    assert [(row.customer_id, row.numerator, row.denominator) for row in value.rows()] == [
        ("five", 5.0, 0.0),
        ("four", 4.0, 1.0),
        ("three", 3.0, 1.0),
        ("two", 2.0, 0.0),
        ("one", 1.0, 1.0),
    ]
    assert (await books.value("time_to_value", value_users=2)).value == 0.0
    by_event = await books.value("time_to_value", value_event="export")
    assert by_event.given == "a day of value is one with use of export"


async def test_a_median_that_is_not_reached_says_so(books: Books) -> None:
    await books.customers("a", "b", "c")
    await books.use("a", OCTOBER.first, users=1)
    for name in "abc":
        await books.term(name, 10, INSIDE)
    await books.use("a", date(2026, 10, 12), users=3)
    value = await books.value("time_to_value")
    assert value.value is None
    assert value.reason == "the median is not reached: 1 of 3 have got there, the others are censored"
    assert [row.numerator for row in value.rows()] == [43.0, 43.0, 2.0]  # until today


async def test_nothing_at_all_is_none_with_a_reason_or_zero(books: Books) -> None:
    values = (await books.measure()).values
    assert {value.definition.name for value in values} == set(NAMES)
    for value in values:
        if value.definition.aggregation is Aggregation.SUM:
            assert (value.value, value.reason) == (0.0, None)
        else:
            assert value.value is None
            assert value.reason


async def full(books: Books, customers: int) -> None:
    names = [f"c{number:02}" for number in range(customers)]
    segments = {name: ("smb", "enterprise", None)[place % 3] for place, name in enumerate(names)}
    csms = {name: f"{'ab'[place % 2]}@cs.example" for place, name in enumerate(names)}
    await books.customers(*names, segment=segments, csm_email=csms)
    for place, name in enumerate(names):
        mrr = 33.1 + 7.7 * place
        start = date(2026, 4, 10) if place % 3 == 1 else BEFORE
        left = Month(2026, 5 + place % 5).first if place % 4 == 0 else None
        await books.term(name, mrr, start, INSIDE if left is None else left, plan="Pro" if place % 2 else "Team")
        if left is None:
            await books.term(name, mrr * (0.8, 1.0, 1.3)[place % 3], INSIDE, plan="Max")
        await books.term(name, 5.5, start, date(2026, 6, 1) if place == 3 else None, currency="EUR", plan="Add-on")
        await books.answer(name, float(place % 11))
        await books.answer(name, float(place % 5 + 1), type="csat", scale="1-5")
        await books.answer(name, float(place % 7 + 1), type="ces", scale="1-7")
        await books.deal(name, ("won", "lost", "open")[place % 3], 100.0 + place, 90.0)
        await books.use(name, date(2026, 2, 1), users=1)
        await books.use(name, start + timedelta(days=place % 9), users=3)
    cards = [
        scorecard_row(name, OCTOBER.last, health=None if place % 7 == 6 else 0.03 * place)
        for place, name in enumerate(names)
    ]
    await insert(books.store, tables.scorecard, cards)
    begun = datetime(2026, 5, 1, tzinfo=UTC)
    ended = [
        Onboarding(
            id=f"onb_{name}",
            customer_id=name,
            attempt=1,
            programme="default",
            state=("completed", "failed")[place % 3 == 0],
            cause="hand",
            started_at=begun,
            value_at=None if place % 4 == 0 else begun + timedelta(days=place),
            ended_at=begun + timedelta(days=3 if place % 4 == 0 else 40),
        )
        for place, name in enumerate(names)
    ]
    async with books.store.transaction() as connection:
        await begin(connection, ended)


def again(value: Value) -> float | None:
    """The headline from the rows of the drill-down, by the definition's words."""
    rows = value.rows(10_000)
    assert len(rows) == value.n
    top = fsum(row.numerator for row in rows)
    match value.definition.aggregation:
        case Aggregation.SUM:
            return top
        case Aggregation.RATIO:
            return top / fsum(row.denominator for row in rows)
    waiting = 1.0
    for day in sorted({row.numerator for row in rows}):
        at_risk = sum(row.numerator >= day for row in rows)
        waiting *= 1 - sum(row.numerator == day and row.denominator == 1 for row in rows) / at_risk
        if waiting <= 0.5:
            return day
    return None


@pytest.mark.parametrize("by", ["segment", "csm", "plan"])
async def test_rows_make_exactly_the_headline_and_groups_make_everybody(books: Books, by: str) -> None:
    await full(books, 24)
    values = (await books.measure(first=Month(2026, 4), by=by, minimum_answers=1, gross_margin=0.75)).values
    assert {value.definition.name for value in values} == set(NAMES)
    for value in values:
        assert value.value is not None or value.group is not None, value
        if value.value is not None:
            assert value.value == again(value), value
        if value.group is None:
            same = [
                other
                for other in values
                if other.group is not None
                and (other.definition, other.currency, other.scale) == (value.definition, value.currency, value.scale)
            ]
            assert sum(other.n for other in same) == value.n
            members = [row.id for other in same for row in other.rows(10_000)]
            assert sorted(members) == sorted(row.id for row in value.rows(10_000))


@contextmanager
def counting(store: Store) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if not statement.startswith("BEGIN"):
            seen.append(statement)

    engine = store._reader.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


async def test_statements_grow_with_nothing(books: Books) -> None:
    await full(books, 3)
    with counting(books.store) as few:
        await books.measure()
    await books.customers(*(f"more{number}" for number in range(20)))
    for number in range(20):
        await books.term(f"more{number}", 10, BEFORE, currency=("USD", "EUR", "GBP")[number % 3])
    with counting(books.store) as many:
        await books.measure(first=Month(2026, 1), monthly=True, by="plan")
    assert len(few) == len(many) == 10


async def test_only_what_a_metric_needs_is_read(books_sqlite: Books) -> None:
    with counting(books_sqlite.store) as seen:
        await books_sqlite.measure("nps")
    assert len(seen) == 2
    assert not any("subscription" in statement for statement in seen)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"first": Month(2026, 11), "last": OCTOBER}, "before they begin"),
        ({"last": Month(2026, 12)}, "still to come"),
        ({"first": Month(2020, 1)}, "more than 60 months"),
        ({"by": "colour"}, "segment, csm, plan"),
        ({"minimum_answers": 0}, "at least 1"),
        ({"gross_margin": 0.0}, "above 0 and at most 1, not 0"),
        ({"gross_margin": 80.0}, "at most 1, not 80"),
    ],
)
async def test_what_cannot_be_asked(books_sqlite: Books, asked: dict[str, Any], words: str) -> None:
    with counting(books_sqlite.store) as seen, pytest.raises(RefusedError, match=words):
        await books_sqlite.measure("nrr", **asked)
    assert seen == []


async def test_an_unknown_metric_names_those_there_are(books_sqlite: Books) -> None:
    with pytest.raises(NotFoundError, match="no metric 'arpu'; there are nrr, grr, logo_retention"):
        await books_sqlite.measure("arpu")
