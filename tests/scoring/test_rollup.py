"""Roll-ups: exact sums, any depth, circles left out."""

import numpy as np
import pytest

from scoring.book import Rollup
from scoring.facts import Floats
from scoring.rollup import families_of, roll_up


def columns(members: tuple[str, ...], **given: float) -> Floats:
    return np.array([given.get(id_, np.nan) for id_ in members])


def test_each_parent_has_itself_and_everybody_below() -> None:
    families = families_of({"b": "a", "c": "a", "d": "c", "e": "d"})
    found: dict[str, list[str]] = {}
    for parent, member in zip(families.parent.tolist(), families.member.tolist(), strict=True):
        found.setdefault(families.parents[parent], []).append(families.members[member])
    assert found == {"a": ["a", "b", "c", "d", "e"], "c": ["c", "d", "e"], "d": ["d", "e"]}
    assert families.circular == ()


def test_circles_are_named_and_what_hangs_on_them_is_still_a_family() -> None:
    families = families_of({"x": "y", "y": "z", "z": "x", "own": "own", "below": "x", "far": "below"})
    assert families.circular == ("own", "x", "y", "z")
    assert families.parents == ("below", "x")
    members = [families.members[i] for i in families.member[families.parent == 1].tolist()]
    assert members == ["below", "far", "x"]


def test_a_chain_of_a_thousand() -> None:
    families = families_of({f"{i:04}": f"{i - 1:04}" for i in range(1, 1000)})
    assert (len(families.parents), len(families.parent)) == (999, sum(range(2, 1001)))
    assert families.circular == ()
    ring = families_of({f"{i:04}": f"{(i + 1) % 1000:04}" for i in range(1000)})
    assert (len(ring.circular), ring.parents) == (1000, ())


def test_nobody_is_no_family() -> None:
    families = families_of({})
    assert (families.parents, families.members) == ((), ())
    assert roll_up(families, np.empty(0), np.empty(0), Rollup.VALUE) == []


@pytest.mark.parametrize(
    ("how", "score", "weights"),
    [
        (Rollup.VALUE, 0.25 * 0.2 + 0.75 * 0.9, [0, 0.25, 0.75, 0]),
        (Rollup.MEAN, (0.5 + 0.2 + 0.9) / 3, [1 / 3, 1 / 3, 1 / 3, 0]),
        (Rollup.WORST, 0.2, [0, 1, 0, 0]),
    ],
)
def test_parts_weigh_as_declared(how: Rollup, score: float, weights: list[float]) -> None:
    families = families_of({"b": "a", "c": "a", "d": "a"})
    scores = columns(families.members, a=0.5, b=0.2, c=0.9)
    values = columns(families.members, b=100, c=300, d=50)
    (rolled,) = roll_up(families, scores, values, how)
    assert rolled.score == pytest.approx(score, abs=1e-12)
    assert [part.weight for part in rolled.parts] == pytest.approx(weights)
    assert (rolled.parts[3].score, rolled.parts[3].contribution) == (None, 0)
    assert rolled.method is how
    assert (rolled.note is not None) is (how is Rollup.VALUE)  # a has a score and no value


def test_of_equally_bad_ones_the_first_is_the_worst() -> None:
    families = families_of({"b": "a", "c": "a"})
    (rolled,) = roll_up(families, columns(families.members, b=0.1, c=0.1), columns(families.members), Rollup.WORST)
    assert [part.weight for part in rolled.parts] == [0, 1, 0]


def test_without_any_value_the_mean_stands_in_and_without_a_score_nothing_does() -> None:
    families = families_of({"b": "a", "d": "c"})
    first, second = roll_up(
        families, columns(families.members, a=0.5, b=0.7), columns(families.members, d=10), Rollup.VALUE
    )
    assert (first.score, first.method) == (pytest.approx(0.6), Rollup.MEAN)
    assert first.note == "No recurring revenue is known of any of them: the plain mean, not by value"
    assert (second.score, second.note) == (None, "Nobody in this family has a score")


@pytest.mark.parametrize("how", list(Rollup))
def test_the_parts_add_up_to_the_last_bit(how: Rollup) -> None:
    random = np.random.default_rng(3)
    links = {f"{i:04}": f"{random.integers(i):04}" for i in range(1, 3000)}
    families = families_of(links)
    many = len(families.members)
    scores = np.where(random.random(many) < 0.1, np.nan, random.random(many))
    values = np.where(random.random(many) < 0.2, np.nan, random.lognormal(6, 2, many))
    for rolled in roll_up(families, scores, values, how):
        if rolled.score is not None:
            assert sum(part.contribution for part in rolled.parts) == rolled.score
            assert sum(part.weight for part in rolled.parts) == pytest.approx(1, abs=1e-12)
