"""Runs the plan of an operation: a statement for each root field, their texts put together as the answer's `data`."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from graphql import DocumentNode, OperationDefinitionNode, OperationType
from graphql.execution.values import VariableValues

from hub.errors import CshubError
from hub.store.query.compiled import Marks, NotCompilableError, compile_tree
from hub.store.raw import Raw, RawError
from schema.compiled.asking import Watched
from schema.compiled.filling import WRONG, Making, UnfitError, fill
from schema.compiled.planning import Bounded, Plan, RootField, parameters, planned, statement_key, switches_of
from schema.compiled.selecting import Selecting
from schema.compiled.variables import coerced

log = logging.getLogger(__name__)
MOST_PLANS = 256
MOST_KNOWN = 2048
LARGEST_KEPT = 2_000
"""Bytes of variables."""
FEW = 100
"""Rows that may be read together with those of other requests: what is more does not hold up what is less."""


class Reader:
    """The compiled read path of one schema (Strawberry's). enabled: False leaves everything to the ordinary path."""

    def __init__(self, schema: Any) -> None:
        self.enabled = True
        self._strawberry = schema
        self._schema = schema._schema  # graphql-core's own; Strawberry shows it nowhere else
        self._plans = Bounded(MOST_PLANS)
        self._switches = Bounded(MOST_PLANS)
        self._known = Bounded(MOST_KNOWN)

    async def read(
        self, context: Any, document: DocumentNode, operation: OperationDefinitionNode, given: Mapping[str, Any]
    ) -> list[bytes] | None:
        """The operation's answer as JSON, all its checks passed; None where the ordinary path is to answer.

        In pieces, of which the last one closes it: the whole may be large, and something may be put before that.
        """
        raw = context.store.raw
        if raw is None or not self.enabled or operation.operation is not OperationType.QUERY:
            return None
        ready = self._found(context, document, operation, given)
        if ready is None:
            return None
        pieces = [b'{"data":{']
        try:
            texts = iter(await _texts(raw, [each for each in ready if not isinstance(each, bytes)]))
            for each in ready:
                if isinstance(each, bytes):
                    pieces += each, b","
                else:
                    pieces.append(each.head)
                    pieces += _filled(next(texts), each, context)
                    pieces.append(each.tail)
        except (UnfitError, CshubError, RawError, *WRONG) as error:
            log.debug("left to the ordinary path: %r", error)
            return None
        pieces[-1] = pieces[-1][:-1] + b"}"
        pieces.append(b"}")
        return pieces

    def _found(
        self, context: Any, document: DocumentNode, operation: OperationDefinitionNode, given: Mapping[str, Any]
    ) -> "tuple[_Ready | bytes, ...] | None":
        """What there is to run; kept for the next request with the same variables, unless who asks or when matters."""
        viewer, dialect = context.viewer, context.store.sql_dialect.name
        variables = orjson.dumps(given) if given else b""
        key = (id(operation), dialect, viewer.book, variables)
        known = self._known.get(key)
        if known is not None and known[0] is operation:  # an id is used again when its object is gone
            found: tuple[_Ready | bytes, ...] | None = known[1]
            return found
        watched = Watched(context)
        made = self._made(watched, document, operation, given, context)
        if not watched.looked and len(variables) <= LARGEST_KEPT:
            self._known.keep(key, (operation, made))
        return made

    def _made(
        self,
        watched: Watched,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        given: Mapping[str, Any],
        context: Any,
    ) -> "tuple[_Ready | bytes, ...] | None":
        variables = coerced(self._schema, operation, given)
        if variables is None:
            return None
        plan = self._plan(document, operation, variables)
        if plan.hopeless:
            return None
        try:
            # all of them first: what one of them cannot be read by is not worth the statements of the others
            return tuple(self._ready(plan, root, variables, context, watched) for root in plan.roots)
        except NotCompilableError as error:
            log.debug("not compiled: %s", error)
            plan.hopeless = any(isinstance(root, RootField) and root.hopeless for root in plan.roots)
        except (UnfitError, CshubError, *WRONG) as error:
            log.debug("left to the ordinary path: %r", error)
        return None

    def _plan(self, document: DocumentNode, operation: OperationDefinitionNode, variables: VariableValues) -> Plan:
        known = self._switches.get(id(operation))
        if known is None or known[0] is not operation:  # an id is used again when its object is gone
            known = (operation, switches_of(operation, document))
            self._switches.keep(id(operation), known)
        switches = tuple(variables.coerced.get(name) for name in known[1])
        plan: Plan | None = self._plans.get((id(operation), switches))
        if plan is None or plan.operation is not operation:
            selecting = Selecting(self._schema, document, operation, variables)
            try:
                plan = planned(selecting)
            except NotCompilableError:
                plan = Plan(operation, selecting, (), hopeless=True)
            self._plans.keep((id(operation), switches), plan)
        return plan

    def _ready(
        self, plan: Plan, root: RootField | str, variables: VariableValues, context: Any, watched: Watched
    ) -> "_Ready | bytes":
        if isinstance(root, str):
            return f'"{root}":"Query"'.encode()
        rows = root.rows(variables, watched, self._strawberry)
        book, dialect = context.viewer.book, context.store.sql_dialect
        kept = dialect.name, book, rows.entity
        alike: _Ready | None = root.alike.get(kept) if rows.by_key_alone() else None
        if alike is not None:
            return alike.of(rows.key)
        wanted = root.wanted(rows, plan.selecting, variables, watched)
        tree = wanted.selected.root
        key = dialect.name, statement_key(wanted, tree.entity, book=book is not None)
        compiled = root.statements.get(key)
        if compiled is None:
            try:
                compiled = compile_tree(tree, wanted.given, dialect=dialect, book=book)
            except NotCompilableError as error:
                compiled = error
            root.statements.keep(key, compiled)
        if isinstance(compiled, NotCompilableError):
            raise compiled
        only = tree.only()
        ready = _Ready(
            f'"{root.key}":'.encode() if only is None else f'"{root.key}":{{"{only}":'.encode(),
            b"," if only is None else b"},",
            root.required,
            wanted.codes,
            compiled.sql,
            parameters(compiled, wanted, book),
            compiled.marks,
            compiled.around,
            compiled.names.index("key_0") if rows.key is not None else None,
            wanted.rows <= FEW,
        )
        if wanted.alike:
            root.alike.keep(kept, ready)
        return ready


@dataclass(slots=True)
class _Ready:
    """A root field whose statement only needs to be run.

    head, tail  what its value stands between in the answer
    around      what its text stands between in the value
    key         where the key of its one row stands among the parameters; None where there is none
    few         whether it may wait for others
    """

    head: bytes
    tail: bytes
    required: bool
    codes: Mapping[str, Making]
    sql: str
    parameters: list[Any]
    marks: Marks
    around: tuple[bytes, bytes]
    key: int | None
    few: bool

    def of(self, key: str | None) -> "_Ready":
        """The same of another row."""
        assert self.key is not None, "there is a row to be another than"
        parameters = [*self.parameters]
        parameters[self.key] = key
        return _Ready(
            self.head,
            self.tail,
            self.required,
            self.codes,
            self.sql,
            parameters,
            self.marks,
            self.around,
            self.key,
            self.few,
        )


async def _texts(raw: Raw, ready: Sequence[_Ready]) -> list[bytes | None]:
    match ready:
        case [_Ready(key=int(at), few=True) as one]:
            return [await raw.text_of(one.sql, one.parameters, at)]
    return await raw.texts([(each.sql, each.parameters) for each in ready])


def _filled(text: bytes | None, ready: _Ready, context: Any) -> Sequence[bytes]:
    if text is not None:
        return fill(text, ready.codes, context, ready.marks, ready.around)
    if ready.around[0]:
        return [b"[]"]
    if ready.required or ready.tail != b",":  # a list is never null
        raise UnfitError
    return [b"null"]
