"""A document prepared: parsed and validated once, and kept with what is worked out of it, for every request that sends it.

    prepared = prepare(schema, text)
    prepared.errors                      why it is no document of this schema; then nothing else is there
    prepared.operation("Name")           the operation that is meant; None where none is
    prepared.needs(operation)            what it needs of who asks (schema.permissions)

What depends on who asks, or on variables, is no part of it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    get_operation_ast,
    parse,
    specified_rules,
    validate,
)
from strawberry.extensions import SchemaExtension
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from schema.guard.limits import MAX_TOKENS, TOO_LARGE, LiteralRule, SizeRule
from schema.permissions import Needs, needs_of

CACHED = 256
LARGEST_CACHED = 20_000
"""Characters; a longer document is prepared each time, so that 256 of them are no way to fill the memory."""
MOST_ERRORS = 5
_RULES = (*specified_rules, OneOfInputValidationRule, MaybeNullValidationRule, LiteralRule)


@dataclass(frozen=True, slots=True)
class Prepared:
    """See the module."""

    schema: GraphQLSchema
    document: DocumentNode | None
    errors: tuple[GraphQLError, ...] = ()
    _needs: dict[int, Needs] = field(default_factory=dict, repr=False)

    def operation(self, name: str | None) -> OperationDefinitionNode | None:
        return None if self.document is None else get_operation_ast(self.document, name)

    def needs(self, operation: OperationDefinitionNode) -> Needs:
        """`operation` is one of this document."""
        assert self.document is not None, "an operation has a document"
        found = self._needs.get(id(operation))
        if found is None:
            found = self._needs[id(operation)] = needs_of(self.schema, self.document, operation)
        return found


def prepare(schema: GraphQLSchema, text: str) -> Prepared:
    """The document of a text."""
    return _kept(schema, text) if len(text) <= LARGEST_CACHED else _prepared(schema, text)


def _prepared(schema: GraphQLSchema, text: str) -> Prepared:
    try:
        document = parse(text, max_tokens=MAX_TOKENS)
        errors = validate(schema, document, [SizeRule], max_errors=MOST_ERRORS)
        if not errors:
            errors = validate(schema, document, _RULES, max_errors=MOST_ERRORS)
    except GraphQLError as error:
        return Prepared(schema, None, (error,))
    except RecursionError:
        return Prepared(schema, None, (GraphQLError("the query is nested too deeply", extensions=TOO_LARGE),))
    return Prepared(schema, None if errors else document, tuple(errors))


_kept = lru_cache(maxsize=CACHED)(_prepared)


class Preparing(SchemaExtension):
    """Hands Strawberry the document as it is prepared already."""

    def on_parse(self) -> Iterator[None]:
        context = self.execution_context
        assert context.query is not None, "what is executed has a text"
        prepared = prepare(context.schema._schema, context.query)  # Strawberry shows graphql-core's schema nowhere else
        if prepared.errors:
            raise prepared.errors[0]
        context.graphql_document = prepared.document
        yield

    def on_validate(self) -> Iterator[None]:
        self.execution_context.pre_execution_errors = []
        yield
