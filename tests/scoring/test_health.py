"""Health by hand: renormalising, policies, coverage, bands, and that losing a source never raises one."""

from datetime import date

import numpy as np
import pytest

from hub.documents import Document
from hub.model.actions import Band
from hub.resources import CONFIG
from scoring.curves import Points
from scoring.definition import HealthDefinition, load
from scoring.facts import FACTS, FactTable
from scoring.health import Health, score
from scoring.last_known import LastKnown
from scoring.measure import Measure

NAN = float("nan")
BANDS = """
bands:
  critical: {from: 0, below: 0.3}
  warning: {from: 0.3, below: 0.5}
  stable: {from: 0.5, below: 0.7}
  healthy: {from: 0.7}
"""


def plain_measure(name: str, fact: str, live: str) -> Measure:
    """A measure whose reading is its fact."""
    return Measure(
        name=name,
        group="usage",
        meaning="",
        facts=(fact,),
        live=live,
        unit="",
        curve=Points(((0, 0), (1, 1))),
        value=lambda columns: columns[fact],
        sentence=lambda value, facts: f"{name} is {value:.2f}",
    )


A = plain_measure("a", "seat_utilisation", "dau")
B = plain_measure("b", "stickiness", "dau")
C = plain_measure("c", "csat_90d", "csat_answers_90d")
MEASURES = {measure.name: measure for measure in (A, B, C)}


def definition(groups: str, *, floor: float = 0.5) -> HealthDefinition:
    text = f"coverage_floor: {floor}\n{BANDS}\ngroups: {groups}\n"
    return load(Document.from_text(text, name="health.yaml"), measures=MEASURES)


def three(missing: str, *, floor: float = 0.5) -> HealthDefinition:
    return definition(
        f"{{a: {{weight: 0.5}}, b: {{weight: 0.3, missing: {missing}}}, c: {{weight: 0.2}}}}", floor=floor
    )


def table(*, segment: str | None = None, **values: list[float]) -> FactTable:
    n = max((len(column) for column in values.values()), default=1)
    numbers = {
        name: np.array(values.get(name, [NAN] * n), dtype=np.float64)
        for name, fact in FACTS.items()
        if fact.kind == "number"
    }
    return FactTable(date(2026, 6, 30), [f"c{i}" for i in range(n)], numbers, {"segment": [segment] * n})


def abc(a: float, b: float, c: float, *, usage_alive: bool = True, csat_alive: bool = True) -> FactTable:
    return table(
        seat_utilisation=[a],
        stickiness=[b],
        csat_90d=[c],
        dau=[1.0 if usage_alive else NAN],
        csat_answers_90d=[5.0 if csat_alive else NAN],
    )


def contributions(health: Health, index: int = 0) -> dict[str, float]:
    return {reading.place.leaf.name: float(reading.contribution[index]) for reading in health.readings}


@pytest.mark.parametrize(
    ("missing", "expected"), [("exclude", 53 / 70), ("neutral", 0.68), ("poor", 0.53)], ids=["75.7", "68", "53"]
)
def test_the_policy_for_missing_data_is_the_number(missing: str, expected: float) -> None:
    health = score(abc(0.9, NAN, 0.4), three(missing))
    assert health.score[0] == pytest.approx(expected, abs=1e-12)
    assert health.coverage[0] == pytest.approx(0.7, abs=1e-12)
    assert sum(contributions(health).values()) == pytest.approx(expected, abs=1e-12)


def test_weights_are_scaled_up_inside_their_group() -> None:
    nested = definition(
        "{one: {weight: 0.6, of: {a: {weight: 0.5}, b: {weight: 0.5}}}, two: {weight: 0.4, of: {c: {weight: 1}}}}"
    )
    health = score(abc(1.0, NAN, 0.0), nested)
    assert health.score[0] == pytest.approx(0.6, abs=1e-12)
    assert health.coverage[0] == pytest.approx(0.7, abs=1e-12)
    flat = definition("{a: {weight: 0.3}, b: {weight: 0.3}, c: {weight: 0.4}}")
    assert score(abc(1.0, NAN, 0.0), flat).score[0] == pytest.approx(3 / 7, abs=1e-12)


def test_a_group_without_any_data_leaves_its_weight_to_the_others() -> None:
    nested = definition(
        "{one: {weight: 0.6, of: {a: {weight: 0.5}, deep: {weight: 0.5, of: {b: {weight: 1}}}}}, "
        "two: {weight: 0.4, of: {c: {weight: 1}}}}"
    )
    health = score(abc(0.8, 0.6, NAN), nested)
    assert health.score[0] == pytest.approx(0.7, abs=1e-12)
    assert contributions(health) == pytest.approx({"a": 0.4, "b": 0.3, "c": 0.0})
    assert [reading.place.group for reading in health.readings] == ["one", "one", "two"]


def test_contributions_and_weights_add_up_for_everybody() -> None:
    random = np.random.default_rng(7)
    columns = {name: random.random(500) for name in ("seat_utilisation", "stickiness", "csat_90d")}
    for column in columns.values():
        column[random.random(500) < 0.3] = NAN
    nested = definition(
        "{one: {weight: 0.55, of: {a: {weight: 0.37}, b: {weight: 0.63, missing: neutral}}}, c: {weight: 0.45}}",
        floor=0,
    )
    health = score(table(**{name: list(column) for name, column in columns.items()}), nested)
    scored = ~np.isnan(health.score)
    assert scored.all(), "one of them is read as 0.5 where it is missing"
    summed = np.sum([reading.contribution for reading in health.readings], axis=0)
    np.testing.assert_allclose(summed, health.score, atol=1e-9, rtol=0)
    np.testing.assert_allclose(np.sum([reading.weight for reading in health.readings], axis=0), 1, atol=1e-9)


def test_below_the_coverage_floor_there_is_no_score_and_a_note_says_why() -> None:
    health = score(abc(NAN, 0.9, 0.9), three("exclude", floor=0.6))
    assert np.isnan(health.score[0])
    assert list(health.bands) == [None]
    assert health.coverage[0] == pytest.approx(0.5)
    assert health.notes == ["Only 50 % of the weight has data, less than the 60 % needed for a score; missing: a"]
    assert score(abc(NAN, 0.9, 0.9), three("exclude")).bands == [Band.HEALTHY]  # just covered


def test_a_policy_does_not_count_as_data() -> None:
    everything_filled = definition("{a: {weight: 1, missing: poor}}")
    health = score(abc(NAN, NAN, NAN), everything_filled)
    assert (health.bands, health.coverage[0]) == ([None], 0)


def test_a_measure_of_weight_zero_is_read_and_not_weighed() -> None:
    shown = definition("{a: {weight: 1}, voice: {weight: 0, of: {c: {weight: 1}}}}")
    health = score(abc(0.4, NAN, 0.9), shown)
    assert health.score[0] == pytest.approx(0.4)
    assert contributions(health)["c"] == 0
    assert health.readings[1].value[0] == 0.9
    only_voice = score(abc(NAN, NAN, 0.9), shown)
    assert np.isnan(only_voice.score[0])
    assert only_voice.coverage[0] == 0


@pytest.mark.parametrize(
    ("value", "band"),
    [(0, "critical"), (0.2999, "critical"), (0.3, "warning"), (0.5, "stable"), (0.7, "healthy"), (1, "healthy")],
)
def test_a_band_begins_at_its_bound(value: float, band: str) -> None:
    assert score(abc(value, NAN, NAN), definition("{a: {weight: 1}}")).bands == [Band(band)]


def lasts(health: Health, *, days: int = 1) -> dict[str, LastKnown]:
    """What is last known so many days later."""
    return {
        reading.place.leaf.name: LastKnown(
            reading.last, days + (np.zeros(len(health)) if reading.last_age is None else reading.last_age)
        )
        for reading in health.readings
    }


def test_losing_a_source_never_raises_a_band() -> None:
    weights = three("exclude")
    before = score(abc(0.6, 0.6, 0.0), weights)
    assert (before.score[0], before.bands) == (pytest.approx(0.48), [Band.WARNING])

    silent = abc(0.6, 0.6, NAN, csat_alive=False)
    unheld = score(silent, weights)
    assert (unheld.score[0], unheld.bands) == (
        pytest.approx(0.6),
        [Band.STABLE],
    )  # what would be said of a new customer

    lost = score(silent, weights, before=lasts(before))
    assert lost.score[0] == pytest.approx(0.6)
    assert lost.bands == [Band.WARNING]
    assert lost.coverage[0] == pytest.approx(0.8)
    assert lost.notes == [
        "Held at warning, because losing data is no improvement: without c (last read 0.0) the rest alone reads stable"
    ]
    reading = lost.readings_at(0)[2]
    assert (reading["missing"], reading["last"]) == ("exclude", 0.0)
    assert reading["reason"] == "No live source any more; last read 0.0: left out"

    day_after = score(silent, weights, before=lasts(lost))
    assert day_after.bands == [Band.WARNING], "it stays held for as long as the source is gone"
    better = score(abc(1, 1, NAN, csat_alive=False), weights, before=lasts(lost))
    assert better.bands == [Band.HEALTHY], "real improvement elsewhere counts"
    back = score(abc(0.6, 0.6, 0.6), weights, before=lasts(lost))
    assert (back.bands, back.notes) == ([Band.STABLE], [None])


@pytest.mark.parametrize("missing", ["exclude", "neutral", "poor"])
def test_whatever_is_lost_the_band_is_no_better(missing: str) -> None:
    random = np.random.default_rng(3)
    order = [None, *Band]
    weights = definition(
        f"{{one: {{weight: 0.5, of: {{a: {{weight: 0.4, missing: {missing}}}, b: {{weight: 0.6}}}}}}, "
        f"c: {{weight: 0.5, missing: {missing}}}}}",
        floor=0.2,
    )
    n = 2_000
    values = {name: list(random.random(n)) for name in ("seat_utilisation", "stickiness", "csat_90d")}
    alive = {"dau": [1.0] * n, "csat_answers_90d": [5.0] * n}
    before = score(table(**values, **alive), weights)
    gone = {"csat_90d": [NAN] * n, "csat_answers_90d": [NAN] * n}
    after = score(table(**{**values, **alive, **gone}), weights, before=lasts(before))
    unheld = score(table(**{**values, **alive, **gone}), weights)
    raised = [order.index(new) > order.index(old) for old, new in zip(before.bands, after.bands, strict=True)]
    assert not any(raised)
    if missing == "exclude":
        assert any(order.index(new) > order.index(old) for old, new in zip(before.bands, unheld.bands, strict=True))


def test_what_a_living_source_has_nothing_to_say_about_is_not_held() -> None:
    weights = three("exclude")
    before = score(abc(0.6, 0.6, 0.0), weights)
    quiet = score(abc(0.6, 0.6, NAN), weights, before=lasts(before))
    assert (quiet.bands, quiet.notes) == ([Band.STABLE], [None])
    assert quiet.readings_at(0)[2]["reason"] == "Nothing, or too little, to go by in this period: left out"
    assert np.isnan(lasts(quiet)["c"].reading[0])


def test_readings_are_plain_data() -> None:
    first, second, third = score(abc(0.9, NAN, 0.4, usage_alive=False), three("neutral")).readings_at(0)
    assert first == {
        "measure": "a",
        "group": "usage",
        "input": 0.9,
        "unit": "",
        "value": 0.9,
        "weight": 0.5,
        "contribution": 0.45,
        "missing": None,
        "reason": "a is 0.90",
    }
    assert (second["input"], second["value"], second["missing"]) == (None, 0.5, "neutral")
    assert second["reason"] == "No source has told anything about this: read as 50.0"
    assert third["reason"] == "c is 0.40"


def test_nobody_to_score() -> None:
    empty = FactTable(date(2026, 1, 1), [], {name: np.zeros(0) for name in FACTS}, {"segment": []})
    health = score(empty, load(Document.read(CONFIG / "health.yaml")))
    assert (len(health), list(health.bands)) == (0, [])


def test_the_definition_we_ship() -> None:
    shipped = load(Document.read(CONFIG / "health.yaml"))
    shares: dict[str, float] = {}
    for place in shipped.places:
        shares[place.group] = shares.get(place.group, 0) + place.share
    weighed = {"usage": 0.4, "engagement": 0.4, "support": 0.2}
    assert shares == pytest.approx(weighed | dict.fromkeys(("feedback", "relationship", "billing"), 0.0))
    assert shipped.coverage_floor == 0.5
    assert shipped.bands == ((Band.CRITICAL, 0.0), (Band.WARNING, 0.3), (Band.STABLE, 0.5), (Band.HEALTHY, 0.7))
    assert shipped.relative
