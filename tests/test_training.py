"""Training from a store: what was known then, kept once, shown only when it has earned it, and an honest prior otherwise."""

import asyncio
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import func, select, update

from hub.model.records import (
    Company,
    Contact,
    FeatureUsageDay,
    Invoice,
    InvoiceStatus,
    Record,
    Severity,
    Subscription,
    SurveyResponse,
    SurveyType,
    Ticket,
    TicketStatus,
    UserActivityDay,
)
from hub.store import Store
from hub.store.facts import find_facts, find_product_use
from hub.store.facts.product import PREFIX
from hub.store.models import find_champion, find_models, get_model
from hub.store.records import upsert
from hub.store.tables import RECORD_TABLES, churn_model, customer
from hub.training import Training, load_predictor, load_predictors, snapshots, train
from hub.training.snapshots import look_back
from scoring.churn import ModelPredictor, PriorPredictor
from scoring.churn_definition import ChurnDefinition, Gate
from scoring.contributions import Contributions
from scoring.facts import FactTable
from scoring.features import PRODUCT_USE
from scoring.fitting import ContributionsError

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
TODAY = NOW.date()
BEGAN = date(2025, 5, 1)
YEAR = timedelta(days=365)
DEFINITION = ChurnDefinition(horizons=("90d",), gate=Gate(bootstraps=50))


def history(count: int, *, seed: int = 0, telling: bool = True) -> list[Record]:
    """Customers on monthly terms who use the product weekly. Some leave in their time, and use little from 150 days before;
    where that is not `telling`, others do."""
    random = np.random.default_rng(seed)
    leaves = random.random(count) < 0.6
    months = random.integers(5, 18, count)
    shown = leaves if telling else random.permutation(leaves)
    records: list[Record] = []
    for i in range(count):
        name = f"c{i:03}"
        records.append(Company(key=name, version=1, company_key=name))
        starts = [BEGAN + timedelta(days=30 * month) for month in range(19)]
        for place, start in enumerate(starts):
            if leaves[i] and place >= months[i]:
                break
            last = leaves[i] and place == months[i] - 1
            ends = start + timedelta(days=30)
            records.append(
                Subscription(
                    key=f"{name}-{place}",
                    version=1,
                    company_key=name,
                    plan="Pro",
                    mrr=100.0,
                    seats_purchased=5,
                    started_on=start,
                    renews_on=ends,
                    ended_on=ends if last or place < 18 else None,
                    cancelled_at=datetime.combine(ends - timedelta(days=10), time(9), UTC) if last else None,
                )
            )
        end = BEGAN + timedelta(days=30 * int(months[i]))
        for week in range(80):
            day = BEGAN + timedelta(days=7 * week)
            if day >= (end if leaves[i] else TODAY):
                break
            low = shown[i] and day >= end - timedelta(days=150)
            events = int(random.poisson(4 if low else 20)) + 1
            key = f"{name}-{day}"
            records.append(
                UserActivityDay(
                    key=key, version=1, company_key=name, user_key="u", day=day, events=events, sessions=1, minutes=9
                )
            )
            records.append(
                FeatureUsageDay(key=key, version=1, company_key=name, feature="export", day=day, events=events, users=1)
            )
    return records


async def put(store: Store, records: list[Record]) -> None:
    created = datetime(2025, 1, 1, tzinfo=UTC)
    names = [record.key for record in records if isinstance(record, Company)]
    rows = [{"id": name, "name": name, "created_at": created, "updated_at": created} for name in names]
    async with store.transaction() as connection:
        if rows:
            await connection.execute(customer.insert(), rows)
        await upsert(connection, records, source="everything", now=NOW, historical=True)
        for table in RECORD_TABLES.values():
            await connection.execute(update(table).values(customer_id=table.c.company_key))


async def versions(store: Store) -> list[str]:
    async with store.reading() as connection:
        return [model.version for model in await find_models(connection)]


@pytest.fixture(scope="module")
def trained_before(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Training]:
    """A store in which a model was trained, to copy."""
    path = tmp_path_factory.mktemp("trained") / "cshub.db"
    shutil.copy(sqlite_template, path)

    async def made() -> Training:
        async with Store.open(f"sqlite:///{path}") as store:
            await put(store, history(120))
            return await train(store, DEFINITION, now=NOW)

    return path, asyncio.run(made())


@pytest.fixture
def trained(sqlite_store: Store, trained_before: tuple[Path, Training]) -> Training:
    """What training said in the store of the test, which holds all that it left."""
    path, training = trained_before
    with closing(sqlite3.connect(path)) as before, closing(sqlite3.connect(str(sqlite_store.url.database))) as here:
        before.backup(here)
    return training


async def test_a_model_that_earned_it_is_kept_and_speaks(sqlite_store: Store, trained: Training) -> None:
    assert trained.shown
    assert trained.is_new
    # the first month start with tenure, to the last one 128 days before today
    assert (trained.first_day, trained.last_day, trained.snapshots) == (date(2025, 6, 1), date(2026, 7, 1), 14)
    assert trained.version.startswith("xgb-90d-2026-07-01-")
    assert trained.evaluation is not None
    assert trained.evaluation.roc_auc.low > 0.55
    assert trained.evaluation.first_day == date(2026, 4, 1)
    assert any(line == f"model {trained.version}" for line in trained.lines())
    predictor = await load_predictor(sqlite_store, DEFINITION)
    assert isinstance(predictor, ModelPredictor)
    assert (predictor.model_version, predictor.horizon, predictor.horizon_days) == (trained.version, "90d", 90)
    assert predictor.product_features == ["export"] or predictor.product_features == ("export",)
    async with sqlite_store.reading() as connection:
        kept = await get_model(connection, trained.version)
    assert (kept.role, kept.promoted_at) == ("champion", NOW)
    assert kept.evaluation["later_snapshots"] == trained.evaluation.as_json()
    assert kept.parameters["learner"]["learner"] in ("tiny", "safe")
    importance = kept.evaluation["importance"]
    assert set(importance) <= set(kept.features)
    assert list(importance.values()) == sorted(importance.values(), reverse=True)
    assert min(importance.values()) > 0


async def test_the_model_reads_the_facts_that_scorecards_read(sqlite_store: Store, trained: Training) -> None:
    assert PRODUCT_USE == PREFIX
    predictor = await load_predictor(sqlite_store, DEFINITION)
    async with sqlite_store.reading() as connection:
        facts = await find_facts(connection, as_of=TODAY)
        facts |= await find_product_use(
            connection, as_of=TODAY, customers=facts["customer_id"], features=predictor.product_features
        )
    table = FactTable.of(TODAY, facts)
    read = predictor.predict(table)
    assert len(read.probability) == len(table) > 30
    assert np.all((read.probability > 0) & (read.probability < 1))


async def test_training_again_makes_the_same_model(sqlite_store: Store, trained: Training) -> None:
    async with sqlite_store.reading() as connection:
        first = await get_model(connection, trained.version)
    async with sqlite_store.transaction() as connection:
        await connection.execute(churn_model.delete())
    again = await train(sqlite_store, DEFINITION, now=NOW + timedelta(hours=5))
    async with sqlite_store.reading() as connection:
        second = await get_model(connection, again.version)
    assert (second.version, second.artifact, second.features) == (first.version, first.artifact, first.features)
    assert (second.parameters, second.evaluation) == (first.parameters, first.evaluation)
    repeated = await train(sqlite_store, DEFINITION, now=NOW + timedelta(hours=6))
    assert (repeated.version, repeated.is_new) == (trained.version, False)
    assert await versions(sqlite_store) == [trained.version]


def of_everything(name: str, day: date) -> list[Record]:
    """What could befall a customer on a day, in every kind of record that features are made of."""
    at, key = datetime.combine(day, time(9), UTC), f"{name}-{day}-x"
    told: dict[str, Any] = {"key": key, "version": 1, "company_key": name}
    return [
        UserActivityDay(**told, user_key="v", day=day, events=999, sessions=9, minutes=9),
        FeatureUsageDay(**told, feature="export", day=day, events=999, users=7),
        Ticket(**told, status=TicketStatus.SOLVED, severity=Severity.URGENT, created_at=at, solved_at=at, reopens=3),
        SurveyResponse(**told, type=SurveyType.NPS, scale="0-10", score=0.0, responded_at=at),
        Invoice(**told, amount=10.0, issued_on=day, due_on=day, failed_at=at, attempts=2, status=InvoiceStatus.FAILED),
        Contact(**told, email=f"{name}@example.com", role="champion", last_seen_at=at, created_at=at),
        Subscription(**told, plan="More", mrr=900.0, seats_purchased=99, started_on=day, renews_on=day + YEAR),
    ]


async def matrices(store: Store, definition: ChurnDefinition, *, labels: bool = True) -> dict[str, bytes]:
    """{horizon: its training set as bytes}; without labels, the features of all days and customers of it."""
    async with store.reading() as connection:
        history = await look_back(connection, definition, until=TODAY)
    pasts = {name: history.past(name) for name in history.horizons}
    return {
        name: b"".join(
            np.ascontiguousarray(part).tobytes()
            for part in (past.rows.matrix, past.rows.days, past.rows.ends, *([past.rows.labels] if labels else []))
        )
        for name, past in pasts.items()
    }


async def test_what_happens_later_changes_no_snapshot(sqlite_store: Store, trained: Training) -> None:
    """A day after the last snapshot everything befalls everybody: the training set is the same to the last byte."""
    async with sqlite_store.reading() as connection:
        people = list((await connection.execute(select(customer.c.id).order_by(customer.c.id))).scalars())
    before = await matrices(sqlite_store, DEFINITION)
    later = [record for name in people for record in of_everything(name, date(2026, 7, 2))]
    # who pays again has not left: terms are what labels are made of, so they come after
    await put(sqlite_store, [record for record in later if not isinstance(record, Subscription)])
    assert await matrices(sqlite_store, DEFINITION) == before
    again = await train(sqlite_store, DEFINITION, now=NOW)
    assert (again.version, again.is_new) == (trained.version, False)
    features = await matrices(sqlite_store, DEFINITION, labels=False)
    await put(sqlite_store, [record for record in later if isinstance(record, Subscription)])
    assert await matrices(sqlite_store, DEFINITION, labels=False) == features
    # and it is the day that decides, not the kind: the same a day earlier is seen
    await put(sqlite_store, [record for name in people[:3] for record in of_everything(name, date(2026, 7, 1))])
    assert await matrices(sqlite_store, DEFINITION) != before


async def test_what_we_learned_of_later_was_not_known_then(sqlite_store: Store, trained: Training) -> None:
    """Records of long ago that arrive today: no snapshot before today may have them."""
    async with sqlite_store.reading() as connection:
        people = list((await connection.execute(select(customer.c.id).order_by(customer.c.id))).scalars())
    before = await matrices(sqlite_store, DEFINITION)
    late = [
        record
        for name in people
        for record in of_everything(name, date(2026, 3, 15))
        if isinstance(record, Ticket | SurveyResponse | Invoice | Contact)
    ]
    async with sqlite_store.transaction() as connection:
        await upsert(connection, late, source="everything", now=NOW, historical=False)
        for table in RECORD_TABLES.values():
            await connection.execute(update(table).values(customer_id=table.c.company_key))
    assert await matrices(sqlite_store, DEFINITION) == before


async def test_a_signal_that_is_not_there_is_not_shown(sqlite_store: Store) -> None:
    await put(sqlite_store, history(120, telling=False))
    closed = ChurnDefinition(horizons=("90d",), gate=Gate(bootstraps=50, roc_auc_above=0.9))
    made = await train(sqlite_store, closed, now=NOW)
    assert not made.shown
    assert made.why_not is not None
    assert made.why_not.startswith("the model is not shown to beat the base rate")
    assert made.evaluation is not None
    predictor = await load_predictor(sqlite_store, closed)
    assert isinstance(predictor, PriorPredictor)
    assert (predictor.model_version, predictor.why) == (made.version, made.why_not)
    assert made.version.startswith("prior-90d-2026-07-01-")
    assert f"no model: {made.why_not}" in made.lines()


async def test_a_champion_stays_until_a_newer_model_passes(sqlite_store: Store, trained: Training) -> None:
    closed = ChurnDefinition(horizons=("90d",), gate=Gate(bootstraps=50, roc_auc_above=1.0))
    turned_away = await train(sqlite_store, closed, now=NOW + timedelta(days=1))
    assert not turned_away.shown
    assert set(await versions(sqlite_store)) == {trained.version, turned_away.version}
    assert (await load_predictor(sqlite_store, closed)).model_version == trained.version


async def test_an_empty_store_has_a_prior_that_predictions_can_name(sqlite_store: Store) -> None:
    predictor = await load_predictor(sqlite_store, DEFINITION)
    assert isinstance(predictor, PriorPredictor)
    assert predictor.prior.rate == pytest.approx(DEFINITION.believed(90))
    assert predictor.why == "none has been trained"
    assert await versions(sqlite_store) == [predictor.model_version]
    assert await load_predictor(sqlite_store, DEFINITION) == predictor  # and once is enough
    assert await versions(sqlite_store) == [predictor.model_version]
    made = await train(sqlite_store, DEFINITION, now=NOW)
    assert made.why_not == "0 customers have left so far, and 20 are needed to learn from"
    assert (made.rows, made.snapshots, made.first_day) == (0, 0, None)
    assert (await load_predictor(sqlite_store, DEFINITION)).model_version == made.version


async def test_other_horizons_have_champions_of_their_own(sqlite_store: Store, trained: Training) -> None:
    other = ChurnDefinition(horizons=("30d",))
    predictor = await load_predictor(sqlite_store, other)
    assert (predictor.horizon_days, isinstance(predictor, PriorPredictor)) == (30, True)
    async with sqlite_store.reading() as connection:
        kept = await find_champion(connection, horizon="90d")
    assert kept is not None
    assert kept.version == trained.version


async def test_a_champion_of_other_columns_is_replaced_by_the_prior_which_says_so(
    sqlite_store: Store, trained: Training
) -> None:
    async with sqlite_store.transaction() as connection:
        await connection.execute(update(churn_model).values(features=["usage", "from", "before"]))
    predictor = await load_predictor(sqlite_store, DEFINITION)
    assert isinstance(predictor, PriorPredictor)
    assert "was made with other features" in predictor.why
    assert predictor.prior == trained.prior
    async with sqlite_store.reading() as connection:
        count = (await connection.execute(select(func.count()).select_from(churn_model))).scalar_one()
    assert count == 2  # the champion is left alone, its stand-in beside it


async def test_every_horizon_has_a_model_and_the_facts_are_read_once(sqlite_store: Store) -> None:
    await put(sqlite_store, history(120))
    told: list[date] = []
    definition = ChurnDefinition(gate=Gate(bootstraps=20))
    made = await train(sqlite_store, definition, now=NOW, progress=lambda day, _done, _all: told.append(day))
    assert told == sorted(set(told))  # each day once, whatever it serves
    trained = [made, *made.others]
    assert [one.horizon for one in trained] == ["90d", "30d", "60d", "renewal"]
    # a label is ripe when the lead, the horizon and the grace are over; a renewal when it and its slack and the grace are
    assert [one.last_day for one in trained] == [
        date(2026, 7, 1),
        date(2026, 9, 1),
        date(2026, 8, 1),
        date(2026, 9, 1),
    ]
    predictors = await load_predictors(sqlite_store, definition)
    assert [one.horizon for one in predictors] == ["90d", "30d", "60d", "renewal"]
    assert all(one.shown for one in predictors)
    assert [one.model_version for one in predictors] == [one.version for one in trained]
    async with sqlite_store.reading() as connection:
        facts = await find_facts(connection, as_of=TODAY)
        facts |= await find_product_use(
            connection, as_of=TODAY, customers=facts["customer_id"], features=predictors[0].product_features
        )
    table = FactTable.of(TODAY, facts)
    renewing = predictors[-1].predict(table)
    due = table.numbers["days_to_renewal"]
    assert np.array_equal(np.isnan(renewing.probability), ~((due > 0) & (due <= 400)))
    assert "Leaving at the next renewal:" in made.lines()


async def test_a_horizon_beside_others_is_the_one_alone(sqlite_store: Store, trained: Training) -> None:
    """What a model learned does not hang on which other horizons there are."""
    together = await train(sqlite_store, ChurnDefinition(horizons=("90d", "30d"), gate=Gate(bootstraps=50)), now=NOW)
    assert (together.version, together.is_new) == (trained.version, False)


async def test_a_later_model_challenges_the_champion(sqlite_store: Store, trained: Training) -> None:
    later = await train(sqlite_store, DEFINITION.model_copy(update={"lead_days": 14}), now=NOW)
    assert later.shown
    assert later.challenges
    predictors = await load_predictors(sqlite_store, DEFINITION)
    assert [(one.model_version, one.shown) for one in predictors] == [(trained.version, True), (later.version, False)]


async def test_a_model_whose_reasons_do_not_add_up_is_not_kept(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    await put(sqlite_store, history(120))
    honest = Contributions.__call__
    monkeypatch.setattr(Contributions, "__call__", lambda self, matrix: honest(self, matrix) * np.float32(1.01))
    with pytest.raises(ContributionsError, match="add up to something else than the log-odds, by as much as"):
        await train(sqlite_store, DEFINITION, now=NOW)
    assert await versions(sqlite_store) == []


async def test_progress_names_each_snapshot(sqlite_store: Store) -> None:
    await put(sqlite_store, history(25))
    told: list[tuple[date, int, int]] = []
    made = await train(
        sqlite_store, DEFINITION, now=NOW, progress=lambda day, done, all_: told.append((day, done, all_))
    )
    assert told[0] == (date(2025, 6, 1), 1, 14)
    assert told[-1] == (date(2026, 7, 1), 14, 14)
    assert made.snapshots == len(told) == 14


async def test_of_too_many_customers_the_same_ones_are_learned_from(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    await put(sqlite_store, history(120))
    async with sqlite_store.reading() as connection:
        whole = (await look_back(connection, DEFINITION, until=TODAY)).past("90d")
        monkeypatch.setattr(snapshots, "MOST_ROWS", 400)
        some = (await look_back(connection, DEFINITION, until=TODAY)).past("90d")
    assert whole.share == 1.0
    assert 0.2 < some.share < 0.9
    assert some.customers == snapshots.drawn(whole.customers, some.share)
    assert 0 < len(some.customers) < len(whole.customers)
    # all the days of each of them, as they are in the whole
    names = np.array(whole.customers)[whole.rows.customers]
    kept = np.isin(names, some.customers)
    assert np.array_equal(
        some.rows.matrix, whole.rows.matrix[kept][:, whole.encoding.places(some.encoding)], equal_nan=True
    )
    assert np.array_equal(some.rows.labels, whole.rows.labels[kept])
    told = (await train(sqlite_store, DEFINITION, now=NOW)).lines()
    assert f"(a sample of {some.share:.0%})" in told[1]


def test_a_larger_share_draws_more_and_never_others() -> None:
    ids = [f"c{number}" for number in range(5_000)]
    few, more = snapshots.drawn(ids, 0.2), snapshots.drawn(ids, 0.5)
    assert set(few) < set(more) < set(ids)
    assert [len(few) / 5_000, len(more) / 5_000] == pytest.approx([0.2, 0.5], abs=0.02)
    assert snapshots.drawn(ids, 1.0) == ids
