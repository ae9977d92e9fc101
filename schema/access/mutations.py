"""Make and revoke tokens."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import strawberry

from hub.access import tokens
from hub.access.tokens import LONGEST_OVERLAP
from schema.access.types import Token
from schema.enums import Role, Scope
from schema.errors import BadInputError, MutationError
from schema.loaders import ApiInfo, load_one
from schema.performing import Outcome, answering, perform
from schema.permissions import root


@strawberry.input
class TokenCreateInput:
    name: str = strawberry.field(description="Whose it is, or what it is for.")
    role: Role
    csm_email: str | None = None
    expires_at: datetime | None = None
    scopes: list[Scope] | None = strawberry.field(default=None, description="Some of the role's; null for all of them.")
    idempotency_key: str | None = strawberry.field(
        default=None,
        description="The same key makes one token. Its secret is in the first answer alone; who lost that rotates the token.",
    )


@strawberry.input(description="Another secret for a token. The one before opens for a while too.")
class TokenRotateInput:
    id: strawberry.ID
    overlap_hours: int = strawberry.field(default=168, description=f"0 to {LONGEST_OVERLAP.days * 24}.")
    idempotency_key: str | None = strawberry.field(
        default=None,
        description="The same key rotates once: a second rotation would end the secret that is in use. Its secret is in "
        "the first answer alone.",
    )


@strawberry.input
class TokenRevokeInput:
    id: strawberry.ID


@strawberry.type
class TokenPayload:
    outcome: strawberry.Private[Outcome]

    @answering
    async def token(self, info: ApiInfo) -> Token | None:
        if (key := self.outcome.result.get("token_id")) is None:
            return None
        found: Token | None = await load_one(info, "api_token", key)
        return found

    @answering
    def errors(self) -> list[MutationError]:
        return self.outcome.errors


@strawberry.type
class _SecretPayload(TokenPayload):
    new_secret: strawberry.Private[str | None] = None

    @answering
    def secret(self) -> str | None:
        """Shown this once; it is stored nowhere."""
        return self.new_secret


@strawberry.type
class TokenCreatePayload(_SecretPayload):
    pass


@strawberry.type
class TokenRotatePayload(_SecretPayload):
    pass


@strawberry.type
class TokenRevokePayload(TokenPayload):
    pass


@strawberry.type
class AccessMutations:
    @root(Role.ADMIN, description="Make a token. Its secret is in the answer, and nowhere else.")
    async def token_create(self, info: ApiInfo, input: TokenCreateInput) -> TokenCreatePayload:  # noqa: A002 - the API's word
        context = info.context
        made: list[str] = []

        async def run() -> Mapping[str, Any]:
            new = await tokens.create(
                context.store,
                name=input.name,
                role=input.role,
                now=context.now,
                csm_email=input.csm_email,
                expires_at=input.expires_at,
                scopes=input.scopes,
                within=context.viewer.scopes,
            )
            made.append(new.secret)
            return {"token_id": new.token.id}

        with Outcome.collecting() as outcome:
            if input.expires_at is not None and input.expires_at.tzinfo is None:
                raise BadInputError("expiresAt needs a time zone, such as 2027-01-31T09:00:00Z", field="expiresAt")
            scopes = None if input.scopes is None else [scope.value for scope in input.scopes]
            request = {
                "name": input.name,
                "role": input.role.value,
                "csm_email": input.csm_email,
                "scopes": scopes,
                "expires_at": None if input.expires_at is None else input.expires_at.isoformat(),
            }
            await perform(
                outcome, info, "tokenCreate", subject=input.name, request=request, run=run, key=input.idempotency_key
            )
        return TokenCreatePayload(outcome=outcome, new_secret=made[0] if made else None)

    @root(Role.ADMIN, description="Give a token another secret, which is in the answer, and nowhere else.")
    async def token_rotate(self, info: ApiInfo, input: TokenRotateInput) -> TokenRotatePayload:  # noqa: A002 - the API's word
        context = info.context
        made: list[str] = []

        async def run() -> Mapping[str, Any]:
            overlap = timedelta(hours=input.overlap_hours)
            new = await tokens.rotate(
                context.store, input.id, overlap=overlap, now=context.now, within=context.viewer.scopes
            )
            made.append(new.secret)
            return {"token_id": new.token.id}

        with Outcome.collecting(of="id") as outcome:
            request = {"token": input.id, "overlap_hours": input.overlap_hours}
            await perform(
                outcome, info, "tokenRotate", subject=input.id, request=request, run=run, key=input.idempotency_key
            )
        return TokenRotatePayload(outcome=outcome, new_secret=made[0] if made else None)

    @root(Role.ADMIN, description="Make a token invalid, all its secrets; running servers refuse it within a second.")
    async def token_revoke(self, info: ApiInfo, input: TokenRevokeInput) -> TokenRevokePayload:  # noqa: A002 - the API's word
        context = info.context

        async def run() -> Mapping[str, Any]:
            revoked = await tokens.revoke(context.store, input.id, now=context.now)
            return {"token_id": revoked.id}

        with Outcome.collecting(of="id") as outcome:
            await perform(outcome, info, "tokenRevoke", subject=input.id, request={"token": input.id}, run=run)
        return TokenRevokePayload(outcome=outcome)
