"""A relation in a selection, and what it is given there, which is mostly the same in every request."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import FieldNode, GraphQLField, VariableNode, get_argument_values, visit
from graphql.execution.values import VariableValues
from graphql.language import Visitor

from hub.store.query.compiled import Given
from schema.compiled.asking import Watched
from schema.fields import Related, wheres
from schema.paging import checked_first, decode_cursor


@dataclass(slots=True)
class Relating:
    """A relation of the tree, and where its arguments stand."""

    related: Related
    field: GraphQLField
    node: FieldNode
    _same: Given | None = None

    def given(self, variables: VariableValues, context: Any) -> Given:
        """For one request; once for all of them where no variable is among the arguments, and nobody looks at who asks or when.

        BadInputError for a page or a cursor that may not be.
        """
        if self._same is not None:
            return self._same
        watched = Watched(context)
        made = self._given(get_argument_values(self.field, self.node, variables) if self.field.args else {}, watched)
        if not watched.looked and not _names_variables(self.node):
            self._same = made
        return made

    def is_same(self) -> bool:
        """Whether it is given the same in every request; known once it was given something."""
        return self._same is not None

    def _given(self, arguments: Mapping[str, Any], context: Any) -> Given:
        related, relation = self.related, self.related.relation
        if relation.shape == "count":
            return Given(where=relation.where)
        tests = (*relation.where, *wheres(related, arguments, context))
        first = related.most if relation.shape == "list" else None
        after = None
        if relation.shape == "page":
            first = checked_first(arguments["first"])
            after = decode_cursor(relation.entity, relation.order, arguments.get("after"))
        return Given(where=tests, order=relation.order, first=first, after=after)


def _names_variables(node: FieldNode) -> bool:
    found: list[VariableNode] = []

    class Finding(Visitor):
        def enter_variable(self, variable: VariableNode, *_: Any) -> None:
            found.append(variable)

    for argument in node.arguments or ():
        visit(argument, Finding())
    return bool(found)
