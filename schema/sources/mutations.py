"""Sync a source."""

from collections.abc import Mapping
from typing import Any

import strawberry

from schema.enums import Role
from schema.errors import MutationError
from schema.loaders import ApiInfo, load_one
from schema.performing import Outcome, answering, perform
from schema.permissions import root
from schema.sources.types import Source, SyncRun


@strawberry.input
class SourceSyncInput:
    source: str = strawberry.field(description="Its name.")
    idempotency_key: str | None = None


@strawberry.type
class SourceSyncPayload:
    outcome: strawberry.Private[Outcome]

    @answering
    async def source(self, info: ApiInfo) -> Source | None:
        if (name := self.outcome.result.get("source")) is None:
            return None
        found: Source | None = await load_one(info, "source", name)
        return found

    @answering
    async def run(self, info: ApiInfo) -> SyncRun | None:
        """The sync that began; null where it waits for a worker."""
        if (key := self.outcome.result.get("run_id")) is None:
            return None
        found: SyncRun | None = await load_one(info, "sync_run", key)
        return found

    @answering
    def errors(self) -> list[MutationError]:
        return self.outcome.errors


@strawberry.type
class SourceMutations:
    @root(Role.ADMIN, description="Pull a source now.")
    async def source_sync(self, info: ApiInfo, input: SourceSyncInput) -> SourceSyncPayload:  # noqa: A002 - the API's word
        context = info.context

        async def run() -> Mapping[str, Any]:
            started = await context.actions.sync(name, by=context.viewer.actor, now=context.now)
            return {"source": started.source, "run_id": started.run_id}

        with Outcome.collecting(of="source") as outcome:
            name = input.source
            request = {"source": name}
            await perform(
                outcome, info, "sourceSync", subject=name, request=request, run=run, key=input.idempotency_key
            )
        return SourceSyncPayload(outcome=outcome)
