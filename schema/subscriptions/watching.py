"""Those that are sent the same: one selection, with the same variables, seen with the same rights.

An event is read for all of them at once: with others that came with it, one statement for the events and one for each relation
of the selection, as a query reads a page. The rows are the log's, read through the book of whoever watches, so what an event is
about is looked at again in SQL when it is told.
"""

from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from inspect import isawaitable
from typing import Any

import orjson
from graphql import (
    DocumentNode,
    ExecutionResult,
    FieldNode,
    GraphQLSchema,
    OperationDefinitionNode,
    VariableNode,
    execute,
)
from graphql.language import Visitor, visit

from hub.access import Viewer
from hub.store.events import Heard
from hub.store.query import Order, Row, Where, page
from schema.context import Context
from schema.errors import shown
from schema.subscriptions.choosing import Wish

_AFTER = "after"


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A subscription's operation, and the variables it was sent with."""

    schema: GraphQLSchema = field(repr=False)
    document: DocumentNode = field(repr=False)
    operation: OperationDefinitionNode = field(repr=False)
    variables: Mapping[str, Any]

    def run(self, root: Any, context: Context) -> Awaitable[ExecutionResult] | ExecutionResult:
        """Carry it out once, with a root value."""
        name = self.operation.name
        return execute(
            self.schema,
            self.document,
            root_value=root,
            context_value=context,
            variable_values=dict(self.variables),
            operation_name=name.value if name else None,
        )


class Watching:
    """An audience (hub.events.Audience). context: as a query that is put now would have it."""

    def __init__(self, task: Task, wish: Wish, *, book: str | None, context: Callable[[], Context]) -> None:
        self._task = task
        self._wish = wish
        self._book = book
        self._context = context

    def wants(self, heard: Heard) -> bool:
        book = self._book
        return self._wish.meets(heard) and (book is None or heard.customer_id is None or heard.csm_email == book)

    async def put(self, heard: Sequence[Heard]) -> Mapping[int, bytes]:
        context = self._context()
        numbers = [each.number for each in heard]
        async with context.store.reading() as connection:
            found = await page(
                connection,
                self._wish.entity,
                self._wish.plan,
                order=Order("number"),
                first=len(numbers),
                book=self._book,
                where=(Where("number", "in", numbers),),
            )
        return {row["number"]: orjson.dumps(await self._body(row, context)) for row in found.rows}

    async def _body(self, row: Row, context: Context) -> Mapping[str, Any]:
        result = self._task.run(row, context)
        made = await result if isawaitable(result) else result
        body: dict[str, Any] = {"data": made.data}
        if made.errors:
            body["errors"] = [shown(error).formatted for error in made.errors]
        return body


def same(text: str, operation: OperationDefinitionNode, variables: Mapping[str, Any], viewer: Viewer) -> Hashable:
    """Equal for those who are sent the same: where each goes on from makes no difference to what is said of an event."""
    name = operation.name.value if operation.name else None
    own = _place_variable(operation)
    given = {key: value for key, value in variables.items() if key != own}
    rights = viewer.role, viewer.scopes, viewer.book
    return text, name, orjson.dumps(given, option=orjson.OPT_SORT_KEYS), rights


def _place_variable(operation: OperationDefinitionNode) -> str | None:
    """The variable that says where to go on from, if it says nothing else."""
    for selection in operation.selection_set.selections:
        for argument in (selection.arguments or ()) if isinstance(selection, FieldNode) else ():
            if argument.name.value == _AFTER and isinstance(argument.value, VariableNode):
                counted = _Uses(argument.value.name.value)
                visit(operation.selection_set, counted)
                return counted.name if counted.uses == 1 else None
    return None


class _Uses(Visitor):
    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self.uses = 0

    def enter_variable(self, node: VariableNode, *_: Any) -> None:
        self.uses += node.name.value == self.name
