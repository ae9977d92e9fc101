"""Features are facts, ratios of facts and categories, in a fixed order with declared directions; missing stays missing."""

from collections.abc import Mapping
from datetime import date, timedelta

import numpy as np
import pytest

from scoring.encoding import Encoding
from scoring.facts import FACTS, FactTable
from scoring.features import FEATURES
from scoring.reasons import THEMES

DAY = date(2026, 6, 1)


def table(plans: list[str | None], **numbers: list[float]) -> FactTable:
    n = len(plans)
    columns = {name: np.full(n, np.nan) for name, fact in FACTS.items() if fact.kind == "number"}
    columns |= {name: np.array(values, dtype=np.float64) for name, values in numbers.items()}
    texts: Mapping[str, list[str | None]] = {"plan": plans, "segment": [None] * n, "csm_email": [None] * n}
    return FactTable(DAY, [f"c{i}" for i in range(n)], columns, texts)


def column(encoding: Encoding, facts: FactTable, name: str) -> list[float]:
    return [float(value) for value in encoding.matrix(facts)[:, encoding.names.index(name)]]


def test_names_signs_and_columns_are_one_order() -> None:
    encoding = Encoding({"plan": ("Pro", "Team")}, ("export", "search"))
    assert encoding.names[: len(FEATURES)] == tuple(feature.name for feature in FEATURES)
    assert encoding.names[len(FEATURES) :] == (
        "plan=Pro",
        "plan=Team",
        "events_28d:export",
        "share_28d:export",
        "events_28d:search",
        "share_28d:search",
    )
    assert len(encoding.signs) == len(encoding.names) == len(set(encoding.names))
    with_use = table(["Pro"], **{"events_28d:export": [1.0], "events_28d:search": [3.0]})
    assert encoding.matrix(with_use).shape == (1, len(encoding.names))
    assert encoding.matrix(with_use).dtype == np.float32
    assert 40 <= len(FEATURES) <= 60


def test_directions_are_declared() -> None:
    signs = dict(zip(Encoding({}, ("x",)).names, Encoding({}, ("x",)).signs, strict=True))
    falling = (
        "mau",
        "events_28d",
        "usage_trend",
        "seat_utilisation",
        "csat_90d",
        "nps_last",
        "sentiment",
        "events_28d:x",
    )
    rising: tuple[str, ...] = (
        "working_days_unused",
        "first_response_minutes_90d",
        "reopen_rate_90d",
        "mrr_per_event",
        "days_past_due",
    )
    rising += ("payment_failures_90d", "champions_lost_90d")
    either = ("tickets_90d", "tickets_open", "mrr", "tenure_days", "days_to_renewal", "share_28d:x")
    assert [signs[name] for name in falling] == [-1] * 8
    assert [signs[name] for name in rising] == [1] * 7
    assert [signs[name] for name in either] == [0] * 6


def test_what_is_only_known_of_today_is_no_feature() -> None:
    """Of who left it stands still and of who stayed it was overwritten: on past days that difference is the answer."""
    read = set().union(*(feature.reads for feature in FEATURES))
    assert {"mau", "days_since_active"} <= read
    assert not read & {"champions", "executives", "executive_silence_days", "segment", "csm_email"}
    assert not {name for name in read if name.endswith("_age_days")} - {"nps_age_days"}


def test_every_feature_has_a_theme_with_codes() -> None:
    assert {feature.theme for feature in FEATURES} <= THEMES.keys()


def test_ratios_and_trends() -> None:
    facts = table(
        [None] * 3,
        mrr=[900.0, 900.0, 900.0],
        mau=[13.0, 0.0, np.nan],
        mau_previous=[21.0, 1.0, 10.0],
        events_28d=[50.0, 0.0, 10.0],
        events_84d=[300.0, 0.0, 10.0],
        seats_purchased=[10.0, 0.0, np.nan],
    )
    encoding = Encoding({})
    # a previous month of one user is no base for a change, nor is a missing value
    assert column(encoding, facts, "mau_trend") == pytest.approx([13 / 21 - 1, np.nan, np.nan], nan_ok=True)
    assert column(encoding, facts, "usage_of_84d") == pytest.approx([0.5, np.nan, 3.0], nan_ok=True)
    assert column(encoding, facts, "mrr_per_seat") == pytest.approx([90, np.nan, np.nan], nan_ok=True)
    assert column(encoding, facts, "mrr_per_user") == pytest.approx([900 / 13, np.nan, np.nan], nan_ok=True)


def days_silent(as_of: date, last: date | None) -> float:
    facts = table([None], days_since_active=[np.nan if last is None else (as_of - last).days])
    return column(Encoding({}), FactTable(as_of, facts.customers, facts.numbers, facts.texts), "working_days_unused")[0]


def test_who_comes_on_working_days_is_never_silent() -> None:
    monday = date(2026, 11, 16)
    for ago in range(7):
        today = monday + timedelta(days=ago)
        came = today if ago < 5 else monday + timedelta(days=4)
        assert days_silent(today, came) == 0  # when the day is over
        friday = monday - timedelta(days=3)
        before = friday if ago == 0 else min(today - timedelta(days=1), monday + timedelta(days=4))
        assert days_silent(today, before) == 0  # in the morning, before anybody came


@pytest.mark.parametrize(
    ("last", "silent"),
    [
        (date(2026, 11, 19), 1),  # Thursday: Friday has passed
        (date(2026, 11, 13), 5),  # a week
        (date(2026, 11, 15), 5),  # came on a Sunday
        (date(2026, 11, 2), 14),
        (date(2026, 11, 22), 0),
    ],
)
def test_silence_in_whole_working_days(last: date, silent: int) -> None:
    assert days_silent(date(2026, 11, 22), last) == silent  # a Sunday
    assert days_silent(date(2026, 11, 21), min(last, date(2026, 11, 21))) == silent


def test_who_never_came_is_not_known_to_be_silent() -> None:
    assert np.isnan(days_silent(DAY, None))


def test_columns_that_told_nothing_are_left_out() -> None:
    facts = table(
        ["Pro", "Pro", "Team"],
        mau=[1.0, 2.0, np.nan],
        mrr=[9.0, 9.0, 9.0],
        champions_lost_90d=[0.0, np.nan, 0.0],
        wau=[np.nan, np.nan, np.nan],
    )
    encoding = Encoding({"plan": ("Pro", "Basic")})
    whole = encoding.matrix(facts)
    telling = encoding.telling(whole)
    assert telling.names == ("mrr_per_user", "mau", "plan=Pro")
    assert telling.signs == (1, -1, 0)
    assert np.array_equal(telling.matrix(facts), whole[:, encoding.places(telling)], equal_nan=True)
    assert Encoding.from_json(telling.as_json()) == telling
    # only what it keeps is asked of a table
    few = FactTable(DAY, facts.customers, {name: facts.numbers[name] for name in ("mau", "mrr")}, facts.texts)
    assert telling.matrix(few).shape == (3, 3)
    assert Encoding({}, (), ("mau", "of tomorrow")).unknown == ["of tomorrow"]


def test_missing_stays_missing_and_zero_stays_zero() -> None:
    facts = table([None, None], tickets_90d=[0.0, np.nan], nps_last=[np.nan, 0.0])
    assert column(Encoding({}), facts, "tickets_90d") == pytest.approx([0, np.nan], nan_ok=True)
    assert column(Encoding({}), facts, "nps_last") == pytest.approx([np.nan, 0], nan_ok=True)


def test_categories_are_the_common_ones_and_others_are_none_of_them() -> None:
    facts = table(["Pro"] * 12 + ["Team"] * 10 + ["Rare"] * 9 + [None])
    # the same customers on another day are not more customers
    encoding = Encoding.of([facts, facts], texts=("plan",))
    assert encoding.categories == {"plan": ["Pro", "Team"]}
    asked = table(["Team", "Rare", None])
    assert column(encoding, asked, "plan=Team") == [1, 0, 0]
    assert column(encoding, asked, "plan=Pro") == [0, 0, 0]


def test_product_features_are_counted_and_shared_out() -> None:
    encoding = Encoding({}, ("export", "search"))
    use = {"events_28d:export": [1.0, 0.0, np.nan], "events_28d:search": [3.0, 0.0, np.nan]}
    facts = table([None] * 3, **use)
    assert column(encoding, facts, "events_28d:export") == pytest.approx([1, 0, np.nan], nan_ok=True)
    assert column(encoding, facts, "share_28d:search") == pytest.approx([0.75, np.nan, np.nan], nan_ok=True)


def test_a_table_that_lacks_facts_is_refused_by_their_names() -> None:
    with pytest.raises(ValueError, match=r"lacks facts: events_28d:export$"):
        Encoding({}, ("export",)).matrix(table([None]))
    facts = table([None])
    without = FactTable(DAY, facts.customers, {"mrr": facts.numbers["mrr"]}, facts.texts)
    with pytest.raises(ValueError, match="lacks facts: active_days_28d, champions_lost_90d"):
        Encoding({}).matrix(without)


def test_an_encoding_survives_the_store() -> None:
    encoding = Encoding({"plan": ("Pro", "Team")}, ("export",))
    assert Encoding.from_json(encoding.as_json()) == encoding
