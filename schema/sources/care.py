"""Mutations that hold a source against its vendor, and that map what waits in quarantine once more."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import strawberry

from schema.enums import Role
from schema.errors import MutationError
from schema.loaders import ApiInfo, load_one
from schema.performing import Outcome, answering, perform
from schema.permissions import root
from schema.sources.types import Source


@strawberry.input
class SourceReconcileInput:
    source: str = strawberry.field(description="Its name.")
    streams: list[str] | None = strawberry.field(default=None, description="Only these; null: all.")
    dry_run: bool = strawberry.field(
        default=False,
        description="Compare now, change nothing, and answer with what was found. A large source takes longer than a request "
        "may: the command line compares it, too.",
    )
    accept_deletions: bool = strawberry.field(
        default=False, description="Mark deleted what the vendor does not list any more, however much it is."
    )
    idempotency_key: str | None = None


@strawberry.type(description="A stream beside what its vendor lists, in rows; null: that could not be told.")
class StreamCheck:
    stream: str
    theirs: int | None = strawberry.field(description="Live rows at the vendor.")
    ours: int | None = strawberry.field(description="Live rows here.")
    missing: int | None = strawberry.field(description="They have it, and we have not.")
    extra: int | None = strawberry.field(description="We have it, and they have it no more.")
    stale: int | None = strawberry.field(description="Ours is of an older version.")
    held: int = strawberry.field(
        description="Extra ones that are too many to be marked deleted without a person's word."
    )
    completeness: float | None = strawberry.field(description="Share of the vendor's rows that are here, 0 to 1.")
    error: str | None = strawberry.field(
        description="Why it could not be compared, such as what the vendor refused, or what is left to a person. It stands "
        "here alone: the payload's errors are empty where one stream fails, and the others are compared."
    )


_CHECKED = ("theirs", "ours", "missing", "extra", "stale", "held", "completeness", "error")


@strawberry.type
class SourceReconcilePayload:
    outcome: strawberry.Private[Outcome]

    @answering
    async def source(self, info: ApiInfo) -> Source | None:
        return await _source(self.outcome, info)

    @answering
    def checks(self) -> list[StreamCheck] | None:
        """Of a dry run, each failure with its stream. What a real one finds is with the source's streams, once it is done."""
        found = self.outcome.result.get("checks")
        return None if found is None else [StreamCheck(**each) for each in found]

    @answering
    def errors(self) -> list[MutationError]:
        return self.outcome.errors


@strawberry.input
class QuarantineRetryInput:
    source: str = strawberry.field(description="Its name.")
    streams: list[str] | None = strawberry.field(default=None, description="Only these; null: all.")
    dry_run: bool = strawberry.field(default=False, description="Say what would become records; change nothing.")
    idempotency_key: str | None = None


@strawberry.type(description="What became of a stream's rows that waited in quarantine.")
class QuarantineRetried:
    stream: str
    tried: int
    freed: int = strawberry.field(description="Are records now, or changed nothing of one that was there.")
    remaining: int = strawberry.field(description="Still cannot be records, for the reason they had.")


@strawberry.type
class QuarantineRetryPayload:
    outcome: strawberry.Private[Outcome]

    @answering
    async def source(self, info: ApiInfo) -> Source | None:
        return await _source(self.outcome, info)

    @answering
    def streams(self) -> list[QuarantineRetried]:
        return [QuarantineRetried(**each) for each in self.outcome.result.get("streams", ())]

    @answering
    def errors(self) -> list[MutationError]:
        return self.outcome.errors


@strawberry.type
class SourceCareMutations:
    @root(Role.ADMIN, description="Compare a source with what its vendor lists, and mend what differs.")
    async def source_reconcile(
        self,
        info: ApiInfo,
        input: SourceReconcileInput,  # noqa: A002 - the API's word
    ) -> SourceReconcilePayload:
        context, name = info.context, input.source

        async def run() -> Mapping[str, Any]:
            if not input.dry_run:
                await context.actions.reconcile(
                    name,
                    streams=input.streams,
                    accept=input.accept_deletions,
                    by=context.viewer.actor,
                    now=context.now,
                )
                return {"source": name}
            checks = await context.actions.compare(name, streams=input.streams)
            told = [
                {"stream": stream, **{field: asdict(check)[field] for field in _CHECKED}}
                for stream, check in checks.items()
            ]
            return {"source": name, "checks": told}

        with Outcome.collecting() as outcome:
            request = {
                "source": name,
                "streams": input.streams,
                "dry_run": input.dry_run,
                "accept_deletions": input.accept_deletions,
            }
            await perform(
                outcome, info, "sourceReconcile", subject=name, request=request, run=run, key=input.idempotency_key
            )
        return SourceReconcilePayload(outcome=outcome)

    @root(
        Role.ADMIN, description="Map the rows of a source that wait in quarantine once more; the vendor is not asked."
    )
    async def quarantine_retry(
        self,
        info: ApiInfo,
        input: QuarantineRetryInput,  # noqa: A002 - the API's word
    ) -> QuarantineRetryPayload:
        context, name = info.context, input.source

        async def run() -> Mapping[str, Any]:
            found = await context.actions.retry_quarantine(
                name, streams=input.streams, dry_run=input.dry_run, by=context.viewer.actor, now=context.now
            )
            told = [
                {
                    "stream": stream,
                    "tried": each.pulled,
                    "freed": each.pulled - each.quarantined,
                    "remaining": each.quarantined,
                }
                for stream, each in found.items()
            ]
            return {"source": name, "streams": told}

        with Outcome.collecting() as outcome:
            request = {"source": name, "streams": input.streams, "dry_run": input.dry_run}
            await perform(
                outcome, info, "quarantineRetry", subject=name, request=request, run=run, key=input.idempotency_key
            )
        return QuarantineRetryPayload(outcome=outcome)


async def _source(outcome: Outcome, info: ApiInfo) -> Source | None:
    if (name := outcome.result.get("source")) is None:
        return None
    found: Source | None = await load_one(info, "source", name)
    return found
