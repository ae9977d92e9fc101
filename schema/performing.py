"""How a mutation is carried out: audited, once per idempotency key, its refusals collected for the payload."""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar, cast

import strawberry

from hub.access.acting import act
from hub.errors import CshubError, NotFoundError
from hub.store.query import Plan, find_by
from hub.store.query.entities import ENTITIES
from schema.context import Context
from schema.errors import BadInputError, MutationError, mutation_error
from schema.loaders import ApiInfo

LONGEST_KEY = 120
About: TypeAlias = Mapping[str, Sequence[str]]


@dataclass(slots=True)
class Outcome:
    """The result of a mutation as a JSON object, and what went wrong."""

    result: Mapping[str, Any] = field(default_factory=dict)
    errors: list[MutationError] = field(default_factory=list)

    @classmethod
    @contextmanager
    def collecting(cls, of: str | None = None) -> Iterator["Outcome"]:
        """An outcome that takes up the anticipated error its block is left with.

        of  path of the input that names what is acted on: where there is no such thing
        """
        outcome = cls()
        try:
            yield outcome
        except CshubError as error:
            outcome.errors.append(mutation_error(error, field=of if isinstance(error, NotFoundError) else None))


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
    about: About | None = None,
) -> None:
    """Carry out `run` for the viewer and keep its result, or the stored one of the same idempotency key.

    about  {entity: keys} of what it acts on. A viewer with a book gets NOT_FOUND where one of them is not in it, in the same
           words and with the same statements whether there is such a thing or not; nothing is run, nor answered from a key
    """
    check_key(key)
    context = info.context
    missing = await _missing(context, about or {})
    if missing is not None:
        run, key = _refusing(missing), None
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


def check_key(key: str | None) -> None:
    if key is not None and not 1 <= len(key) <= LONGEST_KEY:
        raise BadInputError(f"idempotencyKey must be 1 to {LONGEST_KEY} characters long", field="idempotencyKey")


async def _missing(context: Context, about: About) -> str | None:
    """What is not in the viewer's book, in words; None where all of it is, or the viewer sees all customers."""
    book = context.viewer.book
    if book is None or not about:
        return None
    async with context.store.reading() as connection:
        for entity, keys in about.items():
            wanted = list(dict.fromkeys(keys))
            own = ENTITIES[entity].id
            rows = await find_by(connection, entity, Plan(frozenset({own})), wanted, book=book)
            known = {row[own] for row in rows}
            if lost := [key for key in wanted if key not in known]:
                return f"there is no {entity.replace('_', ' ')} {lost[0]!r}"
    return None


def _refusing(message: str) -> Callable[[], Awaitable[Mapping[str, Any]]]:
    async def refuse() -> Mapping[str, Any]:
        raise NotFoundError(message)

    return refuse
