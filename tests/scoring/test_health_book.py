"""Several definitions at once: who is scored by which, peers across them, extras beside them."""

from datetime import date
from typing import Any

import numpy as np

from hub.documents import Document
from hub.model.actions import Band
from scoring.book import HealthBook, score_book, score_extras
from scoring.book_file import load
from scoring.curves import Points
from scoring.facts import FactTable
from scoring.health import score
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


def measure(name: str, fact: str) -> Measure:
    return Measure(
        name=name,
        group="usage",
        meaning="",
        facts=(fact,),
        live=fact,
        unit="",
        curve=Points(((0, 0), (1, 1))),
        value=lambda columns: columns[fact],
        sentence=lambda value, facts: f"{name} is {value:.2f}",
    )


MEASURES = {"a": measure("a", "stickiness"), "b": measure("b", "seat_utilisation")}


def book(main: str = "{a: {weight: 1}}", **others: str) -> HealthBook:
    def document(name: str, text: str) -> Document:
        head, _, groups = text.rpartition("groups: ")
        return Document.from_text(f"{head}{BANDS}groups: {groups}\n", name=name)

    return load(
        document("health.yaml", main), {name: document(name, text) for name, text in others.items()}, measures=MEASURES
    )


def table(**columns: list[Any]) -> FactTable:
    n = len(next(iter(columns.values())))
    whole = {"stickiness": [NAN] * n, "seat_utilisation": [NAN] * n, "segment": [None] * n, "tenure_days": [NAN] * n}
    return FactTable.of(date(2026, 6, 30), {"customer_id": [f"c{i}" for i in range(n)], **whole, **columns})


BOOK = book(
    big="when: {segment: {eq: enterprise}}\npriority: 10\ngroups: {b: {weight: 1}}",
    young="when: {tenure_days: {lt: 90}}\npriority: 20\ngroups: {a: {weight: 0.5}, b: {weight: 0.5}}",
    second="beside: true\ngroups: {b: {weight: 1, missing: {hold_days: 9}}}",
)
FIVE = table(
    stickiness=[0.2] * 5,
    seat_utilisation=[0.8] * 5,
    segment=["smb", "enterprise", "enterprise", None, "smb"],
    tenure_days=[400.0, 400.0, 10.0, NAN, 89.0],
)


def test_the_highest_priority_speaks_and_main_where_nobody_does() -> None:
    assert [definition.name for definition in BOOK.definitions] == ["young", "big", "main"]
    assert BOOK.assign(FIVE).tolist() == [2, 1, 0, 2, 0]
    assert book().assign(FIVE).tolist() == [0] * 5


def test_each_is_scored_by_its_own_definition() -> None:
    parts = score_book(FIVE, BOOK)
    assert [(part.definition.name, part.places.tolist()) for part in parts] == [
        ("young", [2, 4]),
        ("big", [1]),
        ("main", [0, 3]),
    ]
    assert sorted(place for part in parts for place in part.places.tolist()) == [0, 1, 2, 3, 4]
    young, big, main = (part.health for part in parts)
    assert (young.score[2], big.score[1], main.score[0]) == (0.5, 0.8, 0.2)
    assert (young.bands[4], big.bands[1], main.bands[3]) == (Band.STABLE, Band.HEALTHY, Band.CRITICAL)
    assert all(len(part.health) == 5 for part in parts), "over the whole table"


def test_a_definition_that_speaks_of_nobody_has_no_part_but_the_main_one_has() -> None:
    alone = table(stickiness=[0.2], seat_utilisation=[0.8], segment=["enterprise"], tenure_days=[500.0])
    assert [(part.definition.name, len(part.places)) for part in score_book(alone, BOOK)] == [("big", 1), ("main", 0)]
    nobody = table(stickiness=[], seat_utilisation=[], segment=[], tenure_days=[])
    assert [(part.definition.name, len(part.places)) for part in score_book(nobody, BOOK)] == [("main", 0)]


def test_peers_are_all_of_the_segment_whichever_definition_scores_them() -> None:
    percentile = "groups: {a: {weight: 1, curve: {percentile: higher}}}"
    several = book("groups: {a: {weight: 1}}", big=f"when: {{tenure_days: {{gte: 100}}}}\npriority: 1\n{percentile}")
    assert several.relative
    assert not BOOK.relative
    values = [float(i) / 20 for i in range(12)] + [0.9] * 10
    given = table(stickiness=values, segment=["smb"] * 12 + ["other"] * 10, tenure_days=[200.0] * 3 + [10.0] * 19)
    big, main = score_book(given, several)
    assert big.places.tolist() == [0, 1, 2]
    np.testing.assert_allclose(big.health.score[:3], [0, 1 / 11, 2 / 11])
    assert main.health.score[11] == 0.55


def test_extras_are_of_everybody_and_remember_their_own() -> None:
    [extra] = score_extras(FIVE, BOOK)
    np.testing.assert_array_equal(extra.score, [0.8] * 5)
    silent = table(stickiness=[0.2, 0.2], seat_utilisation=[NAN, NAN])
    known = {"b": LastKnown(np.array([0.6, 0.6]), np.array([9.0, 10.0]))}
    [held] = score_extras(silent, BOOK, before={"second": known})
    assert [row[0]["missing"] for row in held.all_readings([0, 1])] == ["hold", "exclude"]
    [unheld] = score_extras(silent, BOOK, before={"main": known})
    assert unheld.readings_at(0)[0]["missing"] == "exclude"


def test_what_was_known_is_known_whichever_definition_read_it() -> None:
    gone = table(stickiness=[0.9], seat_utilisation=[NAN], tenure_days=[10.0])
    before = {"b": LastKnown(np.array([0.0]), np.array([1.0]))}
    young = score_book(gone, BOOK, before=before)[0].health
    assert (young.score[0], young.bands) == (0.9, [Band.WARNING])


def test_a_book_of_one_is_that_definition() -> None:
    alone = book()
    [part] = score_book(FIVE, alone)
    np.testing.assert_array_equal(part.health.score, score(FIVE, alone.main).score)
    assert part.places.tolist() == [0, 1, 2, 3, 4]
