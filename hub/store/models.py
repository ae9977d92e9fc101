"""The registry of churn models: every one that was trained, and which of a horizon is the champion.

A model is a row: XGBoost's own file as `artifact`, the names of its columns in order, everything else it needs to speak in
`parameters`, and what it was worth in `evaluation`. There is no model file beside the store, so a copy of the store is
complete and a prediction always finds the model it names. A version names its content; keeping it again changes nothing
but, perhaps, who is champion.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, Literal

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite

from hub.errors import NotFoundError
from hub.store.store import Connection
from hub.store.tables import churn_model

Kind = Literal["xgboost", "prior"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredModel:
    """A churn model as kept. `champion`: whose numbers are shown for its horizon; `artifact` is None for a prior."""

    version: str
    kind: Kind
    horizon_days: int
    trained_at: datetime
    trained_on_from: date | None
    trained_on_to: date | None
    features: Sequence[str]
    evaluation: Mapping[str, Any]
    parameters: Mapping[str, Any]
    artifact: bytes | None
    champion: bool


async def keep_model(connection: Connection, model: StoredModel) -> bool:
    """Keep `model`; False where its version is here already, which is left as it is.

    A champion takes the place of the one before it, of the same horizon.
    """
    insert = sqlite.insert(churn_model) if connection.dialect.name == "sqlite" else postgresql.insert(churn_model)
    # asked first: neither database counts the rows of a list of parameters reliably
    known = await connection.execute(select(churn_model.c.version).where(churn_model.c.version == model.version))
    is_new = known.scalar() is None
    row = asdict(model) | {"features": list(model.features)}
    await connection.execute(insert.on_conflict_do_nothing(index_elements=[churn_model.c.version]), [row])
    if model.champion:
        same = churn_model.c.horizon_days == model.horizon_days
        await connection.execute(
            update(churn_model).where(same).values(champion=churn_model.c.version == model.version)
        )
    return is_new


async def find_champion(connection: Connection, *, horizon_days: int) -> StoredModel | None:
    """The champion of a horizon; None where nothing was ever kept for it."""
    statement = select(churn_model).where(churn_model.c.champion, churn_model.c.horizon_days == horizon_days)
    row = (await connection.execute(statement)).one_or_none()
    return None if row is None else StoredModel(**row._mapping)


async def get_model(connection: Connection, version: str) -> StoredModel:
    """A model by its version; NotFoundError names the newest there are."""
    row = (await connection.execute(select(churn_model).where(churn_model.c.version == version))).one_or_none()
    if row is None:
        newest = [model.version for model in await find_models(connection, limit=5)]
        raise NotFoundError(f"no churn model {version!r}; there are: {', '.join(newest) or 'none'}")
    return StoredModel(**row._mapping)


async def find_models(connection: Connection, *, limit: int = 50) -> list[StoredModel]:
    """The newest models, without their artifacts."""
    columns = [column for column in churn_model.c if column.name != "artifact"]
    statement = select(*columns).order_by(churn_model.c.trained_at.desc(), churn_model.c.version).limit(limit)
    return [StoredModel(**row._mapping, artifact=None) for row in await connection.execute(statement)]
