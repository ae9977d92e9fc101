"""Try a definition of health, a playbook or a condition on the stored past."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, get_args

import strawberry

from hub.backtest import Every
from hub.errors import ConfigError
from schema.backtest.types import Backtest
from schema.context import BacktestRequest
from schema.enums import Role
from schema.errors import BadInputError, ErrorCode, MutationError
from schema.loaders import ApiInfo
from schema.performing import Outcome, answering, perform
from schema.permissions import root

LONGEST = 100_000


@strawberry.enum(description="The days that are replayed: month starts, or Mondays.")
class BacktestStep(StrEnum):
    MONTH = "month"
    WEEK = "week"


assert {step.value for step in BacktestStep} == set(get_args(Every))


@strawberry.input(
    description="At most one of definition, playbook and when; without any the live definition is judged alone."
)
class BacktestRunInput:
    definition: str | None = strawberry.field(
        default=None,
        description="Text of a health.yaml, tried as the only one; or where it says `when`, in its place among the live ones.",
    )
    playbook: str | None = strawberry.field(default=None, description="Name of a configured playbook.")
    when: str | None = strawberry.field(default=None, description="A condition in JSON or YAML: {health: {lt: 0.4}}.")
    rest_days: int = strawberry.field(default=30, description="Of `when`.")
    months: int = strawberry.field(default=18, description="How far back, 1 to 60.")
    every: BacktestStep = BacktestStep.MONTH
    horizon: int = strawberry.field(default=90, description="Days to leave within, 7 to 365.")
    lead: int = strawberry.field(default=30, description="Days before leaving at which green is looked for.")
    allow_peeking: bool = strawberry.field(
        default=False, description="Show the numbers even where a fact knows the future."
    )


@strawberry.type
class BacktestRunPayload:
    outcome: strawberry.Private[Outcome]
    found: strawberry.Private[list[Any]]

    @answering
    def backtest(self) -> Backtest | None:
        """What was found; null where nothing could be replayed."""
        report: Backtest | None = self.found[0] if self.found else None
        return report

    @answering
    def errors(self) -> list[MutationError]:
        """Of a definition every fault, with its line."""
        return self.outcome.errors


@strawberry.type
class BacktestMutations:
    @root(
        Role.ADMIN,
        description="Replay the stored past under a definition or a playbook, beside the live definition, and judge both by "
        "who left. Nothing is changed and nothing is sent. One at a time.",
    )
    async def backtest_run(self, info: ApiInfo, input: BacktestRunInput) -> BacktestRunPayload:  # noqa: A002 - the API's word
        context = info.context
        found: list[Any] = []

        async def run() -> Mapping[str, Any]:
            found.append(await context.actions.backtest(request, now=context.now))
            return {}

        with Outcome.collecting() as outcome:
            request = _request(input)
            try:
                await perform(outcome, info, "backtestRun", subject="the past", request=_noted(input), run=run)
            except ConfigError as error:
                field = "definition" if input.definition is not None else "playbook" if input.playbook else "when"
                outcome.errors += [
                    MutationError(code=ErrorCode.BAD_INPUT, message=str(fault), field=field) for fault in error.faults
                ]
        return BacktestRunPayload(outcome=outcome, found=found)


def _request(given: BacktestRunInput) -> BacktestRequest:
    texts = {name: getattr(given, name) for name in ("definition", "playbook", "when")}
    if sum(text is not None for text in texts.values()) > 1:
        raise BadInputError("give at most one of definition, playbook and when", field="definition")
    for name, text in texts.items():
        if text is not None and len(text) > LONGEST:
            raise BadInputError(f"{name} must have at most {LONGEST:,} characters", field=name)
    if not 0 <= given.rest_days <= 365:
        raise BadInputError("restDays must be 0 to 365", field="restDays")
    return BacktestRequest(
        **texts,
        rest_days=given.rest_days,
        months=given.months,
        every=given.every.value,
        horizon=given.horizon,
        lead=given.lead,
        allow_peeking=given.allow_peeking,
    )


def _noted(given: BacktestRunInput) -> dict[str, Any]:
    """For the audit log: what was tried, a definition by its length alone."""
    tried = {"definition": None if given.definition is None else f"{len(given.definition)} characters"}
    return {**tried, "playbook": given.playbook, "when": given.when, "months": given.months, "every": given.every.value}
