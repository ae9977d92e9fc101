"""How long the daily run takes: facts from SQL, health, churn risk over every horizon, reasons, all of it stored.

    python -m bench.daily [--customers 100000] [--folder .bench] [--fresh]

A store of so many customers is made once in the folder, with yesterday's scorecards and a model for each horizon, and used
again. The run itself is a process of its own, on a copy, so that its peak memory is that of the job: it loads the
configuration that ships and the models of the registry, and scores the day as the scheduled job does. Seconds are by phase.
"""

import argparse
import asyncio
import functools
import inspect
import multiprocessing
import shutil
import time
from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np

from bench.company import Company, fill, moment
from bench.stopwatch import load, peak_mb, verdict
from hub.collector import relax_collector
from hub.scorecards import churn, reading, run, sheet
from hub.settings import load as load_settings
from hub.store import Store
from hub.store.facts import find_facts, find_product_features, find_product_use
from hub.store.migrate import upgrade
from hub.store.models import StoredModel, find_models, keep_model
from hub.training import load_predictors
from scoring.calibration import Calibration
from scoring.churn import ModelPredictor
from scoring.churn_definition import ChurnDefinition
from scoring.contributions import Contributions
from scoring.encoding import Encoding
from scoring.facts import FactTable
from scoring.features import FEATURES
from scoring.horizon import days_of
from scoring.learner import SAFE, Rows, boost
from scoring.reasons import medians

TODAY = date(2026, 6, 30)
NOW = moment(TODAY, 5)
LEARNED_FROM = 20_000
SECONDS, MEGABYTES = 120, 2_000
PHASES = {
    "facts from SQL": (reading, ["find_facts", "find_product_use"]),
    "last known readings, overrides, notices": (
        reading,
        ["find_readings_before", "find_extra_readings_before", "find_in_force", "find_noticed"],
    ),
    "health": (sheet, ["score_book", "read_health"]),
    "churn risk and reasons, ranked": (churn.ChurnSheet, ["of"]),
    "yesterday's standing": (run, ["find_standing"]),
    "scorecards as rows": (run, ["cards", "extra_cards"]),
    "predictions as rows, reasons worded": (churn.ChurnSheet, ["predictions"]),
    "written": (run, ["put", "put_extras", "retire", "retire_extras"]),
    "families": (run, ["roll_up_families"]),
    "report": (run, ["report"]),
}


def environment(database: Path) -> dict[str, str]:
    return {"CSHUB_STORE": f"sqlite:///{database}"}


def megabytes(path: Path) -> float:
    return path.stat().st_size / 1e6


async def build(database: Path, customers: int) -> None:
    settings = load_settings(None, environment=environment(database))
    began = time.perf_counter()
    async with Store.open(settings.hub.store) as store:
        await upgrade(store)
        counts = await fill(store, Company(customers, TODAY))
        rows = ", ".join(f"{count:,} {kind}" for kind, count in counts.items())
        print(f"made {customers:,} customers in {time.perf_counter() - began:.0f} s: {rows}", flush=True)
        yesterday = TODAY - timedelta(days=1)
        await run.score(store, settings.health, [], as_of=yesterday, now=NOW - timedelta(days=1))
    print(f"built in {time.perf_counter() - began:.0f} s, {megabytes(database):,.0f} MB", flush=True)


async def prepare(database: Path) -> None:
    """Bring what an earlier version made up to this one, and keep a model of each horizon where it has none."""
    settings = load_settings(None, environment=environment(database))
    async with Store.open(settings.hub.store) as store:
        await upgrade(store)
        async with store.reading() as connection:
            there = {model.version for model in await find_models(connection)}
        if not versions(settings.churn) <= there:
            await keep_models(store, settings.churn)


def version_of(horizon: str) -> str:
    """Names the columns: a model of others would be refused."""
    return f"bench-{horizon}-{blake2b(str([each.name for each in FEATURES]).encode(), digest_size=4).hexdigest()}"


def versions(definition: ChurnDefinition) -> set[str]:
    return {version_of(horizon) for horizon in definition.horizons}


async def keep_models(store: Store, definition: ChurnDefinition) -> None:
    """A model of each horizon, which learned from customers who leave for little use: as large as a real one."""
    async with store.reading() as connection:
        facts = await find_facts(connection, as_of=TODAY)
        product = await find_product_features(connection, as_of=TODAY, most=definition.columns.product_features)
        facts |= await find_product_use(connection, as_of=TODAY, customers=facts["customer_id"], features=product)
    table = FactTable.of(TODAY, facts)
    encoding = Encoding.of([table], texts=definition.columns.texts, product=product)
    matrix = encoding.matrix(table)[:LEARNED_FROM]
    n = len(matrix)
    random, days = np.random.default_rng(3), np.zeros(n, dtype=np.int64)
    used, csat = (np.nan_to_num(table.numbers[name][:n]) for name in ("events_28d", "csat_90d"))
    labels = random.random(n) < 1 / (1 + np.exp(1.5 + used / 100 + csat))
    booster = boost(Rows(encoding.names, encoding.signs, matrix, labels, np.arange(n), days, days), SAFE)
    for horizon in definition.horizons:
        predictor = ModelPredictor(
            model_version=version_of(horizon), horizon=horizon, confidence="normal", booster=booster,
            calibration=Calibration(), encoding=encoding, contributions=Contributions.of(booster),
            medians=medians(encoding, matrix), bands=definition.bands, limits=definition.reasons,
        )  # fmt: skip
        model = StoredModel(
            version=predictor.model_version, kind="xgboost", horizon=horizon, horizon_days=days_of(horizon),
            trained_at=NOW, trained_on_from=None, trained_on_to=None, features=encoding.names, evaluation={},
            parameters=predictor.as_json(), artifact=predictor.artifact, role="champion",
        )  # fmt: skip
        async with store.transaction() as connection:
            await keep_model(connection, model)


def watch(spent: Counter[str]) -> None:
    """Time the functions that do the phases."""
    for phase, (where, names) in PHASES.items():
        for name in names:
            before = inspect.getattr_static(where, name)
            if isinstance(before, classmethod):
                setattr(where, name, classmethod(_timed(before.__func__, phase, spent)))
            else:
                setattr(where, name, _timed(before, phase, spent))


def _timed(function: Callable[..., Any], phase: str, spent: Counter[str]) -> Callable[..., Any]:
    @functools.wraps(function)
    def timed(*args: Any, **kwargs: Any) -> Any:
        began = time.perf_counter()
        result = function(*args, **kwargs)
        if inspect.isawaitable(result):
            return _awaited(result, phase, spent, began)
        spent[phase] += time.perf_counter() - began  # type: ignore[assignment]  # seconds
        return result

    return timed


async def _awaited(result: Any, phase: str, spent: Counter[str], began: float) -> Any:
    made = await result
    spent[phase] += time.perf_counter() - began  # type: ignore[assignment]  # seconds
    return made


async def daily(database: Path) -> None:
    spent: Counter[str] = Counter()
    watch(spent)
    relax_collector()
    settings = load_settings(None, environment=environment(database))
    before = megabytes(database)
    began, began_cpu = time.perf_counter(), time.process_time()
    async with Store.open(settings.hub.store) as store:
        predictors = await load_predictors(store, settings.churn)
        spent["models loaded"] = time.perf_counter() - began  # type: ignore[assignment]  # seconds
        report = await run.score(store, settings.health, predictors, as_of=TODAY, now=NOW)
    took, cpu, peak = time.perf_counter() - began, time.process_time() - began_cpu, peak_mb()
    for phase, seconds in spent.most_common():
        print(f"  {seconds:6.1f} s  {phase}")
    print(f"  {took - sum(spent.values()):6.1f} s  everything else, less what was done side by side")
    assert {each.model_version for each in predictors} == versions(settings.churn), "these are other models"
    print(
        f"the day of {len(report.customer_ids):,} customers, {len(predictors)} models: {took:.1f} s ({cpu:.1f} s of CPU), "
        f"{verdict(took, SECONDS)} s; peak memory {peak:,.0f} MB, {verdict(peak, MEGABYTES)} MB; "
        f"{megabytes(database) - before:,.0f} MB more in the store ({load()})"
    )


def _run(database: Path) -> None:
    asyncio.run(daily(database))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--folder", type=Path, default=Path(".bench"))
    parser.add_argument("--fresh", action="store_true", help="make the store anew")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    base = options.folder / f"daily-{options.customers}.db"
    making, scratch = base.with_suffix(".making"), base.with_suffix(".run")
    if options.fresh:
        base.unlink(missing_ok=True)
    if not base.exists():
        for path in options.folder.glob(f"{making.name}*"):
            path.unlink()
        asyncio.run(build(making, options.customers))
        making.rename(base)
    asyncio.run(prepare(base))
    shutil.copy(base, scratch)
    try:
        process = multiprocessing.get_context("spawn").Process(target=_run, args=(scratch,))
        process.start()
        process.join()
    finally:
        for path in options.folder.glob(f"{scratch.name}*"):
            path.unlink()
    raise SystemExit(process.exitcode)


if __name__ == "__main__":
    main()
