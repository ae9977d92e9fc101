"""The registry keeps every model once, knows one champion per horizon, and gives back what it was given."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from hub.errors import NotFoundError
from hub.store import Store
from hub.store.models import StoredModel, find_champion, find_models, get_model, keep_model

NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)


def model(version: str, **changes: object) -> StoredModel:
    made = StoredModel(
        version=version,
        kind="xgboost",
        horizon_days=90,
        trained_at=NOW,
        trained_on_from=date(2025, 1, 1),
        trained_on_to=date(2026, 7, 1),
        features=["usage", "plan=Pro"],
        evaluation={"later_snapshots": {"rows": 3}},
        parameters={"medians": {"usage": None, "plan=Pro": 0.5}, "prior": {"rate": 0.03}},
        artifact=bytes(range(256)),
        champion=True,
    )
    return replace(made, **changes)  # type: ignore[arg-type] # whatever a test wants changed


async def keep(store: Store, made: StoredModel) -> bool:
    async with store.transaction() as connection:
        return await keep_model(connection, made)


async def champion(store: Store, horizon: int = 90) -> StoredModel | None:
    async with store.reading() as connection:
        return await find_champion(connection, horizon_days=horizon)


async def test_a_model_comes_back_as_it_went_in(store: Store) -> None:
    assert await champion(store) is None
    assert await keep(store, model("a"))
    assert await champion(store) == model("a")
    async with store.reading() as connection:
        assert await get_model(connection, "a") == model("a")


async def test_the_same_version_replaces_nothing(store: Store) -> None:
    await keep(store, model("a"))
    again = model("a", trained_at=NOW + timedelta(days=1), artifact=b"other", evaluation={})
    assert not await keep(store, again)
    assert await champion(store) == model("a")


async def test_a_new_champion_takes_the_place_of_the_old_one_of_its_horizon(store: Store) -> None:
    await keep(store, model("a"))
    await keep(store, model("other", horizon_days=30))
    await keep(store, model("b"))
    await keep(store, model("turned-away", kind="prior", champion=False, artifact=None))
    assert await champion(store) == model("b")
    assert await champion(store, 30) == model("other", horizon_days=30)
    async with store.reading() as connection:
        assert not (await get_model(connection, "a")).champion
    await keep(store, model("a"))  # the same data again: the model of them speaks
    assert await champion(store) == model("a")


async def test_models_are_listed_newest_first_without_their_files(store: Store) -> None:
    await keep(store, model("old", trained_at=NOW - timedelta(days=30)))
    await keep(store, model("new"))
    async with store.reading() as connection:
        found = await find_models(connection)
    assert [(one.version, one.artifact, one.champion) for one in found] == [("new", None, True), ("old", None, False)]


async def test_an_unknown_version_names_the_known_ones(store: Store) -> None:
    await keep(store, model("a"))
    async with store.reading() as connection:
        with pytest.raises(NotFoundError, match="no churn model 'x'; there are: a"):
            await get_model(connection, "x")
