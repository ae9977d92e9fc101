"""How large a query may be: its text, depth, fields and aliases here, its rows in `schema.selection`.

Depth and fields are counted with fragments expanded, each fragment worked out once: fragments that spread each other twice
would otherwise take a few hundred bytes to keep the server busy for hours.
"""

from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    OperationDefinitionNode,
    SelectionSetNode,
    ValidationContext,
    ValidationRule,
)
from strawberry.extensions import AddValidationRules, MaxTokensLimiter, ParserCache, ValidationCache

MAX_DEPTH = 12
MAX_FIELDS = 1_000
MAX_ALIASES = 30
MAX_TOKENS = 4_000
CACHED_DOCUMENTS = 256


@dataclass(frozen=True, slots=True)
class Size:
    """Of a selection, fragments expanded. Introspection counts as nothing: it has a size of its own."""

    depth: int = 0
    fields: int = 0
    aliases: int = 0


class SizeRule(ValidationRule):
    """Reports an operation that is deeper, wider or has more aliases than allowed."""

    def __init__(self, context: ValidationContext) -> None:
        super().__init__(context)
        sizes = _Sizes(context.document)
        for operation in context.document.definitions:
            if isinstance(operation, OperationDefinitionNode):
                size = sizes.of(operation.selection_set)
                for what, found, most in (
                    ("levels deep", size.depth, MAX_DEPTH),
                    ("fields large", size.fields, MAX_FIELDS),
                    ("aliases long", size.aliases, MAX_ALIASES),
                ):
                    if found > most:
                        self.report_error(
                            GraphQLError(
                                f"the operation is {found:,} {what}; the limit is {most:,}",
                                [operation],
                                extensions={"code": "TOO_LARGE"},
                            )
                        )


class _Sizes:
    def __init__(self, document: DocumentNode) -> None:
        self.fragments = {
            part.name.value: part for part in document.definitions if isinstance(part, FragmentDefinitionNode)
        }
        self.known: dict[str, Size] = {}

    def of(self, selections: SelectionSetNode | None) -> Size:
        depth = fields = aliases = 0
        for selection in selections.selections if selections is not None else ():
            if isinstance(selection, FieldNode):
                if selection.name.value.startswith("__"):
                    continue
                below = self.of(selection.selection_set)
                size = Size(below.depth + 1, below.fields + 1, below.aliases + (selection.alias is not None))
            elif isinstance(selection, FragmentSpreadNode):
                size = self.of_fragment(selection.name.value)
            else:
                inner: Any = getattr(selection, "selection_set", None)
                size = self.of(inner)
            depth, fields, aliases = max(depth, size.depth), fields + size.fields, aliases + size.aliases
        return Size(depth, fields, aliases)

    def of_fragment(self, name: str) -> Size:
        if name not in self.known:
            self.known[name] = Size()  # one that spreads itself is reported by another rule
            if name in self.fragments:
                self.known[name] = self.of(self.fragments[name].selection_set)
        return self.known[name]


# the caches' keys hold the rules, so these are made once
LIMITS = (
    lambda: MaxTokensLimiter(max_token_count=MAX_TOKENS),
    lambda: ParserCache(maxsize=CACHED_DOCUMENTS),
    lambda: AddValidationRules([SizeRule]),
    lambda: ValidationCache(maxsize=CACHED_DOCUMENTS),
)
