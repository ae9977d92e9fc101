"""Each rule of what becomes of a renewal, by hand: terms and deals of one customer in, status and amounts out."""

from dataclasses import dataclass
from datetime import date, timedelta

import pytest

from hub.lifecycle.renewal.rules import Found, find_renewals
from hub.lifecycle.renewal.settings import RenewalSettings
from hub.lifecycle.renewal.terms import falling

TODAY = date(2026, 11, 22)
SETTINGS = RenewalSettings()


def day(off: int) -> date:
    return TODAY + timedelta(days=off)


@dataclass(frozen=True)
class Term:
    """Due `due` days from today after a year, unless told otherwise."""

    id: str
    due: int | None
    mrr: float = 100.0
    start: int | None = None
    end: int | None = None
    auto: bool = False
    notice: int | None = None

    @property
    def auto_renew(self) -> bool:
        return self.auto

    @property
    def renews_on(self) -> date | None:
        return None if self.due is None else day(self.due)

    @property
    def started_on(self) -> date:
        return day(self.start if self.start is not None else (self.due or 0) - 365)

    @property
    def ended_on(self) -> date | None:
        return None if self.end is None else day(self.end)

    @property
    def noticed_on(self) -> date | None:
        return None if self.notice is None else day(self.notice)


@dataclass(frozen=True)
class Deal:
    stage: str
    close: int
    amount: float | None = None
    target_amount: float | None = None
    id: str = "d"

    @property
    def close_on(self) -> date:
        return day(self.close)


def found(*given: Term | Deal) -> list[Found]:
    terms = sorted((each for each in given if isinstance(each, Term)), key=lambda term: (term.started_on, term.id))
    return find_renewals(terms, [each for each in given if isinstance(each, Deal)], SETTINGS, today=TODAY)


def first(*given: Term | Deal) -> Found:
    return found(*given)[0]


@pytest.mark.parametrize(
    ("given", "status", "final", "decided"),
    [
        pytest.param([Term("a", 31)], "upcoming", None, None, id="31 days ahead"),
        pytest.param([Term("a", 30)], "due", None, None, id="30 days ahead"),
        pytest.param([Term("a", 0)], "due", None, None, id="today"),
        pytest.param([Term("a", -1)], "overdue", None, None, id="unsigned after its day"),
        pytest.param([Term("a", -200)], "overdue", None, None, id="unsigned for long, and still paid"),
        pytest.param([Term("a", 20), Deal("won", -2, 1500)], "renewed", 1500, -2, id="deal won ahead"),
        pytest.param([Term("a", 20), Deal("won", -2)], "renewed", 1200, -2, id="deal won without an amount"),
        pytest.param(
            [Term("a", -3, end=-3), Term("b", 362, 130, start=-3), Deal("won", -9)],
            "renewed", 1560, -9, id="deal won without an amount, and a term that follows",
        ),
        pytest.param([Term("a", -3, end=-3), Term("b", 362, 90, start=-3)], "renewed", 1080, -3, id="a term follows"),
        pytest.param(
            [Term("a", -40, end=-40), Term("b", 355, start=-10)], "renewed", 1200, -10, id="follows on the last day of grace"
        ),
        pytest.param(
            [Term("a", -40, end=-40), Term("b", 356, start=-9)], "churned", 0, -40, id="comes back after the grace"
        ),
        pytest.param([Term("a", 50, end=-5), Term("b", 360, start=-5)], "renewed", 1200, -5, id="renewed early"),
        pytest.param([Term("a", 20), Term("b", 385, start=20)], "renewed", 1200, 0, id="the next term is written already"),
        pytest.param([Term("a", 20), Deal("lost", -5, 900)], "churned", 0, -5, id="deal lost ahead"),
        pytest.param(
            [Term("a", -3, end=-3), Term("b", 362, start=-3), Deal("lost", -5)], "renewed", 1200, -3, id="paid all the same"
        ),
        pytest.param([Term("a", 20), Deal("open", 15, 900)], "due", None, None, id="an open deal decides nothing"),
        pytest.param([Term("a", -1, auto=True)], "renewed", 1200, -1, id="by itself"),
        pytest.param([Term("a", 0, auto=True)], "due", None, None, id="by itself, on the day"),
        pytest.param([Term("a", -5, auto=True), Deal("lost", -9)], "churned", 0, -9, id="by itself, with a lost deal in grace"),
        pytest.param([Term("a", -31, auto=True), Deal("lost", -9)], "renewed", 1200, -31, id="paid beyond the grace"),
        pytest.param([Term("a", -9, end=-4, auto=True)], "overdue", None, None, id="by itself, and never paid"),
        pytest.param([Term("a", -40, end=-35, auto=True)], "churned", 0, -35, id="by itself, never paid, grace over"),
        pytest.param([Term("a", 60, notice=-7)], "churned", 0, -7, id="notice was given"),
        pytest.param(
            [Term("a", 60, notice=-7), Term("b", 60, auto=True)], "upcoming", None, None, id="notice of a part alone"
        ),
        pytest.param([Term("a", -30, end=-30)], "overdue", None, None, id="ended, the grace runs"),
        pytest.param([Term("a", -31, end=-31)], "churned", 0, -31, id="ended, the grace is over"),
        pytest.param([Term("a", 50, end=-31)], "churned", 0, -31, id="ended before its day, the grace is over"),
    ],
)  # fmt: skip
def test_status(given: list[Term | Deal], status: str, final: float | None, decided: int | None) -> None:
    outcome = first(*given).outcome
    on = None if decided is None else day(decided)
    assert (outcome.status, outcome.final, outcome.decided_on) == (status, final, on)
    assert outcome.reason


def test_what_falls_due_on_a_day_is_one_renewal() -> None:
    base, extra, both = Term("base", -3, 100, end=-3), Term("extra", -3, 20, end=-3), Term("both", 362, 150, start=-3)
    (one, following) = found(base, extra, both)
    assert (one.terms, one.arr, one.target, one.outcome.final) == (("base", "extra"), 1440, 1440, 1800)
    assert (following.due_on, following.outcome.status) == (day(362), "upcoming")


def test_a_change_in_the_middle_falls_due_in_place_of_what_it_changed() -> None:
    (one,) = found(Term("a", 40, 100, end=-10), Term("b", 40, 130, start=-10))
    assert (one.terms, one.since, one.arr, one.outcome.status) == (("b",), day(40 - 365), 1560, "upcoming")
    (two,) = found(Term("a", 40, 100, end=-100), Term("b", 40, 130, start=-100, end=-10), Term("c", 40, 90, start=-10))
    assert (two.terms, two.since) == (("c",), day(40 - 365))


def test_a_change_of_another_term_does_not_renew_one_that_ended() -> None:
    lost = Term("base", -40, end=-40)
    changed = [Term("extra", 100, 20, end=-38), Term("more", 100, 30, start=-38)]
    assert [(each.terms, each.outcome.status) for each in found(lost, *changed)] == [
        (("base",), "churned"),
        (("more",), "upcoming"),
    ]


def test_a_new_term_long_before_the_day_is_an_add_on() -> None:
    statuses = [(each.terms, each.outcome.status) for each in found(Term("base", 20), Term("extra", 320, start=-45))]
    assert statuses == [(("base",), "due"), (("extra",), "upcoming")]


def test_a_follower_follows_the_renewal_nearest_to_it() -> None:
    gone, kept = Term("a", -20, end=-20), Term("b", -8, 50, end=-8)
    early, late, _ = found(gone, kept, Term("c", 357, 50, start=-8))
    assert (early.outcome.status, late.outcome.status, late.outcome.final) == ("overdue", "renewed", 600)


def test_short_terms_are_no_renewals_but_short_changes_in_the_middle_are() -> None:
    assert found(Term("month", 10, start=-20)) == []
    assert [each.terms for each in found(Term("month", 30, start=-30))] == [("month",)]
    (one,) = found(Term("a", 10, end=-20), Term("b", 10, start=-20))
    assert one.terms == ("b",)


def test_the_deal_that_counts() -> None:
    one = first(
        Term("a", 20), Deal("lost", 18, 10, id="1"), Deal("open", -60, 20, 1300, id="2"), Deal("open", 19, 30, id="3")
    )
    assert (one.deal_id, one.target, one.arr, one.outcome.status) == ("3", 1200, 1200, "due")
    won = first(Term("a", 20), Deal("open", 20, id="1"), Deal("won", -90, 20, 1300, id="2"))
    assert (won.deal_id, won.target, won.outcome.final) == ("2", 1300, 20)
    assert first(Term("a", 20), Deal("won", 20 - 121)).deal_id is None
    soon, later = found(Term("a", 20), Term("b", 100, start=-265), Deal("lost", 70))
    assert (soon.deal_id, later.deal_id) == (None, "d")


def test_by_itself_only_where_all_that_goes_on_does() -> None:
    own = first(Term("a", 40, auto=True))
    assert (own.auto, own.notice_by) == (True, day(10))
    assert first(Term("a", 40, auto=True), Term("b", 40)).auto is False
    assert first(Term("a", 40, auto=True), Term("b", 40, notice=-3)).auto is True
    assert first(Term("a", 40, notice=-3)).auto is False


def test_by_itself_at_what_still_runs() -> None:
    one = first(Term("a", -10, 100, auto=True), Term("b", -10, 40, auto=True, end=-10))
    assert (one.target, one.outcome.status, one.outcome.final) == (1680, "renewed", 1200)


def test_followers_by_day() -> None:
    groups = falling([Term("a", -3, end=-3), Term("b", 362, start=-3)], grace=30, shortest_term=60)  # type: ignore[list-item]  # a Term has the fields that are read
    assert [(each.due_on, [term.id for term in each.followers]) for each in groups] == [
        (day(-3), ["b"]),
        (day(362), []),
    ]
