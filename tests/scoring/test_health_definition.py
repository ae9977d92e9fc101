"""config/health.yaml: every fault at once, with its line and the valid choices, and a hash of what is computed."""

from dataclasses import replace

import orjson
import pytest

from hub.documents import Document
from hub.errors import ConfigError
from hub.resources import CONFIG
from scoring.definition import HealthDefinition, load
from scoring.definition_record import recall, record
from scoring.measures import discover

GOOD = """\
coverage_floor: 0.5
bands:
  critical: {from: 0, below: 0.3}
  warning: {from: 0.3, below: 0.5}
  stable: {from: 0.5, below: 0.7}
  healthy: {from: 0.7}
groups:
  usage:
    weight: 0.6
    of:
      wau: {weight: 0.5}
      usage_trend: {weight: 0.5, missing: poor, curve: {points: [[-1, 0], [1, 1]]}}
  nps: {weight: 0.4}
"""


def parse(text: str) -> HealthDefinition:
    return load(Document.from_text(text, name="health.yaml"))


def faults(text: str) -> list[str]:
    with pytest.raises(ConfigError) as raised:
        parse(text)
    return [str(fault) for fault in raised.value.faults]


def test_a_tree_of_any_depth_is_read() -> None:
    definition = parse(GOOD)
    assert {place.leaf.name: (place.group, place.share) for place in definition.places} == {
        "wau": ("usage", pytest.approx(0.3)),
        "usage_trend": ("usage", pytest.approx(0.3)),
        "nps": ("feedback", 0.4),
    }
    trend = definition.places[1].leaf
    assert (trend.missing, trend.curve.key()) == ("poor", {"points": [[-1, 0], [1, 1]]})
    assert not definition.relative


def test_all_faults_are_told_at_once() -> None:
    broken = """\
coverage_floor: 2
bands:
  critical: {from: 0, below: 0.3}
  warning: {from: 0.2, below: 0.5}
  stable: {from: 0.6, below: 0.7}
  healthy: {from: 0.7, below: 0.9}
groups:
  usage:
    weight: 0.5
    of:
      wau: {weight: 0.5, missing: hold}
      waau: {weight: 0.4}
      mau: {weight: 0.3, curve: {points: [[0, 0], [0, 1]]}}
  voice:
    weight: 0.5
    of:
      nps: {weight: 0.5, colour: red}
      wau: {weight: 0.5}
"""
    choices = ", ".join(sorted(discover()))
    assert faults(broken) == [
        "health.yaml:1: coverage_floor: must be 1 or less",
        "health.yaml:4: bands.warning.from: overlaps critical, which goes up to 0.3, by beginning at 0.2",
        "health.yaml:5: bands.stable.from: leaves a gap after warning, which goes up to 0.5, by beginning at 0.6",
        "health.yaml:6: bands.healthy.below: the highest band has no end: it goes up to 1",
        "health.yaml:10: groups.usage.of: the weights must add up to 1, and make 1.2 (wau 0.5, waau 0.4, mau 0.3)",
        "health.yaml:11: groups.usage.of.wau.missing: must say for how long: {hold_days: 30, then: exclude}",
        f"health.yaml:12: groups.usage.of.waau: there is no measure 'waau' (choices: {choices})",
        "health.yaml:13: groups.usage.of.mau.curve: inputs must rise from each pair to the next, and are 0.0, 0.0",
        "health.yaml:17: groups.voice.of.nps.colour: is not a setting here",
        "health.yaml:18: groups.voice.of.wau: measure 'wau' stands in the tree already, in line 11",
    ]


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("{from: 0, below", "{from: 0.1, below", "health.yaml:3: bands.critical.from: the lowest band begins at 0"),
        ("{from: 0.3, below: 0.5}", "{from: 0.3}", "health.yaml:4: bands.warning: only the highest band has no end"),
        ("  healthy: {from: 0.7}\n", "", "health.yaml:2: bands.healthy: is missing"),
        ("  nps: {weight: 0.4}", "  nps: {}", "health.yaml:13: groups.nps.weight: is missing"),
        (
            "{points: [[-1, 0], [1, 1]]}",
            "{points: [[-1, 0], [1, 1]], percentile: higher}",
            "health.yaml:12: groups.usage.of.usage_trend.curve: needs exactly one of points, thresholds and percentile",
        ),
        (
            "[1, 1]]",
            "[1, 7]]",
            "health.yaml:12: groups.usage.of.usage_trend.curve.points.1.1: must be 1 or less",
        ),
    ],
)
def test_one_fault(old: str, new: str, fault: str) -> None:
    assert GOOD.count(old) == 1
    assert faults(GOOD.replace(old, new)) == [fault]


@pytest.mark.parametrize("text", ["", "[]", "groups: 3", "bands: [1]\ngroups: {usage: 1}"])
def test_what_is_no_definition_at_all_is_a_fault_too(text: str) -> None:
    assert faults(text)


def test_weights_may_miss_by_a_rounding() -> None:
    assert parse(GOOD.replace("{weight: 0.5}", "{weight: 0.4999999}"))
    assert faults(GOOD.replace("{weight: 0.5}", "{weight: 0.49999}"))


def test_the_hash_is_that_of_what_is_computed() -> None:
    shipped = CONFIG / "health.yaml"
    assert load(Document.read(shipped)).hash == load(Document.read(shipped)).hash
    reordered = GOOD.replace("  nps: {weight: 0.4}\n", "").replace(
        "groups:\n", "groups:\n  nps: {weight: 0.40}  # first\n"
    )
    assert parse(reordered).hash == parse(GOOD).hash
    wau = discover()["wau"]
    spelled_out = GOOD.replace(
        "wau: {weight: 0.5}", f"wau: {{weight: 0.5, missing: exclude, curve: {wau.curve.key()}}}"
    )
    assert parse(spelled_out).hash == parse(GOOD).hash
    hashes = {parse(GOOD).hash}
    for old, new in (("missing: poor", "missing: neutral"), ("[1, 1]", "[1, 0.9]"), ("floor: 0.5", "floor: 0.4")):
        hashes.add(parse(GOOD.replace(old, new)).hash)
    assert len(hashes) == 4


NEW = """\
coverage_floor: 0.5
bands:
  critical: {from: 0, below: 0.3}
  warning: {from: 0.3, below: 0.5}
  stable: {from: 0.5, below: 0.7}
  healthy: {from: 0.7}
groups:
  usage:
    weight: 0.6
    of:
      wau:
        weight: 0.5
        missing: {hold_days: 30, then: poor}
        stale_after_days: 14
      usage_trend:
        weight: 0.5
        by_tenure:
          - {from_days: 0, curve: {points: [[-1, 0], [1, 1]]}}
          - {from_days: 90, curve: {percentile: higher}}
  nps: {weight: 0.4}
"""
DATED = {
    **discover(),
    "wau": replace(discover()["wau"], age="days_since_active"),
    "nps": replace(discover()["nps"], age=None),
}


UNDATED = "stale_after_days: nothing says how old the data of 'nps' is, so there can be no limit to its age"


def dated(text: str) -> HealthDefinition:
    return load(Document.from_text(text, name="health.yaml"), measures=DATED)


def dated_faults(text: str) -> list[str]:
    with pytest.raises(ConfigError) as raised:
        dated(text)
    return [str(fault) for fault in raised.value.faults]


def test_holding_limits_and_stages_are_read() -> None:
    wau, trend, nps = (place.leaf for place in dated(NEW).places)
    assert (wau.missing, wau.hold_days, wau.stale_after_days) == ("poor", 30, 14)
    assert (nps.missing, nps.hold_days, nps.stale_after_days) == ("exclude", None, None)
    assert trend.curve.key() == {"by_tenure": [[0, {"points": [[-1, 0], [1, 1]]}], [90, {"percentile": "higher"}]]}
    assert dated(NEW).relative
    assert dated(NEW.replace(", then: poor", "")).places[0].leaf.missing == "exclude"


def test_all_faults_of_holding_limits_and_stages_are_told_at_once() -> None:
    broken = (
        NEW.replace("{hold_days: 30, then: poor}", "{then: rich}")
        .replace("from_days: 0", "from_days: 10")
        .replace("from_days: 90", "from_days: 5")
        .replace("        by_tenure:", "        curve: {percentile: lower}\n        by_tenure:")
        .replace("nps: {weight: 0.4}", "nps: {weight: 0.4, stale_after_days: 10}")
    )
    trend = "groups.usage.of.usage_trend.by_tenure"
    assert dated_faults(broken) == [
        "health.yaml:13: groups.usage.of.wau.missing.hold_days: is missing",
        "health.yaml:13: groups.usage.of.wau.missing.then: is none of the valid choices (choices: exclude, neutral, poor)",
        "health.yaml:18: groups.usage.of.usage_trend.by_tenure: has a curve and curves by tenure; one of them must go",
        "health.yaml:19: groups.usage.of.usage_trend.by_tenure.0.from_days: the first step begins at 0",
        f"health.yaml:20: {trend}.1.from_days: steps must rise, and this one begins at 5 after one at 10",
        f"health.yaml:21: groups.nps.{UNDATED}",
    ]


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (
            "{hold_days: 30, then: poor}",
            "hold",
            "13: groups.usage.of.wau.missing: must say for how long: {hold_days: 30, ",
        ),
        ("{hold_days: 30, then: poor}", "drop", "13: groups.usage.of.wau.missing: is none of the valid choices"),
        (
            "hold_days: 30",
            "hold_days: 0",
            "13: groups.usage.of.wau.missing.hold_days: must be 1 or more",
        ),
        (
            "stale_after_days: 14",
            "stale_after_days: soon",
            "14: groups.usage.of.wau.stale_after_days: must be a whole number",
        ),
        (
            "{percentile: higher}",
            "{}",
            "19: groups.usage.of.usage_trend.by_tenure.1.curve: needs exactly one of points,",
        ),
        ("from_days: 0, ", "", "18: groups.usage.of.usage_trend.by_tenure.0.from_days: is missing"),
    ],
)
def test_one_fault_of_holding_limits_and_stages(old: str, new: str, fault: str) -> None:
    assert NEW.count(old) == 1
    [told] = dated_faults(NEW.replace(old, new))
    assert told.startswith(f"health.yaml:{fault}")


def test_definitions_without_the_new_pieces_keep_the_hash_they_always_had() -> None:
    assert parse(GOOD).hash == "a327a4cc76d1fb0a31507a9f6c347d2915e2f589327de36ba1155b219c9ffa47"


def test_the_hash_knows_holding_limits_and_stages() -> None:
    texts = [
        NEW,
        NEW.replace("hold_days: 30", "hold_days: 31"),
        NEW.replace("then: poor", "then: neutral"),
        NEW.replace("{hold_days: 30, then: poor}", "poor"),
        NEW.replace("stale_after_days: 14", "stale_after_days: 15"),
        NEW.replace("        stale_after_days: 14\n", ""),
        NEW.replace("from_days: 90", "from_days: 91"),
        NEW.replace("{percentile: higher}", "{percentile: lower}"),
    ]
    assert len({dated(text).hash for text in texts}) == len(texts)
    for text in texts:
        definition = dated(text)
        kept = orjson.loads(orjson.dumps(record(definition)))
        assert recall(kept, definition.hash, measures=DATED) == definition


def test_what_was_kept_before_there_was_holding_is_recalled() -> None:
    definition = parse(GOOD)
    kept = record(definition)
    assert kept["tree"]["of"][0]["of"][0] == {
        "name": "wau",
        "weight": 0.5,
        "missing": "exclude",
        "curve": discover()["wau"].curve.key(),
    }
    assert recall(kept, definition.hash) == definition
