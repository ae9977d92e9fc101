"""Put an address on the suppression list, and take it off."""

from collections.abc import Mapping
from typing import Any

import strawberry

from hub.access.acting import UNNAMED
from schema.enums import Role
from schema.errors import MutationError
from schema.loaders import ApiInfo
from schema.performing import Outcome, answering, perform
from schema.permissions import root

_KEY = "The same key does it once, however often it is sent."


@strawberry.input(description="Send no more mail to customers there.")
class MailSuppressInput:
    address: str = strawberry.field(description="An address, or a whole domain as @example.com.")
    topic: str = strawberry.field(default="", description="Only mail about this; empty for everything.")
    note: str | None = None
    idempotency_key: str | None = strawberry.field(default=None, description=_KEY)


@strawberry.input(description="Mail may be sent there again.")
class MailUnsuppressInput:
    address: str
    topic: str | None = strawberry.field(default=None, description="Only this line; null for all lines of the address.")
    idempotency_key: str | None = strawberry.field(default=None, description=_KEY)


@strawberry.type
class MailSuppressPayload:
    outcome: strawberry.Private[Outcome]

    @answering
    def added(self) -> bool:
        """Whether it was not on the list already."""
        return bool(self.outcome.result.get("added", False))

    @answering
    def errors(self) -> list[MutationError]:
        return self.outcome.errors


@strawberry.type
class MailUnsuppressPayload:
    outcome: strawberry.Private[Outcome]

    @answering
    def removed(self) -> int:
        """How many lines of the list are gone."""
        return int(self.outcome.result.get("removed", 0))

    @answering
    def errors(self) -> list[MutationError]:
        return self.outcome.errors


@strawberry.type
class MailMutations:
    @root(Role.ADMIN, description="Put an address or a domain on the suppression list.")
    async def mail_suppress(self, info: ApiInfo, input: MailSuppressInput) -> MailSuppressPayload:  # noqa: A002 - the API's word
        context = info.context

        async def run() -> Mapping[str, Any]:
            added = await context.actions.suppress_mail(
                input.address, by=context.viewer.actor, topic=input.topic, note=input.note
            )
            return {"added": added}

        with Outcome.collecting() as outcome:
            request = {"address": input.address, "topic": input.topic, "note": input.note}
            await perform(
                outcome, info, "mailSuppress", subject=UNNAMED, request=request, run=run, key=input.idempotency_key
            )
        return MailSuppressPayload(outcome=outcome)

    @root(Role.ADMIN, description="Take an address or a domain off the suppression list.")
    async def mail_unsuppress(self, info: ApiInfo, input: MailUnsuppressInput) -> MailUnsuppressPayload:  # noqa: A002 - the API's word
        context = info.context

        async def run() -> Mapping[str, Any]:
            return {"removed": await context.actions.unsuppress_mail(input.address, topic=input.topic)}

        with Outcome.collecting() as outcome:
            request = {"address": input.address, "topic": input.topic}
            await perform(
                outcome, info, "mailUnsuppress", subject=UNNAMED, request=request, run=run, key=input.idempotency_key
            )
        return MailUnsuppressPayload(outcome=outcome)
