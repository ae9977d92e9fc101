"""Variables of a request as GraphQL coerces them: where an operation's are texts alone and texts came, they are so already."""

from collections.abc import Mapping
from typing import Any

from graphql import (
    GraphQLID,
    GraphQLNonNull,
    GraphQLSchema,
    GraphQLString,
    OperationDefinitionNode,
    get_variable_values,
)
from graphql.execution.get_variable_signature import GraphQLVariableSignature, get_variable_signature
from graphql.execution.values import VariableValues, VariableValueSource

from schema.guard.keeping import kept

_NONE = VariableValues({}, {})


def coerced(
    schema: GraphQLSchema, operation: OperationDefinitionNode, given: Mapping[str, Any]
) -> VariableValues | None:
    """The variables of an operation of this schema; None where they are not what it declares."""
    if not operation.variable_definitions:
        return _NONE
    texts = _texts(schema, operation)
    if texts is not None and all(type(given.get(name)) is str for name in texts):
        sources = {name: VariableValueSource(signature, given[name]) for name, signature in texts.items()}
        return VariableValues(sources, {name: given[name] for name in texts})
    found = get_variable_values(schema, operation.variable_definitions, dict(given))
    return None if isinstance(found, list) else found


@kept
def _texts(schema: GraphQLSchema, operation: OperationDefinitionNode) -> Mapping[str, GraphQLVariableSignature] | None:
    """The variables where each is an ID or a String; None where one is anything else."""
    found: dict[str, GraphQLVariableSignature] = {}
    for definition in operation.variable_definitions or ():
        signature = get_variable_signature(schema, definition)
        if not isinstance(signature, GraphQLVariableSignature):
            return None
        type_ = signature.type.of_type if isinstance(signature.type, GraphQLNonNull) else signature.type
        if type_ not in (GraphQLID, GraphQLString):
            return None
        found[signature.name] = signature
    return found
