"""The one function that answers a request.

await answer(context, query, variables, operation_name)  ->  {"data": …, "errors": […]}
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from strawberry.exceptions import MissingQueryError
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types.graphql import OperationType

from schema.api import SCHEMA
from schema.context import Context
from schema.errors import shown


@dataclass(frozen=True, slots=True)
class Answer:
    """A response.

    status  as GraphQL over HTTP has it: 200 when the operation was executed, errors of fields or not; 400 when it was
            refused before; 405 when it was a mutation where only reading is allowed
    """

    body: Mapping[str, Any]
    status: int


async def answer(
    context: Context,
    query: str,
    variables: Mapping[str, Any] | None = None,
    operation_name: str | None = None,
    *,
    reading_only: bool = False,
) -> Answer:
    """Answer a request. `reading_only`: a mutation is refused."""
    allowed = {OperationType.QUERY} if reading_only else {OperationType.QUERY, OperationType.MUTATION}
    try:
        result = await SCHEMA.execute(
            query,
            variable_values=dict(variables or {}),
            context_value=context,
            operation_name=operation_name,
            allowed_operation_types=allowed,
        )
    except MissingQueryError:
        return _refused("the request has no query")
    except CannotGetOperationTypeError:
        return _refused("the document has no such operation: name one of its operations in operationName")
    except InvalidOperationTypeError:
        return _refused("a mutation must be sent by POST, and subscriptions are not offered", status=405)
    body: dict[str, Any] = {"data": result.data}
    if result.errors:
        body["errors"] = [shown(error).formatted for error in result.errors]
    executed = result.data is not None or any(error.path for error in result.errors or ())
    if not executed:
        del body["data"]
    return Answer(body, 200 if executed else 400)


def _refused(message: str, *, status: int = 400) -> Answer:
    return Answer({"errors": [{"message": message, "extensions": {"code": "BAD_QUERY"}}]}, status)
