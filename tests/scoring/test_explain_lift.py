"""Lifts: the cheapest way by hand, verified by scoring again, bounds, what is out of reach, and always the same answer."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from itertools import product
from typing import Any

import numpy as np
import pytest

from hub.documents import Document
from hub.model.actions import Band
from hub.resources import CONFIG
from scoring.beside import beside_the_others
from scoring.book import HealthBook
from scoring.book_file import load as load_book
from scoring.curves import TENURE
from scoring.definition import HealthDefinition, load
from scoring.facts import FACTS, FactTable
from scoring.health import score
from scoring.last_known import LastKnown
from scoring.lift import PER_FACT, Lift, find
from scoring.measures import discover

DAY = date(2026, 6, 30)
BANDS = """
bands:
  critical: {from: 0, below: 0.3}
  warning: {from: 0.3, below: 0.5}
  stable: {from: 0.5, below: 0.7}
  healthy: {from: 0.7}
"""
SHIPPED = load(Document.read(CONFIG / "health.yaml"))
NEUTRAL: dict[str, float] = {
    "seats_purchased": 20,
    "dau": 4,
    "wau": 8,
    "mau": 11,
    "mau_previous": 11,
    "mean_dau_28d": 4,
    "events_28d": 400,
    "events_previous_28d": 480,
    "usage_trend": -1 / 6,
    "sessions_28d": 66,
    "logins_per_user_week": 1.5,
    "minutes_per_session": 9,
    "stickiness": 4 / 11,
    "events_per_user_28d": 400 / 11,
    "features_used_28d": 3,
    "feature_adoption": 0.3,
    "seat_utilisation": 0.55,
    "tickets_90d": 6,
    "urgent_tickets_90d": 3,
    "first_response_minutes_90d": 600,
    "resolution_hours_90d": 90,
    "csat_90d": 0.6,
    "csat_answers_90d": 5,
    "nps_mean_180d": 6,
    "nps_answers_180d": 2,
}


def definition(groups: str) -> HealthDefinition:
    return load(Document.from_text(f"{BANDS}\ngroups: {groups}\n", name="health.yaml"))


def table(*rows: Mapping[str, float | None]) -> FactTable:
    columns: dict[str, list[Any]] = {"customer_id": [f"c{number}" for number in range(len(rows))]}
    for fact in FACTS:
        columns[fact] = ["smb" if fact == "segment" else row.get(fact) for row in rows]
    return FactTable.of(DAY, columns)


def scored_again(given: FactTable, index: int, lift: Lift, with_: HealthDefinition) -> tuple[float, Band | None]:
    numbers = {name: column.copy() for name, column in given.numbers.items()}
    for fact, value in lift.facts.items():
        numbers[fact][index] = value
    health = score(FactTable(DAY, given.customers, numbers, given.texts), with_)
    return float(health.score[index]), health.bands[index]


TWO = definition(
    """
  engagement:
    weight: 0.5
    of:
      login_frequency: {weight: 1, curve: {points: [[0, 0], [4, 1]]}}
  support:
    weight: 0.5
    of:
      ticket_severity: {weight: 1, curve: {points: [[0, 1], [4, 0]]}}
"""
)


def test_the_cheapest_way_by_hand() -> None:
    given = table({**NEUTRAL, "logins_per_user_week": 2, "urgent_tickets_90d": 2})
    lift = find(given, 0, TWO, Band.HEALTHY)
    # 0.5 -> 0.7: two urgent tickets less give 0.25 for 2 steps; logins need four steps of 0.0625
    assert [(move.fact, move.before, move.after, move.steps) for move in lift.moves] == [
        ("urgent_tickets_90d", 2, 0, 2)
    ]
    assert (lift.reached, lift.score, lift.lifted_score) == (True, pytest.approx(0.5), pytest.approx(0.75))
    assert (lift.band, lift.lifted_band, lift.note) == (Band.STABLE, Band.HEALTHY, None)
    assert scored_again(given, 0, lift, TWO) == (pytest.approx(0.75), Band.HEALTHY)


def test_facts_made_of_a_moved_one_move_along() -> None:
    given = table({**NEUTRAL, "logins_per_user_week": 2, "sessions_28d": 80, "urgent_tickets_90d": 0})
    lift = find(given, 0, TWO, Band.HEALTHY)
    assert lift.reached
    assert lift.moves == ()
    given = table({**NEUTRAL, "logins_per_user_week": 1, "sessions_28d": 40, "urgent_tickets_90d": 0})
    lift = find(given, 0, TWO, Band.HEALTHY)
    assert lift.facts == {"logins_per_user_week": 2, "sessions_28d": 80}


def test_every_single_and_double_way_is_no_cheaper() -> None:
    given = table(NEUTRAL)
    lift = find(given, 0, SHIPPED, Band.STABLE)
    assert lift.reached
    price = sum(move.steps for move in lift.moves) + PER_FACT * len(lift.moves)
    levers = {name: m.lever for name, m in discover().items() if m.lever}
    cheaper = 0
    for one, other in product(levers.values(), repeat=2):
        for steps in range(1, price - (PER_FACT if one is other else 2 * PER_FACT)):
            moved = {one.fact: _step(one, NEUTRAL, steps)}
            if one is not other:
                rest = price - 1 - steps - 2 * PER_FACT
                if rest < 1:
                    continue
                moved[other.fact] = _step(other, NEUTRAL, rest)
            health = score(table({**NEUTRAL, **moved}), SHIPPED)
            cheaper += health.bands[0] in (Band.STABLE, Band.HEALTHY)
    assert cheaper == 0


def _step(lever: Any, facts: Mapping[str, float], steps: int) -> float:
    value = facts[lever.fact] + lever.step * min(steps, lever.most)
    bound = lever.goal
    if lever.limit in facts:
        bound = (max if lever.step < 0 else min)(bound, facts[lever.limit])
    return float((max if lever.step < 0 else min)(value, bound))


@pytest.mark.parametrize("seed", range(12))
def test_what_is_promised_is_what_scoring_gives(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows: list[dict[str, float | None]] = []
    for _ in range(14):
        row: dict[str, float | None] = {name: value * float(rng.uniform(0.3, 1.4)) for name, value in NEUTRAL.items()}
        for name in ("csat_90d", "feature_adoption", "stickiness"):
            row[name] = min(row[name] or 0, 1.0)
        if rng.random() < 0.3:
            row["first_response_minutes_90d"] = row["resolution_hours_90d"] = None
        rows.append(row)
    given = table(*rows)
    index = int(rng.integers(14))
    for target in (Band.WARNING, Band.STABLE, Band.HEALTHY):
        lift = find(given, index, SHIPPED, target)
        again, band = scored_again(given, index, lift, SHIPPED)
        assert lift.lifted_score == pytest.approx(again, abs=1e-12)
        assert lift.lifted_band == band
        assert band is not None
        assert lift.reached == (list(Band).index(band) >= list(Band).index(target))
        assert (lift.note is None) == lift.reached
        assert find(given, index, SHIPPED, target) == lift
        for move in lift.moves:
            assert move.before != move.after


def test_bounds_are_kept() -> None:
    given = table({**NEUTRAL, "seats_purchased": 12, "mau": 11, "wau": 11, "mean_dau_28d": 11})
    lift = find(given, 0, SHIPPED, Band.HEALTHY)
    moved = {move.fact: move.after for move in lift.moves}
    assert moved.get("mau", 0) <= 12
    assert "wau" not in moved
    assert "mean_dau_28d" not in moved


def test_out_of_reach_says_so_and_gives_the_best() -> None:
    only_trend = definition("{usage: {weight: 1, of: {usage_trend: {weight: 0.8}, mau: {weight: 0.2}}}}")
    given = table({**NEUTRAL, "usage_trend": -0.9})
    lift = find(given, 0, only_trend, Band.HEALTHY)
    assert (lift.reached, lift.band, lift.lifted_band) == (False, Band.CRITICAL, Band.CRITICAL)
    assert lift.moves == ()
    assert lift.note == (
        "Nothing people can practically do reaches healthy; in reach is critical, "
        f"{100 * (lift.score or 0):.1f} of 100, as it is"
    )


def test_the_best_reachable_band_is_shown_with_what_it_needs() -> None:
    given = table({**NEUTRAL, "logins_per_user_week": 0.2, "urgent_tickets_90d": 4})
    half = definition("{all: {weight: 1, of: {login_frequency: {weight: 0.5}, usage_trend: {weight: 0.5}}}}")
    lift = find(given, 0, half, Band.HEALTHY)
    assert not lift.reached
    assert (lift.band, lift.lifted_band) == (Band.CRITICAL, Band.STABLE)
    (move,) = lift.moves
    assert move.fact == "logins_per_user_week"
    assert "in reach is stable" in (lift.note or "")
    assert scored_again(given, 0, lift, half)[1] is Band.STABLE


def test_without_a_score_there_is_nothing_to_lift() -> None:
    lift = find(table({"tickets_90d": 1, "urgent_tickets_90d": 1}), 0, SHIPPED, Band.STABLE)
    assert (lift.reached, lift.score, lift.moves) == (False, None, ())
    assert lift.note is not None
    assert lift.note.startswith("there is no score to lift: Only ")


def test_a_band_held_by_what_was_lost_is_not_promised_away() -> None:
    lost = definition("{all: {weight: 1, of: {login_frequency: {weight: 0.6}, ticket_severity: {weight: 0.4}}}}")
    given = table({"logins_per_user_week": 5})
    free = find(given, 0, lost, Band.HEALTHY)
    held = find(given, 0, lost, Band.HEALTHY, before={"ticket_severity": LastKnown(np.zeros(1), np.ones(1))})
    assert (free.reached, free.band) == (True, Band.HEALTHY)
    assert (held.reached, held.band) == (False, Band.STABLE)
    assert "losing data is no improvement" in (held.note or "")


def test_more_than_three_facts_where_three_are_not_enough() -> None:
    given = table(NEUTRAL)
    lift = find(given, 0, SHIPPED, Band.HEALTHY)
    assert lift.reached
    assert len(lift.moves) > 3
    assert scored_again(given, 0, lift, SHIPPED)[1] is Band.HEALTHY
    for needless in lift.moves:
        others = {name: value for name, value in lift.facts.items() if name in {m.fact for m in lift.moves}}
        others[needless.fact] = needless.before
        without = {**NEUTRAL, **lift.facts, **others}
        if needless.fact == "mean_dau_28d":
            without["stickiness"] = NEUTRAL["stickiness"]
        assert score(table(without), SHIPPED).bands == [Band.STABLE], needless


def test_the_best_in_reach_is_as_cheap_as_if_it_had_been_asked_for() -> None:
    given = table(
        {
            **NEUTRAL,
            "wau": 3,
            "mau": 6,
            "mean_dau_28d": 1,
            "feature_adoption": 0.1,
            "usage_trend": -0.6,
            "csat_90d": 0.2,
        }
    )
    stable, healthy = (find(given, 0, SHIPPED, band) for band in (Band.STABLE, Band.HEALTHY))
    assert (stable.reached, healthy.reached) == (True, False)
    assert healthy.moves == stable.moves
    assert len(stable.moves) == 3
    assert (healthy.lifted_score, healthy.lifted_band) == (stable.lifted_score, Band.STABLE)


@pytest.mark.parametrize("count", [3, 12, 30])
def test_one_beside_the_others_reads_as_among_them(count: int) -> None:
    rng = np.random.default_rng(count)
    rows = [{**NEUTRAL, "events_per_user_28d": float(rng.integers(1, 8))} for _ in range(count)]
    given = table(*rows)
    given.texts["segment"][: count // 2] = ["enterprise"] * (count // 2)  # type: ignore[index]  # a list, as made here
    whole = score(given, SHIPPED)
    for index in range(count):
        alone = beside_the_others(SHIPPED, given, index)
        row = FactTable(
            DAY,
            [given.customers[index]],
            {name: column[[index]] for name, column in given.numbers.items()},
            {name: [texts[index]] for name, texts in given.texts.items()},
        )
        assert float(score(row, alone).score[0]) == pytest.approx(float(whole.score[index]), abs=1e-12)
    assert not alone.relative


def test_levers_name_facts_there_are_and_move_towards_their_goal() -> None:
    levers = {name: each.lever for name, each in discover().items() if each.lever is not None}
    assert len(levers) == 16
    for name, lever in levers.items():
        assert lever.fact in discover()[name].facts, name
        others = {*lever.along, *lever.against} | ({lever.limit} if lever.limit else set())
        assert others <= set(FACTS), name
        assert lever.fact not in others, name
        assert lever.most >= 1, name
        before = discover()[name].curve.key()
        ends = [reading for _, reading in before.get("points", [])]
        rises = (ends[-1] > ends[0]) != (name == "champion_change")  # whose input falls as champions are won
        assert rises == (lever.step > 0), name


def book_of(main: str, variant: str, when: str) -> HealthBook:
    head = f"when: {when}\npriority: 1\n"
    return load_book(
        Document.from_text(f"{BANDS}\ngroups: {main}\n", name="health.yaml"),
        {"other": Document.from_text(f"{head}{BANDS}\ngroups: {variant}\n", name="other.yaml")},
    )


LOGINS = "{all: {weight: 1, of: {login_frequency: {weight: 1, curve: {points: [[0, 0], [4, 1]]}}}}}"
STRICT = "{all: {weight: 1, of: {login_frequency: {weight: 1, curve: {points: [[0, 0], [8, 1]]}}}}}"


def test_the_definition_of_the_customer_decides() -> None:
    book = book_of(LOGINS, STRICT, "{segment: {eq: smb}}")
    given = table({**NEUTRAL, "logins_per_user_week": 2.5})
    lift = find(given, 0, book, Band.STABLE)
    assert (lift.score, lift.band) == (pytest.approx(2.5 / 8), Band.WARNING)
    assert lift == find(given, 0, book.variants[0].definition, Band.STABLE)
    given.texts["segment"][0] = "enterprise"  # type: ignore[index]  # a list, as made here
    assert find(given, 0, book, Band.STABLE).band is Band.STABLE


def test_what_would_bring_a_stricter_definition_into_force_is_not_promised() -> None:
    book = book_of(LOGINS, STRICT, "{logins_per_user_week: {gt: 3}}")
    given = table({**NEUTRAL, "logins_per_user_week": 1.5})
    stable, healthy = (find(given, 0, book, band) for band in (Band.STABLE, Band.HEALTHY))
    assert (stable.reached, stable.lifted_band) == (True, Band.STABLE)
    assert stable.facts["logins_per_user_week"] <= 3
    # a step is 0.5 here: 2.5 is 0.62, 3 is 0.75, and beyond 3 the stricter definition reads 0.44
    assert healthy.reached
    assert healthy.facts["logins_per_user_week"] == pytest.approx(3)
    assert healthy.lifted_score == pytest.approx(0.75)
    none = find(table({**NEUTRAL, "logins_per_user_week": 3.25}), 0, book, Band.HEALTHY)
    assert (none.reached, none.band) == (False, Band.WARNING)


def test_nobody_is_made_older() -> None:
    for name, each in discover().items():
        if each.lever is not None:
            assert TENURE not in {each.lever.fact, *each.lever.along, *each.lever.against}, name
    measure = discover()["login_frequency"]
    assert measure.lever is not None
    ageing = replace(
        measure, lever=replace(measure.lever, fact=TENURE, step=100, goal=1000, along=("logins_per_user_week",))
    )
    with_it = load(
        Document.from_text(f"{BANDS}\ngroups: {LOGINS}\n", name="health.yaml"), measures={"login_frequency": ageing}
    )
    lift = find(table({**NEUTRAL, TENURE: 50, "logins_per_user_week": 1}), 0, with_it, Band.HEALTHY)
    assert (lift.reached, lift.moves) == (False, ())


def test_what_is_held_or_too_old_cannot_be_moved() -> None:
    measures = {
        "login_frequency": replace(discover()["login_frequency"], age="nps_age_days"),
        "ticket_severity": discover()["ticket_severity"],
    }
    limited = load(
        Document.from_text(
            f"{BANDS}\ngroups: {{all: {{weight: 1, of: {{ticket_severity: {{weight: 0.5}}, login_frequency: "
            "{weight: 0.5, stale_after_days: 10, missing: {hold_days: 9, then: neutral}}}}}\n",
            name="health.yaml",
        ),
        measures=measures,
    )
    rows = {**NEUTRAL, "logins_per_user_week": 1, "urgent_tickets_90d": 4, "nps_age_days": 30}
    known = {"login_frequency": LastKnown(np.array([0.3]), np.array([4.0]))}
    lift = find(table(rows), 0, limited, Band.HEALTHY, before=known)
    assert lift.score == pytest.approx(0.5 * score(table(rows), limited).readings[0].value[0] + 0.5 * 0.3)
    assert {move.measure for move in lift.moves} <= {"ticket_severity"}
    assert (lift.reached, lift.lifted_band) == (False, Band.STABLE)


def test_one_beside_the_others_reads_as_among_them_at_every_tenure() -> None:
    staged = definition(
        "{all: {weight: 1, of: {login_frequency: {weight: 1, by_tenure: ["
        "{from_days: 0, curve: {points: [[0, 0.2], [4, 1]]}}, {from_days: 90, curve: {percentile: higher}}]}}}}"
    )
    rng = np.random.default_rng(3)
    rows = [
        {**NEUTRAL, "logins_per_user_week": float(rng.integers(0, 6)), TENURE: float(rng.integers(0, 200))}
        for _ in range(24)
    ]
    given = table(*rows)
    whole = score(given, staged)
    for index in range(24):
        alone = beside_the_others(staged, given, index)
        assert not alone.relative
        assert float(score(table(rows[index]), alone).score[0]) == pytest.approx(float(whole.score[index]), abs=1e-12)
