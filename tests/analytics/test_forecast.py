"""The forecast of renewals by hand: both bases, three scenarios, and what is still to show in ARR."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from hub.analytics.forecast import Forecast, forecast, parse_period
from hub.errors import RefusedError
from hub.lifecycle.renewal import RenewalSettings, keep_renewals
from hub.store import Store
from tests.analytics.books import Books

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
TODAY = NOW.date()
SETTINGS = RenewalSettings(base_rate=0.8)


class Due(Books):
    async def due(self, customer: str, on: date, mrr: float, end: date | None = None, **columns: Any) -> None:
        """A term of a year that falls due on a day."""
        plain = {"auto_renew": False, "cancelled_at": None}
        await self.term(customer, mrr, on - timedelta(days=365), end, **{**plain, "renews_on": on, **columns})

    async def next(self, customer: str, on: date, mrr: float) -> None:
        await self.term(customer, mrr, on, auto_renew=False, renews_on=on + timedelta(days=365))

    async def forecast(self, period: str = "2026-Q4") -> tuple[Forecast, ...]:
        await keep_renewals(self.store, SETTINGS, now=NOW)
        return await forecast(self.store, period, now=NOW)


@pytest.fixture
def books(store: Store) -> Due:
    return Due(store)


def values(found: Forecast, scenario: str = "expected") -> dict[str, float | None]:
    return {
        f"{basis} {metric}": None if (value := found.figure(metric, basis, scenario).value) is None else round(value, 6)
        for basis in ("renewals_due", "cohort")
        for metric in ("grr", "nrr")
    }


async def test_both_bases(books: Due) -> None:
    """a grew at renewal, b shrank, c is lost, d is open at 0.8, e renews by itself past its notice, f only pays."""
    await books.customers(*"abcdef")
    october, december = date(2026, 10, 10), date(2026, 12, 10)
    await books.due("a", october, 100, october)
    await books.next("a", october, 120)
    await books.due("b", october, 100, october)
    await books.next("b", october, 70)
    await books.due("c", october, 100, october)
    await books.due("d", december, 50)
    await books.due("e", december, 50, auto_renew=True)
    await books.term("f", 100, date(2026, 1, 1), auto_renew=False)
    (usd,) = await books.forecast()
    assert (usd.currency, usd.count, usd.decided) == ("USD", 5, 3)
    assert (usd.target, usd.renewed, usd.upsell, usd.downsell, usd.lost) == (4800, 2280, 240, 360, 1200)
    assert (usd.still_open, usd.overdue, usd.by_itself, usd.sources) == (1200, 0, 600, {"assumed": 2})
    # kept 1200 of a and 840 of b; open: 600 and 600 at 0.8; e's notice was possible until 10 November
    assert (usd.expected, usd.committed, usd.best_case) == (3000, 2640, 3240)
    assert values(usd) == {
        "renewals_due grr": 0.625,  # 3000 / 4800
        "renewals_due nrr": 0.675,  # 3240 / 4800
        # start 6000; at the end a 1440, b 840, c 0, d and e 480 each, f 1200
        "cohort grr": 0.7,  # (1200 + 840 + 480 + 480 + 1200) / 6000
        "cohort nrr": 0.74,
    }
    assert values(usd, "committed") == {
        "renewals_due grr": 0.55,  # 2640 / 4800
        "renewals_due nrr": 0.6,
        "cohort grr": 0.64,  # (1200 + 840 + 600 + 1200) / 6000
        "cohort nrr": 0.68,
    }
    assert values(usd, "best_case") == {
        "renewals_due grr": 0.675,
        "renewals_due nrr": 0.725,
        "cohort grr": 0.74,
        "cohort nrr": 0.78,
    }
    figure = usd.figure("grr", "cohort")
    assert (figure.numerator, figure.denominator) == (4200, 6000)
    assert "start" in figure.formula


async def test_growth_hides_no_loss(books: Due) -> None:
    """A 100 -> 150 and B 100 -> 60 is gross 80 %, not 100 %, on either basis."""
    await books.customers("a", "b")
    on = date(2026, 10, 10)
    for name, after in (("a", 150), ("b", 60)):
        await books.due(name, on, 100, on)
        await books.next(name, on, after)
    (usd,) = await books.forecast("2026-10")
    assert values(usd) == {"renewals_due grr": 0.8, "renewals_due nrr": 1.05, "cohort grr": 0.8, "cohort nrr": 1.05}


async def test_a_customer_is_capped_in_each_way_it_may_come(books: Due) -> None:
    """Bought an add-on in October; its base of 1200 is open at 0.8: 0.8 x min(1800, 1200) + 0.2 x min(600, 1200) = 1080."""
    await books.customers("a")
    await books.due("a", date(2026, 12, 10), 100)
    await books.term("a", 50, date(2026, 10, 10), auto_renew=False)
    (usd,) = await books.forecast()
    assert values(usd) == {"renewals_due grr": 0.8, "renewals_due nrr": 0.8, "cohort grr": 0.9, "cohort nrr": 1.3}


async def test_what_is_decided_and_still_to_show(books: Due) -> None:
    """a's deal for more is won ahead, b gave notice, c is overdue and still paid, d has ended and may come back."""
    await books.customers(*"abcd")
    december = date(2026, 12, 10)
    await books.due("a", december, 100)
    await books.deal("a", "won", 1500, 1300, close_on=TODAY)
    await books.due("b", december, 100, cancelled_at=NOW - timedelta(days=3))
    await books.due("c", date(2026, 11, 20), 100)
    await books.due("d", date(2026, 11, 20), 100, date(2026, 11, 20))
    (usd,) = await books.forecast()
    assert (usd.target, usd.renewed, usd.upsell, usd.lost, usd.overdue) == (4900, 1500, 200, 1200, 2400)
    assert (usd.expected, usd.committed, usd.best_case) == (3220, 1300, 3700)
    assert values(usd) == {
        "renewals_due grr": round(3220 / 4900, 6),
        "renewals_due nrr": round(3420 / 4900, 6),
        "cohort grr": 0.65,  # (1200 + 0 + 960 + 960) / 4800
        "cohort nrr": 0.7125,  # (1500 + 0 + 960 + 960) / 4800
    }


async def test_currencies_and_periods(books: Due) -> None:
    await books.customers("a", "b")
    await books.due("a", date(2027, 1, 31), 100)
    await books.due("b", date(2027, 2, 1), 10, currency="EUR")
    eur, usd = await books.forecast("2027-01")
    assert [(each.currency, each.count, each.target) for each in (eur, usd)] == [("EUR", 0, 0), ("USD", 1, 1200)]
    nothing = eur.figure("grr", "renewals_due")
    assert (nothing.value, nothing.reason) == (None, "nothing falls due in 2027-01")
    assert eur.figure("grr", "cohort").value == 1
    assert usd.figure("nrr", "cohort").value == 0.8


async def test_a_period_that_is_over_is_its_balances(books: Due) -> None:
    await books.customers("a")
    await books.due("a", date(2026, 8, 10), 100)
    (usd,) = await books.forecast("2026-Q3")
    assert (usd.overdue, usd.expected) == (1200, 960)
    assert values(usd) == {"renewals_due grr": 0.8, "renewals_due nrr": 0.8, "cohort grr": 1, "cohort nrr": 1}


async def test_an_empty_store(books: Due) -> None:
    assert await books.forecast() == ()


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2026-12", date(2026, 12, 1), date(2026, 12, 31)),
        ("2026-q1", date(2026, 1, 1), date(2026, 3, 31)),
        (" 2026-Q4 ", date(2026, 10, 1), date(2026, 12, 31)),
    ],
)
def test_periods(text: str, first: date, last: date) -> None:
    assert (parse_period(text).first, parse_period(text).last) == (first, last)


@pytest.mark.parametrize("text", ["2026", "2026-Q5", "2026-13", "soon", "0000-Q1"])
def test_no_periods(text: str) -> None:
    with pytest.raises(RefusedError, match="2026-Q4"):
        parse_period(text)
