"""The registry keeps every model once, knows one champion per horizon, and gives back what it was given."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from hub.errors import NotFoundError
from hub.store import Store
from hub.store.models import (
    StoredModel,
    find_by_role,
    find_champion,
    find_models,
    get_model,
    keep_model,
    promote,
    put_role,
)

NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)


def model(version: str, **changes: object) -> StoredModel:
    made = StoredModel(
        version=version,
        kind="xgboost",
        horizon="90d",
        horizon_days=90,
        trained_at=NOW,
        trained_on_from=date(2025, 1, 1),
        trained_on_to=date(2026, 7, 1),
        features=["usage", "plan=Pro"],
        evaluation={"later_snapshots": {"rows": 3}},
        parameters={"medians": {"usage": None, "plan=Pro": 0.5}, "prior": {"rate": 0.03}},
        artifact=bytes(range(256)),
        role="champion",
        promoted_at=NOW,
    )
    return replace(made, **changes)  # type: ignore[arg-type] # whatever a test wants changed


async def keep(store: Store, made: StoredModel) -> bool:
    async with store.transaction() as connection:
        return await keep_model(connection, made)


async def champion(store: Store, horizon: str = "90d") -> StoredModel | None:
    async with store.reading() as connection:
        return await find_champion(connection, horizon=horizon)


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


async def test_a_new_champion_retires_the_old_one_of_its_horizon(store: Store) -> None:
    await keep(store, model("a"))
    await keep(store, model("other", horizon="renewal", horizon_days=None))
    await keep(store, model("b", promoted_at=NOW + timedelta(days=30)))
    await keep(store, model("turned-away", kind="prior", role="candidate", artifact=None, promoted_at=None))
    assert await champion(store) == model("b", promoted_at=NOW + timedelta(days=30))
    assert await champion(store, "renewal") == model("other", horizon="renewal", horizon_days=None)
    async with store.reading() as connection:
        assert (await get_model(connection, "a")).role == "retired"
    assert not await keep(store, model("a"))  # the same data again: nothing changes by itself
    assert await champion(store) == model("b", promoted_at=NOW + timedelta(days=30))


async def test_promoting_and_rolling_back(store: Store) -> None:
    await keep(store, model("a"))
    await keep(store, model("b", role="challenger", promoted_at=None))
    later, latest = NOW + timedelta(days=1), NOW + timedelta(days=2)
    async with store.transaction() as connection:
        assert [one.version for one in await find_by_role(connection, "challenger")] == ["b"]
        await promote(connection, "b", horizon="90d", at=later)
    assert await champion(store) == model("b", promoted_at=later)
    async with store.transaction() as connection:
        await promote(connection, "a", horizon="90d", at=latest)
        await put_role(connection, "b", "candidate")
    assert await champion(store) == model("a", promoted_at=latest)
    async with store.reading() as connection:
        assert (await get_model(connection, "b")).role == "candidate"
        assert await find_by_role(connection, "retired") == []


async def test_models_are_listed_newest_first_without_their_files(store: Store) -> None:
    await keep(store, model("old", trained_at=NOW - timedelta(days=30)))
    await keep(store, model("new"))
    async with store.reading() as connection:
        found = await find_models(connection)
    assert [(one.version, one.artifact, one.role) for one in found] == [
        ("new", None, "champion"),
        ("old", None, "retired"),
    ]


async def test_an_unknown_version_names_the_known_ones(store: Store) -> None:
    await keep(store, model("a"))
    async with store.reading() as connection:
        with pytest.raises(NotFoundError, match="no churn model 'x'; there are: a"):
            await get_model(connection, "x")
