"""Bands and annualised risk, the honest prior, reasons that add up and read true, and stored models that must fit."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
import xgboost

from hub.documents import Document
from hub.errors import ConfigError, RefusedError
from hub.resources import CONFIG
from scoring.calibration import Calibration
from scoring.churn import ModelPredictor, PriorPredictor, PriorRate, annualise, bands_of
from scoring.churn_definition import ChurnBands, ChurnDefinition, ReasonLimits, load
from scoring.contributions import Contributions
from scoring.encoding import Encoding
from scoring.facts import FACTS, FactTable
from scoring.learner import SAFE, TINY, Learner, Rows, boost, margins
from scoring.reasons import CODES, Explainer, medians

DEFINITION = ChurnDefinition()
DAY = date(2026, 11, 22)
ENCODING = Encoding({"plan": ("Pro", "Team")}, ("export",))


def table(n: int = 400, *, seed: int = 0, missing: float = 0.05) -> FactTable:
    """Customers whose numbers are drawn, about whom one thing in twenty is not known."""
    random = np.random.default_rng(seed)
    names = [name for name, fact in FACTS.items() if fact.kind == "number"] + ["events_28d:export"]
    numbers = {name: random.gamma(2, 20, n).round() for name in names}
    for name in names:
        numbers[name][random.random(n) < missing] = np.nan
    plans = random.choice(np.array(["Pro", "Team", "Rare"]), n).tolist()
    texts = {"plan": plans, "segment": [None] * n, "csm_email": [None] * n}
    return FactTable(DAY, [f"c{i:03}" for i in range(n)], numbers, texts)


def booster(facts: FactTable, learner: Learner = SAFE, *, seed: int = 0) -> xgboost.Booster:
    """A model of customers who leave when they use little, or are on Team."""
    matrix = ENCODING.matrix(facts)
    events, plan = facts.numbers["events_28d"], np.array(facts.texts["plan"]) == "Team"
    odds = -1.5 - (np.nan_to_num(events, nan=40) - 40) / 15 + plan
    labels = np.random.default_rng(seed).random(len(facts)) < 1 / (1 + np.exp(-odds))
    n = len(facts)
    return boost(
        Rows(ENCODING.names, ENCODING.signs, matrix, labels, np.arange(n), *np.zeros((2, n), dtype=np.int64)), learner
    )


def predictor(facts: FactTable, **changes: object) -> ModelPredictor:
    model = booster(facts)
    made = ModelPredictor(
        model_version="xgb-90d-2026-07-01-00000000",
        horizon="90d",
        confidence="normal",
        booster=model,
        calibration=Calibration(1.2, -0.1),
        encoding=ENCODING,
        contributions=Contributions.of(model),
        medians=medians(ENCODING, ENCODING.matrix(facts)),
        bands=DEFINITION.bands,
        limits=DEFINITION.reasons,
    )
    return replace(made, **changes)  # type: ignore[arg-type] # whatever a test wants changed


def test_the_annualised_probability() -> None:
    assert annualise(np.array([0.0, 0.1, 0.5, 1.0]), 90) == pytest.approx([0, 0.3477292, 0.9398610, 1])
    assert annualise(np.array([0.3]), 365) == pytest.approx([0.3])


def test_bands_are_cut_above_each_threshold() -> None:
    values = np.array([0.0, 0.2, 0.2000001, 0.4, 0.41, 0.7, 0.71, 1.0])
    assert bands_of(values, ChurnBands()) == ["minimal", "minimal", "low", "low", "medium", "medium", "high", "high"]


def test_the_prior_is_shrunk_and_says_how_sure_it_is() -> None:
    # p0 = 1 - .85 ** (90 / 365) = .0392809; (7 + 50 p0) / (300 + 50), and the Beta distribution with 8.964045, 341.035955
    prior = PriorRate.of(churned=7, rows=300, days=90, definition=DEFINITION)
    assert DEFINITION.believed(90) == pytest.approx(0.0392809, abs=1e-7)
    assert prior.rate == pytest.approx(0.0256116, abs=1e-7)
    assert (prior.low, prior.high) == (pytest.approx(0.0134427, abs=1e-6), pytest.approx(0.0408492, abs=1e-6))
    nothing = PriorRate.of(churned=0, rows=0, days=90, definition=DEFINITION)
    assert nothing.rate == pytest.approx(DEFINITION.believed(90))
    assert nothing.high - nothing.low > prior.high - prior.low


def test_a_cold_start_says_so_and_gives_no_reasons() -> None:
    prior = PriorRate.of(churned=7, rows=300, days=90, definition=DEFINITION)
    why = "7 customers have left so far, and 20 are needed to learn from"
    made = PriorPredictor(model_version="prior-90d-x", horizon="90d", prior=prior, why=why, bands=DEFINITION.bands)
    read = made.predict(table(3))
    assert read.probability.tolist() == [prior.rate] * 3
    assert read.annualised == pytest.approx([1 - (1 - prior.rate) ** (365 / 90)] * 3)
    assert (read.confidence, read.reasons, read.band) == (["prior"] * 3, [[], [], []], ["minimal"] * 3)
    assert made.note == (
        f"No churn model yet: {why}. Shown is the rate of all customers, 2.6% within 90 days (90 % interval 1.3% to 4.1%)."
    )
    assert made.product_features == ()
    again = PriorPredictor.from_json(made.as_json(), version="prior-90d-x", horizon="90d", definition=DEFINITION)
    assert again == made


@pytest.mark.parametrize("learner", [SAFE, TINY])
def test_contributions_are_exact_and_add_up(learner: Learner) -> None:
    facts = table(missing=0.2)
    model, matrix = booster(facts, learner), ENCODING.matrix(facts)
    contributions = Contributions.of(model)
    effects = contributions(matrix)
    theirs = model.predict(xgboost.DMatrix(matrix, feature_names=list(ENCODING.names)), pred_contribs=True)
    assert np.abs(effects - theirs[:, :-1]).max() < 1e-5
    assert contributions.bias == pytest.approx(float(theirs[0, -1]), abs=1e-5)
    assert np.abs(effects.sum(axis=1) + contributions.bias - margins(model, matrix)).max() < 1e-4
    assert np.abs(effects).max() > 0.1
    assert contributions.importance(matrix) == pytest.approx(np.abs(effects).mean(axis=0), abs=1e-6)
    assert contributions.importance(matrix[:0]).tolist() == [0.0] * matrix.shape[1]


def test_deeper_trees_are_refused() -> None:
    facts = table(missing=0)
    deep = booster(facts, Learner("deep", 3, {"max_depth": 8, "min_child_weight": 0, "reg_lambda": 0}))
    with pytest.raises(ValueError, match="more than 7"):
        Contributions.of(deep)


def test_a_prediction_is_the_calibrated_margin_with_its_band() -> None:
    facts = table()
    made = predictor(facts)
    read = made.predict(facts)
    margin = margins(made.booster, ENCODING.matrix(facts))
    assert read.probability == pytest.approx(1 / (1 + np.exp(-(1.2 * margin - 0.1))))
    assert read.annualised == pytest.approx(annualise(read.probability, 90))
    assert read.band == bands_of(read.annualised, DEFINITION.bands)
    assert set(read.confidence) == {"normal"}
    assert len(read.reasons) == 400
    assert made.product_features == ("export",)


def test_one_customer_is_a_table_of_one_row_and_nobody_is_none() -> None:
    facts = table()
    made = predictor(facts)
    numbers = {name: column[5:6] for name, column in facts.numbers.items()}
    one = FactTable(DAY, ["c005"], numbers, {name: column[5:6] for name, column in facts.texts.items()})
    whole, alone = made.predict(facts), made.predict(one)
    assert alone.probability[0] == pytest.approx(whole.probability[5])
    assert alone.reasons[0] == whole.reasons[5]
    nobody = FactTable(DAY, [], {name: column[:0] for name, column in numbers.items()}, dict.fromkeys(facts.texts, ()))
    empty = made.predict(nobody)
    assert (len(empty.probability), empty.band, empty.reasons) == (0, [], [])


def test_reasons_are_ranked_limited_and_large_enough() -> None:
    facts = table()
    for reasons in predictor(facts).predict(facts).reasons:
        raising = [reason["effect"] for reason in reasons if reason["direction"] == "raises"]
        lowering = [reason["effect"] for reason in reasons if reason["direction"] == "lowers"]
        assert [reason["direction"] for reason in reasons] == ["raises"] * len(raising) + ["lowers"] * len(lowering)
        assert raising == sorted(raising, reverse=True)
        assert lowering == sorted(lowering)
        assert (len(raising) <= 3, len(lowering) <= 2) == (True, True)
        assert all(abs(effect) >= 0.05 for effect in raising + lowering)
        assert {reason["code"] for reason in reasons} <= CODES
        assert not any("because" in reason["text"] for reason in reasons)


def test_the_effects_of_a_theme_are_added_up() -> None:
    facts = table(60)
    made = predictor(facts, limits=ReasonLimits(raising=20, lowering=20, least_effect=1e-6))
    effects = made.contributions(ENCODING.matrix(facts))
    theme_of = {feature.name: feature.theme for feature in ENCODING.features} | {"plan": "plan"}
    for row, reasons in enumerate(made.predict(facts).reasons):
        stated = {theme_of[reason["feature"]]: reason["effect"] for reason in reasons}
        assert len(stated) == len(reasons)  # one reason a theme
        sums = dict.fromkeys(theme_of.values(), 0.0)
        for at, feature in enumerate(ENCODING.features):
            sums[feature.theme] += float(effects[row, at])
        assert {name for name, total in sums.items() if abs(total) > 1e-5} <= stated.keys()
        assert stated == pytest.approx({name: sums[name] for name in stated}, abs=1e-4)


def explain(effects: dict[str, float], **numbers: float) -> dict[str, object]:
    """The one reason given for a customer with these numbers, in a book where everybody else has 10 of everything."""
    facts = table(1, missing=0)
    values = {name: np.array([numbers.get(name, column[0])]) for name, column in facts.numbers.items()}
    facts = FactTable(DAY, ["c"], values, {**facts.texts, "plan": ["Team"]})
    matrix = ENCODING.matrix(facts)
    added = np.zeros_like(matrix)
    for name, effect in effects.items():
        added[0, ENCODING.names.index(name)] = effect
    known = dict.fromkeys(ENCODING.names, 10.0)
    (reason,) = Explainer(ENCODING, known, ReasonLimits()).reasons(facts, matrix, added)[0]
    return reason


def test_a_drop_is_told_with_both_ends() -> None:
    reason = explain({"mau_trend": 0.3, "usage_trend": 0.1}, mau=13, mau_previous=21)
    assert reason == {
        "code": "USAGE_DROP",
        "text": "Users fell 38% (21 to 13) in the 28 days to 22 Nov 2026; customers like this leave more often.",
        "feature": "mau_trend",
        "value": -0.380952,
        "effect": 0.4,
        "direction": "raises",
        "context": False,
    }


def test_a_level_is_told_against_the_median() -> None:
    reason = explain({"events_28d": -0.2}, events_28d=25)
    assert (reason["code"], reason["direction"], reason["value"]) == ("USAGE_HIGH", "lowers", 25)
    assert reason["text"] == (
        "Events in 28 days: 25 on 22 Nov 2026, where the median customer has 10; customers like this leave less often."
    )


def test_silence_is_told_in_working_days() -> None:
    reason = explain({"working_days_unused": 0.2}, days_since_active=20)
    assert reason["text"].startswith(
        "Whole working days since the last use: 14 on 22 Nov 2026, where the median customer has "
    )


def test_codes_say_what_the_value_is() -> None:
    assert explain({"nps_last": 0.2}, nps_last=3)["code"] == "NPS_DETRACTOR"
    assert explain({"nps_last": 0.2}, nps_last=8)["code"] == "NPS"  # raised, but no detractor
    assert explain({"working_days_unused": 0.2}, days_since_active=20)["code"] == "NO_RECENT_ACTIVITY"
    assert explain({"working_days_unused": 0.2}, days_since_active=2)["code"] == "ACTIVITY"
    assert explain({"tickets_open": 0.2}, tickets_open=2)["code"] == "SUPPORT_UNRESOLVED"
    assert explain({"seat_utilisation": 0.2}, seat_utilisation=0.3)["code"] == "LOW_SEAT_USE"
    assert explain({"events_28d:export": 0.2}, **{"events_28d:export": 0})["code"] == "FEATURE_LITTLE_USED"


def test_context_is_called_context() -> None:
    renewal = explain({"days_to_renewal": 0.5}, days_to_renewal=30)
    assert (renewal["code"], renewal["context"]) == ("RENEWAL_NEAR", True)
    assert renewal["text"] == (
        "The running subscription falls due in 30 days, on 22 Dec 2026; customers like this leave more often (context)."
    )
    tenure = explain({"tenure_days": 0.5}, tenure_days=40)
    assert (tenure["code"], tenure["context"]) == ("NEW_CUSTOMER", True)
    plan = explain({"plan=Pro": 0.3, "plan=Team": -0.1})
    assert (plan["code"], plan["feature"], plan["value"], plan["effect"]) == ("PLAN", "plan", "Team", 0.2)
    unknown = explain({"nps_last": 0.2}, nps_last=float("nan"))
    assert (unknown["code"], unknown["value"], unknown["context"]) == ("NPS_UNKNOWN", None, True)


def test_a_stored_model_predicts_the_same() -> None:
    facts = table()
    made = predictor(facts)
    again = ModelPredictor.from_json(
        made.as_json(),
        artifact=made.artifact,
        names=ENCODING.names,
        version=made.model_version,
        horizon="90d",
        definition=DEFINITION,
    )
    first, second = made.predict(facts), again.predict(facts)
    assert np.array_equal(first.probability, second.probability)
    assert first.reasons == second.reasons
    assert again.artifact == made.artifact


@pytest.mark.parametrize("names", [ENCODING.names[::-1], ENCODING.names[:-1], (*ENCODING.names[1:], ENCODING.names[0])])
def test_a_model_with_other_columns_or_another_order_is_refused(names: tuple[str, ...]) -> None:
    made = predictor(table())
    with pytest.raises(RefusedError, match="other features than this version makes; train a new one"):
        ModelPredictor.from_json(
            made.as_json(), artifact=made.artifact, names=names, version="v", horizon="90d", definition=DEFINITION
        )


def test_the_shipped_definition_states_the_defaults() -> None:
    assert load(Document.read(CONFIG / "churn.yaml")) == ChurnDefinition()


def test_every_fault_of_a_definition_is_told_with_its_line() -> None:
    text = "horizons: [3]\nbands:\n  high: 0.3\nsnapshot: {}\ncolumns:\n  texts: [csm_email]\n"
    with pytest.raises(ConfigError) as caught:
        load(Document.from_text(text, name="churn.yaml"))
    faults = [(fault.line, fault.key) for fault in caught.value.faults]
    assert sorted(faults) == [(1, "horizons.0"), (2, "bands"), (4, "snapshot"), (6, "columns.texts.0")]
    assert "must fall: high 0.3 > medium 0.4 > low 0.2" in str(caught.value)
    assert "is no horizon; one is renewal or a number of days from 7 to 365" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("horizons: [renewal, 90]", "must begin with a number of days"),
        ("horizons: [90, 30, 90d]", "names 90d twice"),
        ("horizons: []", "must name at least one"),
        ("horizons: [yearly]", "is no horizon"),
        ("horizon_days: 90", "is not a setting here.*horizons"),
    ],
)
def test_horizons_that_cannot_be(text: str, fault: str) -> None:
    with pytest.raises(ConfigError, match=fault):
        load(Document.from_text(text, name="churn.yaml"))


def test_horizons_by_name() -> None:
    read = load(Document.from_text("horizons: [60, 90d, renewal]", name="churn.yaml"))
    assert read.horizons == ("60d", "90d", "renewal")
    assert (read.primary, read.primary_days) == ("60d", 60)


def test_the_renewal_speaks_of_each_customers_own_days() -> None:
    facts = table()
    due = np.full(len(facts), 200.0)
    due[:4] = [np.nan, 0, 401, 5]
    facts = replace(facts, numbers={**facts.numbers, "days_to_renewal": due})
    read = predictor(facts, horizon="renewal").predict(facts)
    assert np.isnan(read.probability[:3]).all()
    assert np.isnan(read.annualised[:3]).all()
    assert read.annualised[3] == pytest.approx(1 - (1 - read.probability[3]) ** (365 / 30))  # as a month's, not 5 days'
    assert read.annualised[4] == pytest.approx(1 - (1 - read.probability[4]) ** (365 / 200))
