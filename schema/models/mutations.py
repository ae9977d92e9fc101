"""Promote a churn model, and take a promotion back."""

from collections.abc import Mapping
from typing import Any

import strawberry

from schema.enums import Role
from schema.errors import MutationError
from schema.loaders import ApiInfo, load_one
from schema.performing import Outcome, answering, perform
from schema.permissions import root
from schema.scores.models import ChurnModel


@strawberry.input
class ChurnModelPromoteInput:
    version: str
    force: bool = strawberry.field(default=False, description="Even where it is not better beyond noise.")
    reason: str | None = strawberry.field(default=None, description="Why; needed with `force`.")
    idempotency_key: str


@strawberry.input
class ChurnModelRollbackInput:
    horizon: str | None = strawberry.field(default=None, description="The primary one where none is named.")
    reason: str | None = None
    idempotency_key: str


@strawberry.type
class ChurnModelPayload:
    outcome: strawberry.Private[Outcome]

    @answering
    async def churn_model(self, info: ApiInfo) -> ChurnModel | None:
        """The champion now."""
        if (version := self.outcome.result.get("version")) is None:
            return None
        found: ChurnModel | None = await load_one(info, "churn_model", version)
        return found

    @answering
    def previous(self) -> str | None:
        """The version that was champion before."""
        previous: str | None = self.outcome.result.get("previous")
        return previous

    @answering
    def errors(self) -> list[MutationError]:
        return self.outcome.errors


@strawberry.type
class ChurnModelPromotePayload(ChurnModelPayload):
    pass


@strawberry.type
class ChurnModelRollbackPayload(ChurnModelPayload):
    pass


@strawberry.input
class ModelTrainInput:
    idempotency_key: str | None = None


@strawberry.type
class ModelTrainPayload:
    outcome: strawberry.Private[Outcome]

    @answering
    def asked(self) -> bool:
        """Whether a training was asked for. It takes minutes: a new model is in `churnModels` when it is done."""
        return bool(self.outcome.result)

    @answering
    def errors(self) -> list[MutationError]:
        return self.outcome.errors


@strawberry.type
class ModelMutations:
    @root(
        Role.ADMIN,
        description="Train churn models on the stored history, in the background; one that runs already is this one. Follow it "
        "by `churnModels`, whose newest `trainedAt` is later then. A better one becomes champion, as every month.",
    )
    async def model_train(self, info: ApiInfo, input: ModelTrainInput) -> ModelTrainPayload:  # noqa: A002 - the API's word
        context = info.context

        async def run() -> Mapping[str, Any]:
            await context.actions.train_model(by=context.viewer.actor)
            return {"asked": True}

        with Outcome.collecting() as outcome:
            await perform(
                outcome,
                info,
                "modelTrain",
                subject="churn models",
                request={},
                run=run,
                key=input.idempotency_key,
            )
        return ModelTrainPayload(outcome=outcome)

    @root(
        Role.ADMIN, description="Make a model champion. Refused, with the numbers, where it is not better beyond noise."
    )
    async def churn_model_promote(self, info: ApiInfo, input: ChurnModelPromoteInput) -> ChurnModelPromotePayload:  # noqa: A002 - the API's word
        context = info.context

        async def run() -> Mapping[str, Any]:
            made = await context.actions.promote_model(
                input.version, by=context.viewer.actor, force=input.force, reason=input.reason
            )
            return {"version": made.version, "previous": made.previous}

        with Outcome.collecting(of="version") as outcome:
            await perform(
                outcome,
                info,
                "churnModelPromote",
                subject=input.version,
                request={"version": input.version, "force": input.force, "reason": input.reason},
                run=run,
                key=input.idempotency_key,
            )
        return ChurnModelPromotePayload(outcome=outcome)

    @root(Role.ADMIN, description="Make the champion before the one of now champion again.")
    async def churn_model_rollback(self, info: ApiInfo, input: ChurnModelRollbackInput) -> ChurnModelRollbackPayload:  # noqa: A002 - the API's word
        context = info.context

        async def run() -> Mapping[str, Any]:
            made = await context.actions.roll_back_model(input.horizon, by=context.viewer.actor, reason=input.reason)
            return {"version": made.version, "previous": made.previous}

        with Outcome.collecting(of="horizon") as outcome:
            await perform(
                outcome,
                info,
                "churnModelRollback",
                subject=input.horizon or "the primary horizon",
                request={"horizon": input.horizon, "reason": input.reason},
                run=run,
                key=input.idempotency_key,
            )
        return ChurnModelRollbackPayload(outcome=outcome)
