"""A request answered: its checks in their order, its execution, and what the client may be told of it.

    given = await answer(context, query, variables, operation_name)
    given.said(), given.status, given.extensions      or given.encoded() for the wire

The order: has the token anything left of its budget; the document, as text or by its id; parsed and validated, with limits;
read or act; roles, scopes and personal data; may it introspect; its cost against the limits; then, in the time there is,
what it reads of personal data is noted, and it is executed. What a statement alone answers is read meanwhile, and shown when
that is noted.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from graphql import GraphQLError, OperationDefinitionNode, OperationType
from strawberry.types.graphql import OperationType as Kind

from hub.access.reading import Read
from hub.errors import CshubError
from schema.api import SCHEMA
from schema.compiled.reading import Reader
from schema.context import Context
from schema.errors import shown
from schema.guard.budget import Spent
from schema.guard.guard import OverBudgetError
from schema.guard.secrecy import unsuggesting
from schema.guard.trusted import document_id
from schema.permissions import personal_fields, refusals
from schema.preparing import Prepared, prepare

STATUSES = {"FORBIDDEN": 403, "OVER_BUDGET": 429, "TIMED_OUT": 504, "INTERNAL": 500}
"""By the code of what was refused before it was executed; 400 for all others."""
_SCHEMA = SCHEMA._schema  # graphql-core's own; Strawberry shows it nowhere else
READER = Reader(SCHEMA)


@dataclass(frozen=True, slots=True)
class Answer:
    """A response.

    body        data and errors; where it is text already, one JSON object with `data` in pieces, of which the last closes it
    status      as GraphQL over HTTP has it: 200 when the operation was executed, errors of fields or not; 4xx when it was
                refused before; 405 when it was a mutation where only reading is allowed
    extensions  what stands beside data and errors: the cost
    retry_after seconds until it is worth while to ask again; None where that makes no difference
    """

    body: Mapping[str, Any] | Sequence[bytes]
    status: int
    extensions: Mapping[str, Any] = field(default_factory=dict)
    retry_after: int | None = None

    def encoded(self) -> bytes:
        """The whole of it as JSON."""
        if isinstance(self.body, Mapping):
            return orjson.dumps({**self.body, "extensions": self.extensions} if self.extensions else self.body)
        if not self.extensions:
            return b"".join(self.body)
        return b"".join((*self.body[:-1], b',"extensions":', orjson.dumps(self.extensions), self.body[-1]))

    def said(self) -> Mapping[str, Any]:
        """Data and errors."""
        if isinstance(self.body, Mapping):
            return self.body
        found: dict[str, Any] = orjson.loads(b"".join(self.body))
        return found


@dataclass(frozen=True, slots=True)
class Admitted:
    """An operation that may be executed."""

    text: str
    prepared: Prepared
    operation: OperationDefinitionNode
    spent: Spent


class _RefusedError(Exception):
    """What is refused before it is executed; `errors` are fit to show."""

    def __init__(self, *errors: GraphQLError, status: int | None = None) -> None:
        super().__init__(*errors)
        self.errors = errors
        self.status = status


async def answer(
    context: Context,
    query: str | None,
    variables: Mapping[str, Any] | None = None,
    operation_name: str | None = None,
    *,
    document_id: str | None = None,
    reading_only: bool = False,
) -> Answer:
    """Answer a request. `document_id`: of a trusted document, instead of `query`; `reading_only`: a mutation is refused."""
    guard, given = context.guard, dict(variables or {})
    spent: Spent | None = None
    try:
        admitted = _admitted(context, query, given, operation_name, document_id, reading_only)
        spent = admitted.spent
        return await guard.run(
            admitted.operation.operation, lambda: _executed(context, admitted, given, operation_name)
        )
    except (_RefusedError, CshubError, RecursionError) as error:
        return _refused(context, error, spent)


def admit_subscription(
    context: Context,
    query: str | None,
    variables: Mapping[str, Any] | None = None,
    operation_name: str | None = None,
    *,
    document_id: str | None = None,
) -> Admitted | Answer:
    """The subscription that is meant, all checks of a request passed and paid for; or the answer that says why not."""
    try:
        return _admitted(context, query, dict(variables or {}), operation_name, document_id, False, subscribing=True)
    except (_RefusedError, CshubError, RecursionError) as error:
        return _refused(context, error, None)


def refuse(context: Context, *errors: GraphQLError) -> Answer:
    """The answer to what was admitted and then could not begin."""
    return _refused(context, _RefusedError(*errors), None)


def is_subscription(
    context: Context, query: str | None, operation_name: str | None, *, document_id: str | None
) -> bool:
    """Whether a request means a subscription; False, too, for what is no valid request."""
    try:
        prepared = prepare(_SCHEMA, context.guard.text(query, document_id, context.viewer))
    except CshubError:
        return False
    operation = prepared.operation(operation_name)
    return operation is not None and operation.operation is OperationType.SUBSCRIPTION


def _admitted(
    context: Context,
    query: str | None,
    variables: dict[str, Any],
    operation_name: str | None,
    document_id: str | None,
    reading_only: bool,
    *,
    subscribing: bool = False,
) -> Admitted:
    """The operation that is meant, all checks passed and paid for."""
    guard, viewer = context.guard, context.viewer
    guard.check_open(viewer, now=context.now)
    _check_variables(variables)
    text = guard.text(query, document_id, viewer)
    prepared = prepare(_SCHEMA, text)
    if prepared.errors:
        raise _RefusedError(*prepared.errors)
    operation = prepared.operation(operation_name)
    if operation is None:
        raise _RefusedError(
            GraphQLError("the document has no such operation: name one of its operations in operationName")
        )
    if subscribing is not (operation.operation is OperationType.SUBSCRIPTION):
        raise _RefusedError(GraphQLError("a subscription has a way of its own; here are queries and mutations"))
    if reading_only and operation.operation is not OperationType.QUERY:
        raise _RefusedError(GraphQLError("a mutation must be sent by POST"), status=405)
    if errors := refusals(prepared.needs(operation), viewer, variables):
        raise _RefusedError(*errors)
    assert prepared.document is not None, "a document without errors is there"
    spent = guard.admit(viewer, _SCHEMA, prepared.document, operation, variables, now=context.now)
    return Admitted(text, prepared, operation, spent)


def _check_variables(variables: Mapping[str, Any]) -> None:
    """Variables are written down again, for the audit log and to know them by: refused where that cannot be."""
    try:
        orjson.dumps(variables)
    except TypeError:
        raise _RefusedError(GraphQLError("Variable values are nested too deeply, or are no JSON.")) from None


def note_reads(context: Context, admitted: Admitted, variables: Mapping[str, Any]) -> asyncio.Future[None] | None:
    """Note in the audit log which personal data is asked for; to be awaited before any of it is shown. None: there is none."""
    if fields := personal_fields(admitted.prepared.needs(admitted.operation), variables):
        name = admitted.operation.name
        read = Read(
            viewer=context.viewer,
            at=context.now,
            fields=tuple(fields),
            document=document_id(admitted.text),
            operation=None if name is None else name.value,
            variables=variables,
        )
        return context.reads.note(read)
    return None


async def _read(context: Context, admitted: Admitted, variables: Mapping[str, Any]) -> Sequence[bytes] | None:
    """What a statement alone answers, read while it is noted who reads it. None: it is noted, and nothing is read yet."""
    noted = note_reads(context, admitted, variables)
    assert admitted.prepared.document is not None, "what is executed has been parsed"
    try:
        data = await READER.read(context, admitted.prepared.document, admitted.operation, variables)
    except BaseException:  # a cancelled one, too: nobody waits for the note any more
        if noted is not None:
            noted.cancel()
        raise
    if noted is not None:
        await noted
    return data


async def _executed(context: Context, admitted: Admitted, variables: dict[str, Any], name: str | None) -> Answer:
    cost = {"cost": admitted.spent.shown()}
    data = await _read(context, admitted, variables)
    if data is not None:
        return Answer(data, 200, cost)
    result = await SCHEMA.execute(
        admitted.text,
        variable_values=variables,
        context_value=context,
        operation_name=name,
        allowed_operation_types={Kind.QUERY, Kind.MUTATION},
    )
    errors = [_shown(context, error) for error in result.errors or ()]
    if result.data is None and not any(error.path for error in errors):
        return Answer({"errors": [error.formatted for error in errors]}, _status(errors), cost)
    body: dict[str, Any] = {"data": result.data}
    if errors:
        body["errors"] = [error.formatted for error in errors]
    return Answer(body, 200, cost)


def _refused(context: Context, error: _RefusedError | CshubError | RecursionError, spent: Spent | None) -> Answer:
    """The answer to what was not executed, or not to its end."""
    raw = error.errors if isinstance(error, _RefusedError) else [GraphQLError(str(error), original_error=error)]
    errors = [_shown(context, each) for each in raw]
    status = error.status if isinstance(error, _RefusedError) and error.status else _status(errors)
    retry_after = None
    if isinstance(error, OverBudgetError):
        spent, retry_after = error.spent, error.retry_after
    elif spent is None:
        spent = context.guard.charge(context.viewer, now=context.now)
    return Answer({"errors": [each.formatted for each in errors]}, status, {"cost": spent.shown()}, retry_after)


def _shown(context: Context, error: GraphQLError) -> GraphQLError:
    found = shown(error)
    return found if context.guard.may_introspect(context.viewer) else unsuggesting(found)


def _status(errors: list[GraphQLError]) -> int:
    return max(STATUSES.get(str((each.extensions or {}).get("code")), 400) for each in errors)
