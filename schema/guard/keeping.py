"""Keeps what was worked out of an operation: by which object it is, because comparing documents node by node costs more."""

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
MOST = 256


def kept(function: Callable[P, T]) -> Callable[P, T]:
    """Decorator of a function whose last argument, an operation of a parsed document, decides what it returns."""
    known: dict[int, tuple[Any, T]] = {}

    @wraps(function)
    def made(*args: P.args, **kwargs: P.kwargs) -> T:
        operation = args[-1]
        found = known.get(id(operation))
        if found is not None and found[0] is operation:  # an id is used again when its object is gone
            return found[1]
        result = function(*args, **kwargs)
        if len(known) >= MOST:
            del known[next(iter(known))]
        known[id(operation)] = (operation, result)
        return result

    return made
