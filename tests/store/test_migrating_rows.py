"""A store with rows in it is brought to this version: tables that others refer to are made anew, and no row is lost."""

from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import text

from hub.store import Store
from hub.store.migrate import config, upgrade

FIRST = "0001"
ROWS = (
    "insert into customer(id, name, created_at, updated_at) values ('a', 'A', '2026-01-01', '2026-01-01')",
    (
        "insert into churn_model(version, kind, horizon_days, trained_at, features, evaluation, parameters, champion) "
        "values ('m', 'xgboost', 90, '2026-01-01', '[]', '{}', '{}', true)"
    ),
    (
        "insert into churn_prediction(id, customer_id, as_of, model_version, horizon_days, probability, annualised, band, "
        "confidence, reasons, computed_at) "
        "values ('p', 'a', '2026-01-01', 'm', 90, 0.1, 0.2, 'low', 'normal', '[]', '2026-01-01')"
    ),
    (
        "insert into scorecard(id, customer_id, as_of, health, band, coverage, facts, readings, definition_hash, computed_at, "
        "latest) values ('s', 'a', '2026-01-01', 0.5, 'stable', 1, '{}', '[]', 'h', '2026-01-01', true)"
    ),
    (
        "insert into delivery(id, dedup_key, channel, address, payload, state, attempts, reserved_at) "
        "values ('d', 'k', 'slack', '#a', '{}', 'reserved', 0, '2026-01-01')"
    ),
)


async def fill(store: Store) -> None:
    async with store.transaction() as connection:
        await connection.run_sync(lambda sync: command.upgrade(config(sync), FIRST))
        for statement in ROWS:
            await connection.execute(text(statement))


async def test_an_older_store_is_upgraded_with_its_rows(bare_url: str) -> None:
    async with Store.open(bare_url) as store:
        await fill(store)
        assert (await upgrade(store))[0] == FIRST
        async with store.transaction() as connection:
            found: dict[str, Any] = {}
            for table in ("churn_model", "churn_prediction", "scorecard"):
                found[table] = (await connection.execute(text(f"select * from {table}"))).mappings().one()
            model, prediction, card = found.values()
            assert (model["role"], model["horizon"]) == ("champion", "90d")
            assert model["promoted_at"] == model["trained_at"]
            assert (prediction["probability"], prediction["model_version"]) == (0.1, "m")
            assert (prediction["horizon"], bool(prediction["shown"]), bool(prediction["latest"])) == ("90d", True, True)
            assert (card["health"], card["definition"], card["override_id"]) == (0.5, "main", None)
            assert (card["computed_health"], card["computed_band"]) == (0.5, "stable"), "what was in force was computed"
            waiting = (await connection.execute(text("select turn_at, reserved_at from delivery"))).mappings().one()
            assert waiting["turn_at"] == waiting["reserved_at"], "its turn comes in the order there was"
            if store.dialect == "sqlite":
                on = (await connection.execute(text("PRAGMA foreign_keys"))).scalar_one()
                assert on == 1, "references are looked at again"


async def test_what_refers_to_nothing_undoes_the_whole(tmp_path: Path) -> None:
    async with Store.open(f"sqlite:///{tmp_path / 'old.db'}") as store:
        await fill(store)
        with pytest.raises(RuntimeError, match="rows refer to what is not there"):
            async with store.migrating() as connection:
                await connection.execute(text("delete from churn_model"))
        async with store.reading() as connection:
            assert (await connection.execute(text("select count(*) from churn_model"))).scalar_one() == 1
