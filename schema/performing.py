"""How a mutation is carried out: audited, once per idempotency key, its refusals collected for the payload."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

import strawberry

from hub.access.acting import act
from hub.errors import CshubError
from schema.errors import BadInputError, MutationError, mutation_error
from schema.loaders import ApiInfo

LONGEST_KEY = 120


@dataclass(slots=True)
class Outcome:
    """The result of a mutation as a JSON object, and what went wrong."""

    result: Mapping[str, Any] = field(default_factory=dict)
    errors: list[MutationError] = field(default_factory=list)

    @classmethod
    @contextmanager
    def collecting(cls) -> Iterator["Outcome"]:
        """An outcome that takes up the anticipated error its block is left with."""
        outcome = cls()
        try:
            yield outcome
        except CshubError as error:
            outcome.errors.append(mutation_error(error))


Resolver = TypeVar("Resolver", bound=Callable[..., Any])


def answering(resolver: Resolver) -> Resolver:
    """Decorator of a payload's resolver; its docstring is the field's description."""
    return cast("Resolver", strawberry.field(resolver, description=resolver.__doc__))


async def perform(
    outcome: Outcome,
    info: ApiInfo,
    action: str,
    *,
    subject: str,
    request: Mapping[str, Any],
    run: Callable[[], Awaitable[Mapping[str, Any]]],
    key: str | None = None,
) -> None:
    """Carry out `run` for the viewer and keep its result, or the stored one of the same idempotency key."""
    if key is not None and not 1 <= len(key) <= LONGEST_KEY:
        raise BadInputError(f"idempotencyKey must be 1 to {LONGEST_KEY} characters long", field="idempotencyKey")
    context = info.context
    outcome.result = await act(
        context.store,
        context.viewer,
        action=action,
        subject=subject,
        request=request,
        now=context.now,
        run=run,
        key=key,
    )
