"""`Guard`: the rules of one hub, and the checks of a request in the order they are made.

    guard.check_open(viewer, now=now)
    text = guard.text(query, id_, viewer)           the document that is meant, and may be put by this token
    spent = guard.admit(viewer, schema, document, operation, variables, now)
    result = await guard.run(operation, execute)

Each raises what it refuses with: TrustError, IntrospectionError, TooCostlyError, OverBudgetError, TimedOutError.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, TypeVar

from graphql import DocumentNode, GraphQLSchema, OperationDefinitionNode, OperationType

from hub.access import Viewer
from hub.errors import CshubError
from hub.model.actions import Role
from schema.guard.budget import Budgets, Spent
from schema.guard.pricing import priced
from schema.guard.secrecy import Whose, may_introspect, refusal
from schema.guard.timing import Finishing, within
from schema.guard.trusted import Documents, document_id

T = TypeVar("T")
REFUSED = 1
"""Points of a request that is refused before it could be priced: reading it was work, too."""


class TrustError(CshubError):
    """A document that is not known. `code`: as clients of persisted queries look for it."""

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.code = code


class IntrospectionError(CshubError):
    """This token may not look at the schema."""


class TooCostlyError(CshubError):
    """The operation costs more than any may; to send it again is of no use."""

    def __init__(self, message: str, *, cost: int, limit: int) -> None:
        super().__init__(message)
        self.cost = cost
        self.limit = limit


class OverBudgetError(CshubError):
    """The token has no room for this operation in its minute. `spent` says when it has."""

    def __init__(self, message: str, *, spent: Spent, retry_after: int) -> None:
        super().__init__(message)
        self.spent = spent
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """hub.yaml's `graphql`, as far as it is about what may be asked.

    introspection     whose tokens may look at the schema, and are helped with misspelt names
    documents         the trusted documents
    only_trusted      True: no others, but from admins, who write them; "admins_too": no others at all
    most_cost         points of one operation
    cost_per_minute   points of one token in a minute
    query_seconds, mutation_seconds   how long one may take
    """

    introspection: Whose = "admins"
    documents: Documents = field(default_factory=Documents, repr=False)
    only_trusted: bool | Literal["admins_too"] = False
    most_cost: int = 50_000
    cost_per_minute: int = 300_000
    query_seconds: float = 15.0
    mutation_seconds: float = 120.0


class Guard:
    """See the module. One for the life of a hub: it counts what tokens cost."""

    def __init__(self, rules: Rules | None = None) -> None:
        self.rules = rules or Rules()
        self.budgets = Budgets(self.rules.cost_per_minute)
        self._finishing = Finishing()

    def may_introspect(self, viewer: Viewer) -> bool:
        return may_introspect(self.rules.introspection, viewer)

    def text(self, query: str | None, id_: str | None, viewer: Viewer) -> str:
        """The document of a request that sends its text, its id, or both; TrustError where it is not known or allowed."""
        documents = self.rules.documents
        if id_ is not None:
            if query is not None and document_id(query) != id_.lower().removeprefix("sha256:"):
                raise TrustError("the document's id is not the SHA-256 of the query sent with it", code="BAD_REQUEST")
            known = documents.find(id_)
            if known is not None:
                return known
            if query is None:
                message = "PersistedQueryNotFound: no trusted document has this id; `cshub documents list` names them"
                raise TrustError(message, code="PERSISTED_QUERY_NOT_FOUND")
        assert query is not None, "a request has a query or an id"
        if self._only_trusted(viewer) and not documents.trusts(query):
            raise TrustError("only trusted documents are answered here: send the id of one", code="UNTRUSTED_DOCUMENT")
        return query

    def _only_trusted(self, viewer: Viewer) -> bool:
        only = self.rules.only_trusted
        return only == "admins_too" or (only is True and not viewer.may(Role.ADMIN))

    def admit(
        self,
        viewer: Viewer,
        schema: GraphQLSchema,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        variables: Mapping[str, Any],
        *,
        now: datetime,
    ) -> Spent:
        """Price a validated operation and take that from the token's budget."""
        if reason := refusal(self.rules.introspection, viewer, document, operation):
            raise IntrospectionError(reason)
        cost = max(REFUSED, priced(schema, document, operation).cost(variables))
        most = self.rules.most_cost
        if cost > most:
            raise TooCostlyError(
                f"the operation costs {cost:,} points (rows it may read); the limit is {most:,}: lower a first",
                cost=cost,
                limit=most,
            )
        spent = self.budgets.spend(viewer.token_id, cost, now=now)
        if not spent.within:
            wait = spent.wait_seconds(now)
            raise OverBudgetError(
                f"the operation costs {cost:,} points and this token has {spent.remaining:,} left of {spent.limit:,} a minute: "
                f"ask again in {wait} s",
                spent=spent,
                retry_after=wait,
            )
        return spent

    def check_open(self, viewer: Viewer, *, now: datetime) -> None:
        """OverBudgetError where the token has nothing left: then its request is not even read."""
        if self.budgets.is_spent(viewer.token_id, now=now):
            spent = self.budgets.spend(viewer.token_id, 0, now=now)
            wait = spent.wait_seconds(now)
            message = f"this token has spent its {spent.limit:,} points of this minute: ask again in {wait} s"
            raise OverBudgetError(message, spent=spent, retry_after=wait)

    def charge(self, viewer: Viewer, *, now: datetime) -> Spent:
        """Take what a request costs that is refused before it could be priced."""
        return self.budgets.spend(viewer.token_id, REFUSED, now=now)

    async def run(self, kind: OperationType, execute: Callable[[], Awaitable[T]]) -> T:
        """What `execute` returns, in the time there is; a mutation is finished even when the caller is cancelled."""
        if kind is OperationType.MUTATION:
            return await self._finishing.run(self.rules.mutation_seconds, execute)
        return await within(self.rules.query_seconds, execute)
