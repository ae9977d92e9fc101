"""Digests: looked at before they are sent, and sent now."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import strawberry

from schema.analytics.asking import DigestPreview
from schema.enums import Role
from schema.errors import MutationError
from schema.loaders import ApiInfo
from schema.performing import Outcome, answering, perform
from schema.permissions import root
from schema.personal import PERSONAL


@strawberry.enum
class DigestName(StrEnum):
    WEEKLY = "weekly"
    MONTHLY = "monthly"


@strawberry.type(description="A digest's mail as it would be now. Its pictures are in the HTML as `cid:` addresses.")
class Digest:
    subject: str = strawberry.field(directives=[PERSONAL])
    text: str = strawberry.field(directives=[PERSONAL], description="It quotes what people are asked to approve.")
    html: str = strawberry.field(directives=[PERSONAL])
    charts: list[str] = strawberry.field(description="What each of its pictures shows, in words.")

    @classmethod
    def of(cls, made: DigestPreview) -> "Digest":
        return cls(subject=made.subject, text=made.text, html=made.html, charts=list(made.charts))


@strawberry.type
class DigestQueries:
    @root(Role.ADMIN, description="A digest as it would be now: of a CSM's customers, or of all. Nothing is sent.")
    async def digest_preview(self, info: ApiInfo, digest: DigestName, csm_email: str | None = None) -> Digest:
        context = info.context
        return Digest.of(await context.actions.preview_digest(digest.value, of=csm_email, now=context.now))


@strawberry.input(description="To one CSM, or to everybody whom the configuration names.")
class DigestSendInput:
    digest: DigestName
    csm_email: str | None = None
    idempotency_key: str | None = None


@strawberry.type
class DigestSendPayload:
    outcome: strawberry.Private[Outcome]

    @answering
    def messages(self) -> int:
        """How many messages are in the ledger now that were not before; they are sent from there."""
        return int(self.outcome.result.get("messages", 0))

    @answering
    def errors(self) -> list[MutationError]:
        return self.outcome.errors


@strawberry.type
class DigestMutations:
    @root(Role.ADMIN, description="Send a digest now. That of the schedule comes all the same.")
    async def digest_send(self, info: ApiInfo, input: DigestSendInput) -> DigestSendPayload:  # noqa: A002 - the API's word
        context, name = info.context, str(input.digest.value)

        async def run() -> Mapping[str, Any]:
            by = context.viewer.actor
            sent = await context.actions.send_digest(name, of=input.csm_email, by=by, now=context.now)
            return {"messages": len(sent)}

        with Outcome.collecting(of="digest") as outcome:
            request = {"digest": name, "csm_email": input.csm_email}
            await perform(
                outcome, info, "digestSend", subject=name, request=request, run=run, key=input.idempotency_key
            )
        return DigestSendPayload(outcome=outcome)
