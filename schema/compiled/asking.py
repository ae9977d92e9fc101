"""Which rows a root field's resolver wants: it is called as ever, and what it would load is noted instead.

A resolver that does more than load (asks an action, reads for itself) reaches for what is not there, and is not compiled.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NoReturn

from strawberry.types.info import Info

from hub.model.conditions import Condition
from hub.store.query import Order, Where
from hub.store.query.compiled import NotCompilableError


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """What a resolver would load: a page of an entity, one row by its id, or the first of an order."""

    entity: str
    shape: Literal["page", "one", "first"]
    order: Order | None = None
    first: int | None = None
    after: str | None = None
    where: tuple[Where, ...] = ()
    condition: Condition | None = None
    key: str | None = None

    def by_key_alone(self) -> bool:
        return self.key is not None and not self.where and self.condition is None


class Watched:
    """A context that notes whether anybody looked at it: what nobody looked for is the same for the next request."""

    __slots__ = ("_context", "looked")

    def __init__(self, context: Any) -> None:
        self._context = context
        self.looked = False

    def __getattr__(self, name: str) -> Any:
        self.looked = True
        return getattr(self._context, name)


class _Narrow:
    """As much of a context as says who asks and when."""

    __slots__ = ("_context",)

    def __init__(self, context: Any) -> None:
        self._context = context

    @property
    def now(self) -> Any:
        return self._context.now

    @property
    def viewer(self) -> Any:
        return self._context.viewer

    def __getattr__(self, name: str) -> NoReturn:
        raise NotCompilableError(f"the resolver works with {name}")


class Asking(Info[Any, Any]):
    """Stands in for a resolver's `info`; `schema.loaders` hands it what is wanted."""

    def __init__(self, context: Any) -> None:
        self._narrow = _Narrow(context)

    @property
    def context(self) -> Any:
        return self._narrow

    def __getattr__(self, name: str) -> NoReturn:
        raise NotCompilableError(f"the resolver works with {name}")


def page_rows(
    entity: str,
    *,
    order: Order,
    first: int,
    after: str | None,
    where: Sequence[Where],
    condition: Condition | None,
) -> Rows:
    return Rows(
        entity=entity, shape="page", order=order, first=first, after=after, where=tuple(where), condition=condition
    )


def rows_of(resolver: Any, context: Any, arguments: dict[str, Any]) -> Rows:
    """What the resolver wants with these arguments. It raises what it would raise; NotCompilableError if it wants more."""
    coroutine = resolver(None, info=Asking(context), **arguments)
    if not hasattr(coroutine, "send"):
        raise NotCompilableError("the resolver loads nothing")
    try:
        coroutine.send(None)
    except StopIteration as done:
        if isinstance(done.value, Rows):
            return done.value
    finally:
        coroutine.close()
    raise NotCompilableError("the resolver does more than load rows")
