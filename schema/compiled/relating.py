"""A relation in a selection, and the arguments it is given there, which are mostly the same in every request."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import FieldNode, GraphQLField, VariableNode, get_argument_values, visit
from graphql.execution.values import VariableValues
from graphql.language import Visitor

from schema.fields import Related


@dataclass(slots=True)
class Relating:
    """A relation of the tree, and where its arguments stand."""

    related: Related
    field: GraphQLField
    node: FieldNode
    _same: Mapping[str, Any] | None = None

    def arguments(self, variables: VariableValues) -> Mapping[str, Any]:
        """As graphql-core coerces them; once for all requests where no variable is among them."""
        if self._same is not None:
            return self._same
        given = get_argument_values(self.field, self.node, variables) if self.field.args else {}
        if not _names_variables(self.node):
            self._same = given
        return given


def _names_variables(node: FieldNode) -> bool:
    found: list[VariableNode] = []

    class Finding(Visitor):
        def enter_variable(self, variable: VariableNode, *_: Any) -> None:
            found.append(variable)

    for argument in node.arguments or ():
        visit(argument, Finding())
    return bool(found)
