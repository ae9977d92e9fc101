"""Who may look at the schema, and who is told of names that are like the one they misspelt.

Both tell the same thing, one at once and the other by and by, so they go together: where a token may not introspect,
messages suggest nothing.
"""

import re
from typing import Literal

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
)

from hub.access import Viewer
from hub.model.actions import Role
from schema.guard.keeping import kept

Whose = Literal["admins", "all", "nobody"]
_SUGGESTION = re.compile(r"\s*Did you mean .*\?\s*\Z", re.DOTALL)
_FIELDS = frozenset({"__schema", "__type"})


def may_introspect(whose: Whose, viewer: Viewer) -> bool:
    return whose == "all" or (whose == "admins" and viewer.may(Role.ADMIN))


def refusal(whose: Whose, viewer: Viewer, document: DocumentNode, operation: OperationDefinitionNode) -> str | None:
    """Why the operation is refused, where it looks at the schema and may not."""
    if may_introspect(whose, viewer) or not introspects(document, operation):
        return None
    how = "is switched off here (hub.yaml: graphql.introspection)"
    if whose == "admins":
        how = "needs the role admin here (hub.yaml: graphql.introspection)"
    return f"introspection {how}; __typename does not, and the schema ships with the hub as schema/schema.graphql"


@kept
def introspects(document: DocumentNode, operation: OperationDefinitionNode) -> bool:
    """Whether the operation asks for the schema: such fields stand at the root of a query, maybe in fragments."""
    if operation.operation is not OperationType.QUERY:
        return False
    fragments = {each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)}
    seen: set[str] = set()
    waiting: list[SelectionSetNode | None] = [operation.selection_set]
    while waiting:
        selections = waiting.pop()
        for each in selections.selections if selections is not None else ():
            if isinstance(each, FieldNode):
                if each.name.value in _FIELDS:
                    return True
            elif isinstance(each, FragmentSpreadNode):
                name = each.name.value
                if name in fragments and name not in seen:
                    seen.add(name)
                    waiting.append(fragments[name].selection_set)
            else:
                waiting.append(getattr(each, "selection_set", None))
    return False


def unsuggesting(error: GraphQLError) -> GraphQLError:
    """The error without the names it suggests."""
    message = _SUGGESTION.sub("", error.message)
    if message == error.message:
        return error
    return GraphQLError(
        message,
        nodes=error.nodes,
        source=error.source,
        positions=error.positions,
        path=error.path,
        original_error=error.original_error,
        extensions=error.extensions,
    )
