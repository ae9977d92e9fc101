"""The registry of churn models: every one that was trained, and what each is there for.

A model is a row: XGBoost's own file as `artifact`, the names of its columns in order, everything else it needs to speak in
`parameters`, and what it was worth in `evaluation`. There is no model file beside the store, so a copy of the store is
complete and a prediction always finds the model it names. A version names its content; keeping it again changes nothing
of it.

    champion    whose numbers are shown; one a horizon
    challenger  predicts beside the champion, unseen, until it is promoted or retired
    candidate   kept for what it says of itself: a prior in a model's place, a model that was turned away
    retired     was a champion or challenger
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, Literal

from sqlalchemy import func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from hub.errors import NotFoundError
from hub.store.store import Connection
from hub.store.tables import churn_model

Kind = Literal["xgboost", "prior"]
Role = Literal["champion", "challenger", "candidate", "retired"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredModel:
    """A churn model as kept. `artifact` is None for a prior; `horizon_days` for the renewal.

    promoted_at  when it last became the champion; None where it never was
    """

    version: str
    kind: Kind
    horizon: str
    horizon_days: int | None
    trained_at: datetime
    trained_on_from: date | None
    trained_on_to: date | None
    features: Sequence[str]
    evaluation: Mapping[str, Any]
    parameters: Mapping[str, Any]
    artifact: bytes | None
    role: Role
    promoted_at: datetime | None = None


CHOOSING = 0x63_68_61_6D
"""The advisory lock of those who change who is champion."""


async def choose_alone(connection: Connection) -> None:
    """Until this transaction ends nobody else changes who is champion; on SQLite whoever writes is alone anyway.

    Two at once would each retire the champion they saw and leave two.
    """
    if connection.dialect.name == "postgresql":
        await connection.execute(select(func.pg_advisory_xact_lock(CHOOSING)))


async def keep_model(connection: Connection, model: StoredModel) -> bool:
    """Keep `model` in its role; False where its version is here already, which is left as it is, role and all."""
    insert = sqlite.insert(churn_model) if connection.dialect.name == "sqlite" else postgresql.insert(churn_model)
    # asked first: neither database counts the rows of a list of parameters reliably
    known = await connection.execute(select(churn_model.c.version).where(churn_model.c.version == model.version))
    if known.scalar() is not None:
        return False
    row = asdict(model) | {"features": list(model.features)}
    if model.role == "champion":
        row["role"] = "candidate"
    await connection.execute(insert.on_conflict_do_nothing(index_elements=[churn_model.c.version]), [row])
    if model.role == "champion":
        await promote(connection, model.version, horizon=model.horizon, at=model.promoted_at or model.trained_at)
    return True


async def promote(connection: Connection, version: str, *, horizon: str, at: datetime) -> None:
    """Make `version` the champion of its horizon; the one before it retires."""
    same = churn_model.c.horizon == horizon
    await connection.execute(
        update(churn_model)
        .where(same, churn_model.c.role == "champion", churn_model.c.version != version)
        .values(role="retired")
    )
    await connection.execute(
        update(churn_model).where(churn_model.c.version == version).values(role="champion", promoted_at=at)
    )


async def put_role(connection: Connection, version: str, role: Role) -> None:
    """Give a model another role than champion, which is `promote`'s."""
    await connection.execute(update(churn_model).where(churn_model.c.version == version).values(role=role))


async def find_champion(connection: Connection, *, horizon: str) -> StoredModel | None:
    """The champion of a horizon; None where nothing was ever kept for it."""
    statement = select(churn_model).where(churn_model.c.role == "champion", churn_model.c.horizon == horizon)
    row = (await connection.execute(statement)).one_or_none()
    return None if row is None else StoredModel(**row._mapping)


async def find_by_role(connection: Connection, role: Role) -> list[StoredModel]:
    """The models of a role with their artifacts, of all horizons, the newest first."""
    statement = (
        select(churn_model)
        .where(churn_model.c.role == role)
        .order_by(churn_model.c.trained_at.desc(), churn_model.c.version)
    )
    return [StoredModel(**row._mapping) for row in await connection.execute(statement)]


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
