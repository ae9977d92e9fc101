"""Use case: who is champion. A challenger takes the place only where it is better beyond noise, or a person insists.

    comparisons = await compare_challengers(store, definition, until=today)
    await promote(store, definition, version, by="ann", now=now)            RefusedError with the numbers where it is not
    await promote(store, definition, version, by="ann", now=now, force=True, reason="…")
    await roll_back(store, horizon, by="ann", now=now)                      the champion before is champion again
    settled = await settle(store, definition, now=now)                      after a training: promote, retire, move up

At most CHALLENGERS of a horizon predict in shadow at a time: every one of them is a whole prediction of the book a day. The
oldest do, because they come to be judged first; the others wait as candidates and move up. One that proves worse retires,
and so does one that waited for longer than a year.

A champion that this version of the code can't use is no rival: everybody is shown the prior in its place, so the newest model
that can be used follows it at once.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from hub.errors import RefusedError
from hub.store import Connection, Store
from hub.store.models import Role, StoredModel, choose_alone, find_by_role, find_champion, get_model, put_role
from hub.store.models import promote as make_champion
from hub.store.promotions import (
    Kind,
    Promotion,
    find_last_retired,
    find_standing,
    keep_promotion,
    undo_promotion,
)
from hub.training.comparison import Comparison, compare_models
from hub.training.loading import is_usable
from scoring.churn_definition import ChurnDefinition
from scoring.promotion import FEWEST_CHURNED

CHALLENGERS = 2
TOO_OLD = timedelta(days=365)
TRAINING = "monthly training"
UNUSABLE = "the champion before it has columns that this version does not make"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What settling a horizon did: the comparisons made, and the versions whose role changed."""

    horizon: str
    comparisons: tuple[Comparison, ...] = ()
    promoted: str | None = None
    retired: tuple[str, ...] = ()
    moved_up: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        lines = [line for each in self.comparisons for line in each.lines()]
        told = (
            ("promoted", (self.promoted,) if self.promoted else ()),
            ("retired", self.retired),
            ("predicts in shadow from now on", self.moved_up),
            ("waits for its turn", self.waiting),
        )
        return lines + [f"{self.horizon}: {what}: {', '.join(versions)}" for what, versions in told if versions]


async def compare_challengers(
    store: Store, definition: ChurnDefinition, *, until: date, horizon: str | None = None
) -> list[Comparison]:
    """Each challenger with the champion of its horizon, in order of horizons; the oldest first. [] without challengers."""
    found = []
    for name in (horizon,) if horizon else definition.horizons:
        async with store.reading() as connection:
            champion = await find_champion(connection, horizon=name)
            challengers = await _of_horizon(connection, "challenger", name)
        if champion is not None:
            found += [await compare_models(store, definition, champion, one, until=until) for one in challengers]
    return found


async def promote(
    store: Store,
    definition: ChurnDefinition,
    version: str,
    *,
    by: str,
    now: datetime,
    force: bool = False,
    reason: str | None = None,
) -> Promotion:
    """Make `version` the champion of its horizon.

    Raises NotFoundError for an unknown version; RefusedError where it is the champion, where it is not better beyond noise
    (with the numbers) and `force` is off, where this version can't use it, and where `force` goes without a reason. In the
    place of a champion that can't be used it needs no numbers.
    """
    if force and not (reason or "").strip():
        raise RefusedError("a promotion against the numbers needs a reason")
    async with store.reading() as connection:
        model = await get_model(connection, version)
        champion = await find_champion(connection, horizon=model.horizon)
    if champion is not None and champion.version == version:
        raise RefusedError(f"{version} is the champion of {model.horizon} already")
    if not is_usable(model, definition):
        raise RefusedError(f"{version} has columns that this version does not make: train a new one")
    comparison = None
    if champion is not None and is_usable(champion, definition):
        comparison = await compare_models(store, definition, champion, model, until=now.date())
        if not comparison.better and not force:
            raise RefusedError(_refusal(comparison))
    kind: Kind = "forced" if force and comparison is not None and not comparison.better else "by_hand"
    return await _take_place(store, model, champion, kind=kind, by=by, now=now, reason=reason, comparison=comparison)


async def roll_back(store: Store, horizon: str, *, by: str, now: datetime, reason: str | None = None) -> Promotion:
    """Make the champion before the one of now champion again, which retires; RefusedError where there was none."""
    async with store.transaction() as connection:
        await choose_alone(connection)
        champion = await find_champion(connection, horizon=horizon)
        if champion is None:
            raise RefusedError(f"there is no champion of {horizon}, so none can be taken back")
        standing = await find_standing(connection, horizon=horizon)
        if standing is not None and standing.version == champion.version:
            previous = standing.previous
        else:  # training alone put it in the place of a prior
            standing, previous = None, await find_last_retired(connection, horizon=horizon)
        if previous is None:
            raise RefusedError(f"{champion.version} is the first champion of {horizon}: there is none to go back to")
        made = Promotion(
            id=_id(),
            horizon=horizon,
            version=previous,
            previous=champion.version,
            kind="rollback",
            by=by,
            reason=reason,
            comparison=None,
            at=now,
        )
        await make_champion(connection, previous, horizon=horizon, at=now)
        if standing is not None:
            await undo_promotion(connection, standing.id, at=now)
        await keep_promotion(connection, made)
    return made


async def settle(store: Store, definition: ChurnDefinition, *, now: datetime) -> list[Settled]:
    """After a training: compare every challenger and, where the definition says `promotion: automatic`, promote the best of
    those that are better beyond noise; retire who proved worse; let candidates move up."""
    return [await _settle(store, definition, horizon, now=now) for horizon in definition.horizons]


async def _settle(store: Store, definition: ChurnDefinition, horizon: str, *, now: datetime) -> Settled:
    promoted = await _follow(store, definition, horizon, now=now)
    comparisons = await compare_challengers(store, definition, until=now.date(), horizon=horizon)
    better = [each for each in comparisons if each.better and each.verdict is not None]
    if better and definition.promotion == "automatic":
        best = min(better, key=lambda each: _difference(each))
        async with store.reading() as connection:
            model, champion = await get_model(connection, best.challenger), await get_model(connection, best.champion)
        await _take_place(
            store,
            model,
            champion,
            kind="automatic",
            by=TRAINING,
            now=now,
            reason="better beyond noise",
            comparison=best,
        )
        promoted = best.challenger
    worse = [each.challenger for each in comparisons if _is_worse(each)]
    async with store.transaction() as connection:
        challengers = await _of_horizon(connection, "challenger", horizon)
        waiting = [each for each in await _of_horizon(connection, "candidate", horizon) if each.kind == "xgboost"]
        gone = [
            each.version
            for each in (*challengers, *waiting)
            if each.version in worse or each.trained_at <= now - TOO_OLD
        ]
        for version in gone:
            await put_role(connection, version, "retired")
        line = sorted(
            (each for each in (*challengers, *waiting) if each.version not in gone), key=lambda each: each.trained_at
        )
        shadows, rest = line[:CHALLENGERS], line[CHALLENGERS:]
        moved_up = [each.version for each in shadows if each.role == "candidate"]
        for version in moved_up:
            await put_role(connection, version, "challenger")
        for each in rest:
            if each.role == "challenger":
                await put_role(connection, each.version, "candidate")
    return Settled(
        horizon=horizon,
        comparisons=tuple(comparisons),
        promoted=promoted,
        retired=tuple(gone),
        moved_up=tuple(moved_up),
        waiting=tuple(each.version for each in rest),
    )


async def _follow(store: Store, definition: ChurnDefinition, horizon: str, *, now: datetime) -> str | None:
    """The newest model that can be used in the place of a champion that can't; None where nobody has to, or may, follow."""
    async with store.reading() as connection:
        champion = await find_champion(connection, horizon=horizon)
        others = [
            model
            for role in ("challenger", "candidate")
            for model in await _of_horizon(connection, role, horizon)
            if model.kind == "xgboost"
        ]
    if champion is None or definition.promotion != "automatic" or is_usable(champion, definition):
        return None
    fit = [model for model in others if is_usable(model, definition)]
    if not fit:
        return None
    newest = max(fit, key=lambda model: model.trained_at)
    await _take_place(store, newest, champion, kind="automatic", by=TRAINING, now=now, reason=UNUSABLE, comparison=None)
    return newest.version


async def _take_place(
    store: Store,
    model: StoredModel,
    champion: StoredModel | None,
    *,
    kind: Kind,
    by: str,
    now: datetime,
    reason: str | None,
    comparison: Comparison | None,
) -> Promotion:
    made = Promotion(
        id=_id(),
        horizon=model.horizon,
        version=model.version,
        previous=champion.version if champion else None,
        kind=kind,
        by=by,
        reason=reason,
        comparison=comparison.as_json() if comparison else None,
        at=now,
    )
    async with store.transaction() as connection:
        await choose_alone(connection)
        present = await find_champion(connection, horizon=model.horizon)
        if (present.version if present else None) != made.previous:
            raise RefusedError(f"the champion of {model.horizon} changed meanwhile: compare anew")
        await make_champion(connection, model.version, horizon=model.horizon, at=now)
        await keep_promotion(connection, made)
    return made


async def _of_horizon(connection: Connection, role: Role, horizon: str) -> Sequence[StoredModel]:
    """Models of a role and horizon, the oldest first."""
    found = await find_by_role(connection, role)
    return [model for model in reversed(found) if model.horizon == horizon]


def _is_worse(comparison: Comparison) -> bool:
    """Whether enough customers left to tell, and the challenger's log-loss is the higher one."""
    verdict = comparison.verdict
    return verdict is not None and verdict.churned >= FEWEST_CHURNED and verdict.difference.value > 0


def _difference(comparison: Comparison) -> float:
    assert comparison.verdict is not None, "asked of comparisons with a verdict"
    return comparison.verdict.difference.value


def _refusal(comparison: Comparison) -> str:
    numbers = "; ".join(comparison.verdict.lines()) if comparison.verdict else "no numbers to go by"
    return (
        f"{comparison.challenger} is not better than the champion {comparison.champion} beyond noise: {comparison.why_not} "
        f"({numbers}). Accepted are a 95 % interval of the difference in log-loss below 0 with a lift at 10 % that is not "
        "lower by more than 5 %, or force with a reason"
    )


def _id() -> str:
    return f"pro_{secrets.token_hex(12)}"
