"""Churn models as the hub runs them: compared, promoted and taken back, watched for drift; noted in the audit log.

What people ask for by GraphQL is audited by the API; what the command line and the schedule do is audited here.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from hub.access import Viewer
from hub.access.acting import act
from hub.compose.auditing import audited
from hub.model.actions import Role
from hub.store import Store
from hub.store.models import StoredModel, find_models
from hub.store.models import get_model as get_stored
from hub.store.promotions import Promotion, find_promotions
from hub.training.alarm import Operations, raise_alarm
from hub.training.comparison import Comparison
from hub.training.drift import DriftReport, check_drift, read_drift
from hub.training.promotion import TRAINING, Settled, compare_challengers, promote, roll_back, settle
from scoring.churn_definition import ChurnDefinition
from scoring.drift import Level

log = logging.getLogger(__name__)


class Models:
    """The registry of a hub. `operations`: who is told of drift; None: it is only shown."""

    def __init__(
        self,
        store: Store,
        definition: ChurnDefinition,
        *,
        operations: Operations | None,
        hub_url: str,
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._definition = definition
        self._operations = operations
        self._hub_url = hub_url
        self._clock = clock

    async def newest(self, *, limit: int = 50) -> Sequence[StoredModel]:
        async with self._store.reading() as connection:
            return await find_models(connection, limit=limit)

    async def get(self, version: str) -> StoredModel:
        async with self._store.reading() as connection:
            return await get_stored(connection, version)

    async def promotions(self, *, horizon: str | None = None) -> Sequence[Promotion]:
        async with self._store.reading() as connection:
            return await find_promotions(connection, horizon=horizon)

    async def compare(self, *, horizon: str | None = None) -> Sequence[Comparison]:
        return await compare_challengers(self._store, self._definition, until=self._clock().date(), horizon=horizon)

    async def promote(self, version: str, *, by: str, force: bool, reason: str | None) -> Promotion:
        return await promote(
            self._store, self._definition, version, by=by, now=self._clock(), force=force, reason=reason
        )

    async def roll_back(self, horizon: str | None, *, by: str, reason: str | None) -> Promotion:
        """Of the primary horizon, where none is named."""
        return await roll_back(
            self._store, horizon or self._definition.primary, by=by, now=self._clock(), reason=reason
        )

    async def audited(
        self, action: str, *, by: str, subject: str, request: Mapping[str, Any], run: Callable[[], Awaitable[Promotion]]
    ) -> Promotion:
        """Carry out a promotion or a rollback of the command line, and note it before and after."""
        return await audited(self._store, action, by=by, subject=subject, request=request, now=self._clock(), run=run)

    async def settle(self) -> Sequence[Settled]:
        """After a training; each promotion has an entry in the audit log."""
        now = self._clock()
        found = await settle(self._store, self._definition, now=now)
        for each in found:
            for line in each.lines():
                log.info("%s", line)
            if each.promoted is not None:
                await act(
                    self._store,
                    Viewer(token_id="", name=TRAINING, role=Role.ADMIN),
                    action="churnModelPromote",
                    subject=each.promoted,
                    request={"version": each.promoted, "horizon": each.horizon},
                    now=now,
                    run=_nothing_more,
                )
        return found

    async def drift(self, *, horizon: str | None = None) -> Sequence[DriftReport]:
        """The newest checks that were made."""
        return await read_drift(self._store, self._definition, horizon=horizon)

    async def check_drift(self, *, again: bool = False) -> Sequence[DriftReport]:
        """Check what has not been checked yet, and tell people of alarms, once an episode."""
        now = self._clock()
        reports = await check_drift(self._store, self._definition, now=now, again=again)
        for report in reports:
            if report.level is not Level.STEADY:
                log.warning("churn model %s has drifted: %s", report.model_version, report.level.value)
            if self._operations is not None:
                await raise_alarm(self._store, report, self._operations, hub_url=self._hub_url, now=now)
        return reports


async def _nothing_more() -> Mapping[str, Any]:
    return {}
