"""How large a document may be: its tokens, depth, fields, aliases, directives, root fields and repetitions.

Depth and fields are counted with fragments expanded, each fragment worked out once: fragments that spread each other twice
would otherwise take a few hundred bytes to keep the server busy for hours. What an operation may read is another matter
(`schema.guard.pricing`), and so is how many rows one field may (`schema.selection`).
"""

from collections import Counter
from dataclasses import dataclass
from math import isfinite
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FloatValueNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    StringValueNode,
    ValidationContext,
    ValidationRule,
)

MAX_DEPTH = 12
MAX_FIELDS = 1_000
MAX_ALIASES = 30
MAX_ROOT_FIELDS = 30
MAX_DIRECTIVES = 50
MAX_TOKENS = 4_000
MAX_OPERATIONS = 20
MAX_REPEATED = 50
"""Times that one set of selections may have the same field again."""
TOO_LARGE = {"code": "TOO_LARGE"}
_INTROSPECTION = frozenset({"__schema", "__type"})


@dataclass(frozen=True, slots=True)
class Size:
    """Of a selection, fragments expanded. What introspection asks below __schema and __type has limits of its own."""

    depth: int = 0
    fields: int = 0
    aliases: int = 0
    directives: int = 0
    roots: int = 0
    repeated: int = 0


class SizeRule(ValidationRule):
    """Reports a document that has more of anything than allowed."""

    def __init__(self, context: ValidationContext) -> None:
        super().__init__(context)
        sizes = _Sizes(context.document)
        operations = [each for each in context.document.definitions if isinstance(each, OperationDefinitionNode)]
        if len(operations) > MAX_OPERATIONS:
            self._refuse(
                f"the document has {len(operations):,} operations; the limit is {MAX_OPERATIONS}", operations[0]
            )
        for operation in operations:
            size = sizes.of(operation.selection_set)
            for what, found, most in (
                ("levels deep", size.depth, MAX_DEPTH),
                ("fields large", size.fields, MAX_FIELDS),
                ("aliases long", size.aliases, MAX_ALIASES),
                ("directives long", size.directives + len(operation.directives or ()), MAX_DIRECTIVES),
                ("root fields wide", size.roots, MAX_ROOT_FIELDS),
                ("repetitions of one field long", size.repeated, MAX_REPEATED),
            ):
                if found > most:
                    self._refuse(f"the operation is {found:,} {what}; the limit is {most:,}", operation)

    def _refuse(self, message: str, operation: OperationDefinitionNode) -> None:
        self.report_error(GraphQLError(message, [operation], extensions=TOO_LARGE))


class LiteralRule(ValidationRule):
    """Reports literals that nothing here can hold: the character NUL in a text, a number as large as infinity."""

    def enter_float_value(self, node: FloatValueNode, *_: object) -> None:
        self._check(node)

    def enter_int_value(self, node: IntValueNode, *_: object) -> None:
        self._check(node)

    def _check(self, node: FloatValueNode | IntValueNode) -> None:
        if not isfinite(float(node.value)):
            self.report_error(GraphQLError(f"the number {node.value[:20]}… is larger than any here may be", [node]))

    def enter_string_value(self, node: StringValueNode, *_: object) -> None:
        if "\0" in node.value:
            self.report_error(GraphQLError("a text has the character NUL, which no text here may have", [node]))


class _Sizes:
    def __init__(self, document: DocumentNode) -> None:
        self.fragments = {
            part.name.value: part for part in document.definitions if isinstance(part, FragmentDefinitionNode)
        }
        self.known: dict[str, Size] = {}

    def of(self, selections: SelectionSetNode | None) -> Size:
        depth = fields = aliases = directives = roots = 0
        repeated = 0
        names: Counter[str] = Counter()
        for selection in selections.selections if selections is not None else ():
            if isinstance(selection, FieldNode):
                names[selection.alias.value if selection.alias is not None else selection.name.value] += 1
                size = self.of_field(selection)
                roots += 1
            elif isinstance(selection, FragmentSpreadNode):
                size = self.of_fragment(selection.name.value)
                roots += size.roots
            else:
                inner: Any = getattr(selection, "selection_set", None)
                size = self.of(inner)
                roots += size.roots
            directives += size.directives + len(selection.directives or ())
            depth, fields, aliases = max(depth, size.depth), fields + size.fields, aliases + size.aliases
            repeated = max(repeated, size.repeated)
        return Size(depth, fields, aliases, directives, roots, max([repeated, *names.values()]))

    def of_field(self, field: FieldNode) -> Size:
        aliases = int(field.alias is not None)
        if field.name.value in _INTROSPECTION:  # deeper than ours may be; graphql-core has a rule for it
            return Size(0, 1, aliases)
        below = self.of(field.selection_set)
        return Size(
            below.depth + 1, below.fields + 1, below.aliases + aliases, below.directives, repeated=below.repeated
        )

    def of_fragment(self, name: str) -> Size:
        if name not in self.known:
            self.known[name] = Size()  # one that spreads itself is reported by another rule
            if name in self.fragments:
                self.known[name] = self.of(self.fragments[name].selection_set)
        return self.known[name]
