"""Reasons are ranked in columns and worded when looked at; neither depends on how the work is divided."""

from datetime import date

import numpy as np
import pytest

from scoring import chunks
from scoring.churn_definition import ReasonLimits
from scoring.encoding import Encoding
from scoring.facts import FACTS, FactTable
from scoring.learner import Matrix
from scoring.reasons import Explainer, Reasons, medians
from scoring.themes import theme_of

ENCODING = Encoding({"plan": ("Pro", "Team")}, ("export", "import"))


def customers(n: int) -> tuple[FactTable, Matrix, Matrix]:
    """Facts at random, and effects of which many are equal, or none."""
    random = np.random.default_rng(4)
    names = [name for name, fact in FACTS.items() if fact.kind == "number"] + ["events_28d:export", "events_28d:import"]
    numbers = {name: random.gamma(2, 20, n) for name in names}
    for column in numbers.values():
        column[random.random(n) < 0.1] = np.nan
    plans = random.choice(np.array(["Pro", "Team", None], dtype=object), n).tolist()
    table = FactTable(date(2026, 11, 22), [str(i) for i in range(n)], numbers, {"plan": plans, "segment": [None] * n})
    matrix = ENCODING.matrix(table)
    effects = np.round(random.normal(size=matrix.shape) * 0.08, 2).astype(np.float32)
    effects[random.random(matrix.shape) < 0.5] = 0
    return table, matrix, effects


def explained(table: FactTable, matrix: Matrix, effects: Matrix, limits: ReasonLimits | None = None) -> Reasons:
    return Explainer(ENCODING, medians(ENCODING, matrix), limits or ReasonLimits()).reasons(table, matrix, effects)


def test_who_is_named_for_each_customer_is_the_strongest_found_one_by_one() -> None:
    table, matrix, effects = customers(150)
    features = ENCODING.features
    themes = list(dict.fromkeys(feature.theme for feature in features))
    for row, told in enumerate(explained(table, matrix, effects)):
        sums = [effects[row, [f.theme == theme for f in features]].sum() for theme in themes]
        ranked = sorted(range(len(themes)), key=lambda at: (-sums[at], at))[:3]
        falling = sorted(range(len(themes)), key=lambda at: (sums[at], at))[:2]
        expected = [(at, 1) for at in ranked if sums[at] >= 0.05] + [(at, -1) for at in falling if -sums[at] >= 0.05]
        leads = []
        for at, sign in expected:
            of_theme = [place for place, feature in enumerate(features) if feature.theme == themes[at]]
            leads.append(max(of_theme, key=lambda place: (sign * effects[row, place], -place)))
        assert [reason["effect"] for reason in told] == [round(float(sums[at]), 4) for at, _ in expected]
        spoken = [features[lead].theme if features[lead].theme == "plan" else features[lead].name for lead in leads]
        assert [reason["feature"] for reason in told] == spoken
        for reason, lead in zip(told, leads, strict=True):
            theme = theme_of(features[lead])
            assert reason["code"] in {theme.low, theme.high, theme.missing, theme.neutral}
            if reason["feature"] != "plan":
                value = matrix[row, lead]
                assert reason["value"] == (None if np.isnan(value) else pytest.approx(float(value), rel=1e-5))


def test_chunks_and_threads_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    table, matrix, effects = customers(200)
    whole = list(explained(table, matrix, effects))
    assert sum(map(len, whole)) > 200
    monkeypatch.setattr(chunks, "CHUNK", 7)
    for threads in (1, 3):
        monkeypatch.setattr(chunks, "THREADS", threads)
        assert explained(table, matrix, effects) == whole


def test_they_are_a_sequence() -> None:
    table, matrix, effects = customers(9)
    told = explained(table, matrix, effects)
    every = list(told)
    assert (len(told), told[3], told[-1], told[2:5]) == (9, every[3], every[8], every[2:5])
    assert told != every[1:]
    assert told != [*every[:-1], [*every[-1], {}]]
    for outside in (9, -10):
        with pytest.raises(IndexError):
            told[outside]


def test_none_are_given_where_none_are_wanted_or_large_enough() -> None:
    table, matrix, effects = customers(20)
    assert list(explained(table, matrix, effects, ReasonLimits(raising=0, lowering=0))) == [[]] * 20
    assert list(explained(table, matrix, effects * 0)) == [[]] * 20
    every = ReasonLimits(raising=20, lowering=20, least_effect=1e-6)
    assert max(map(len, explained(table, matrix, effects, every))) > 5
