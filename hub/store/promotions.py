"""Who became champion when, by whom and why: one row a promotion, and one a rollback; none is removed."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import select, update

from hub.store.store import Connection
from hub.store.tables import churn_model, model_promotion

Kind = Literal["automatic", "by_hand", "forced", "rollback"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Promotion:
    """`version` became the champion of `horizon` in the place of `previous`.

    comparison  the numbers it rests on; None where none could be had, or none were asked for
    undone_at   when a rollback took it back
    """

    id: str
    horizon: str
    version: str
    previous: str | None
    kind: Kind
    by: str
    reason: str | None
    comparison: Mapping[str, Any] | None
    at: datetime
    undone_at: datetime | None = None


async def keep_promotion(connection: Connection, promotion: Promotion) -> None:
    await connection.execute(model_promotion.insert(), [asdict(promotion)])


async def undo_promotion(connection: Connection, id_: str, *, at: datetime) -> None:
    """Note that a rollback took a promotion back."""
    await connection.execute(update(model_promotion).where(model_promotion.c.id == id_).values(undone_at=at))


async def find_promotions(connection: Connection, *, horizon: str | None = None, limit: int = 50) -> list[Promotion]:
    """The newest first."""
    statement = select(model_promotion).order_by(model_promotion.c.at.desc(), model_promotion.c.id.desc()).limit(limit)
    if horizon is not None:
        statement = statement.where(model_promotion.c.horizon == horizon)
    return [Promotion(**row._mapping) for row in await connection.execute(statement)]


async def find_standing(connection: Connection, *, horizon: str) -> Promotion | None:
    """The newest promotion of a horizon that is none by rollback and was not taken back: what a rollback would undo."""
    row = model_promotion.c
    statement = (
        select(model_promotion)
        .where(row.horizon == horizon, row.kind != "rollback", row.undone_at.is_(None))
        .order_by(row.at.desc(), row.id.desc())
        .limit(1)
    )
    found = (await connection.execute(statement)).one_or_none()
    return None if found is None else Promotion(**found._mapping)


async def find_last_retired(connection: Connection, *, horizon: str) -> str | None:
    """The champion before the one that training alone put in its place: the last retired of those nobody ever promoted."""
    row = churn_model.c
    promoted = select(model_promotion.c.version).where(model_promotion.c.horizon == horizon)
    statement = (
        select(row.version)
        .where(
            row.horizon == horizon, row.role == "retired", row.promoted_at.is_not(None), row.version.not_in(promoted)
        )
        .order_by(row.promoted_at.desc(), row.version)
        .limit(1)
    )
    version: str | None = (await connection.execute(statement)).scalar()
    return version
