"""What goes wrong, in the words of the API.

At the top level (`errors` of the response) stands what concerns the query: malformed, forbidden, too large, too costly, or a
bug, which is masked and logged with its traceback under the id that the client gets. A mutation answers for what it was asked
to do in its payload: `errors` there is a list of code, message and the path of the input it is about.

    CshubError
    ├── BadInputError    an argument that can't be used (BAD_INPUT)
    └── ForbiddenError   the token's role may not do this (FORBIDDEN)
"""

import logging
import secrets
from enum import Enum
from typing import Any

import strawberry
from graphql import GraphQLError

from hub.access.acting import KeyConflictError
from hub.errors import BusyError, ConfigError, CshubError, NotFoundError, RefusedError, TransientError
from schema.guard.guard import IntrospectionError, OverBudgetError, TooCostlyError, TrustError
from schema.guard.timing import TimedOutError
from schema.spelling import api_name

log = logging.getLogger(__name__)
MASK = "Something went wrong on our side. It is logged under the id in extensions.id."


class BadInputError(CshubError):
    """An argument that can't be used. `field`: path of the input it is about."""

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class ForbiddenError(CshubError):
    """The role of the token may not do this."""


@strawberry.enum(description="Why a mutation did not do, or not wholly do, what it was asked to.")
class ErrorCode(Enum):
    BAD_INPUT = strawberry.enum_value(
        "BAD_INPUT", description="A value can't be used; the message names the valid ones."
    )
    NOT_FOUND = strawberry.enum_value("NOT_FOUND", description="No such thing.")
    REFUSED = strawberry.enum_value("REFUSED", description="Understood and not carried out; the message says why.")
    BUSY = strawberry.enum_value("BUSY", description="Already being done.")
    IDEMPOTENCY_CONFLICT = strawberry.enum_value(
        "IDEMPOTENCY_CONFLICT", description="The idempotency key was used for another request."
    )
    TRY_AGAIN = strawberry.enum_value("TRY_AGAIN", description="May work when tried again later, with the same key.")


@strawberry.type(description="One thing a mutation did not do, and why.")
class MutationError:
    code: ErrorCode
    message: str
    field: str | None = strawberry.field(description="Path in `input`, such as customerIds.0", default=None)


def mutation_error(error: CshubError, *, field: str | None = None) -> MutationError:
    """An anticipated error as an entry of a payload."""
    named: str | None = None
    if isinstance(error, BadInputError):
        named = error.field
    elif isinstance(error, RefusedError) and error.about is not None:
        named = api_name(error.about)
    return MutationError(code=_code(error), message=str(error), field=named or field)


def _code(error: CshubError) -> ErrorCode:
    # the more special first: BusyError is a RefusedError
    for kind, code in (
        (KeyConflictError, ErrorCode.IDEMPOTENCY_CONFLICT),
        (BusyError, ErrorCode.BUSY),
        (RefusedError, ErrorCode.REFUSED),
        (NotFoundError, ErrorCode.NOT_FOUND),
        (TransientError, ErrorCode.TRY_AGAIN),
        (BadInputError, ErrorCode.BAD_INPUT),
        (ConfigError, ErrorCode.BAD_INPUT),
    ):
        if isinstance(error, kind):
            return code
    return ErrorCode.REFUSED


def shown(error: GraphQLError) -> GraphQLError:
    """The error as a client may see it: anticipated ones with their code, any other one masked, logged by an id."""
    original = error.original_error
    while isinstance(original, GraphQLError) and original.original_error is not None:
        original = original.original_error
    if original is None or isinstance(original, GraphQLError):
        message, extensions = error.message, error.extensions or {"code": "BAD_QUERY"}
    elif isinstance(original, CshubError):
        message, extensions = str(original), _extensions(original)
    elif isinstance(original, RecursionError):
        message, extensions = "the query or its variables are nested too deeply", {"code": "TOO_LARGE"}
    else:
        id_ = f"err_{secrets.token_hex(8)}"
        message, extensions = MASK, {"code": "INTERNAL", "id": id_}
        path = ".".join(map(str, error.path or ()))
        log.error("%s: a bug while answering %s", id_, path or "a query", exc_info=original)
    return GraphQLError(message, nodes=error.nodes, source=error.source, path=error.path, extensions=extensions)


def _extensions(error: CshubError) -> dict[str, Any]:
    """What a program can go by: the code, and the figures where there are any."""
    match error:
        case ForbiddenError() | IntrospectionError():
            return {"code": "FORBIDDEN"}
        case TrustError(code=code):
            return {"code": code}
        case TooCostlyError(cost=cost, limit=limit):
            return {"code": "TOO_COSTLY", "cost": cost, "limit": limit}
        case OverBudgetError(spent=spent, retry_after=seconds):
            return {"code": "OVER_BUDGET", "cost": spent.requested, "limit": spent.limit, "retryAfter": seconds}
        case TimedOutError():
            return {"code": "TIMED_OUT"}
    return {"code": _code(error).name}
