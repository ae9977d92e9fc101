"""What can be read: each thing's table, which of its rows count, and columns beyond those of the table.

A customer has, beside its own columns, those of its newest scorecard (`score_…`) and any fact of it (`number:…`,
`text:…` and `date:…`): one row, so that lists with health, risk and facts, and orders by them, are one statement.

Every entity says how it leads to a customer. Who has a book (`hub.access.Viewer.book`) reads through it: the test is part
of every statement, of children and counts too, so what lies outside the book is not there.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from sqlalchemy import (
    JSON,
    ColumnElement,
    FromClause,
    Select,
    Table,
    and_,
    bindparam,
    distinct,
    false,
    func,
    select,
    type_coerce,
)

from hub.model.conditions import Condition, Field, Kind
from hub.store import tables
from hub.store.books import of_book
from hub.store.conditions import clause, column_of
from hub.store.query.candidates import candidates
from hub.store.query.plan import Relation, Where
from hub.store.query.priority import priority
from hub.store.query.timeline import timeline_pages
from hub.store.timeline.statement import everything

KEPT = (Where("deleted", "eq", False),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """A table, the rows of it that count, and what else can be read with a row.

    joined    columns that need `join` (at most one row for each of the table's)
    computed  name -> expression, for names that are no fixed set
    grouped   columns the rows are grouped by; the others in `columns` are aggregates
    hidden    columns that no plan may read
    pages     makes the statement for the first rows of each parent, where the rows are of no single table; it takes what
              `hub.store.query.select.first_of_each` takes, and the entity
    customer  the column that holds the id of the customer a row belongs to; or a column and the entity whose id it
              holds, which leads to one. It decides in whose book a row is
    shared    of an entity that leads to no customer: whether who has a book sees its rows all the same. What may tell of
              any customer is not shared
    """

    name: str
    table: FromClause
    id: str = "id"
    scope: tuple[Where, ...] = ()
    joined: Mapping[str, ColumnElement[Any]] = field(default_factory=dict)
    join: tuple[FromClause, ColumnElement[bool]] | None = None
    computed: Callable[[str], ColumnElement[Any] | None] = lambda _: None
    grouped: tuple[str, ...] = ()
    aggregates: Mapping[str, ColumnElement[Any]] = field(default_factory=dict)
    hidden: frozenset[str] = frozenset()
    pages: Callable[..., Select[Any]] | None = None
    customer: str | tuple[str, str] | None = None
    shared: bool | None = None

    def __post_init__(self) -> None:
        if (self.customer is None) == (self.shared is None):
            raise TypeError(f"entity {self.name} must either lead to a customer or say whether it is shared")

    def in_book(self, table: FromClause, book: str | None) -> list[ColumnElement[bool]]:
        """The test that a row of `table`, ours or an alias of it, belongs to a customer of the book; none for all."""
        if book is None or self.shared:
            return []
        if self.customer is None:
            return [false()]
        if self.name == "customer":
            return [table.c.csm_email == bindparam("book", book)]
        if isinstance(self.customer, tuple):
            column, through = self.customer
            parent = ENTITIES[through]
            above = parent.table.alias(f"book_{through}")
            return [table.c[column].in_(select(above.c[parent.id]).where(*parent.in_book(above, book)))]
        return of_book(table.c[self.customer], book)

    def follows(self, parent: str, relation: Relation) -> bool:
        """Whether rows of the relation are in the book because their parent, a row of the entity `parent`, is."""
        if self.customer == relation.key:
            return parent == "customer" and relation.parent == "id" and self.name != "customer"
        return (
            isinstance(self.customer, tuple)
            and self.customer == (relation.key, parent)
            and relation.parent == ENTITIES[parent].id
        )

    def expression(self, name: str) -> ColumnElement[Any]:
        """The column called `name`; KeyError where the entity has none."""
        if name in self.hidden:
            raise KeyError(f"{self.name}.{name}")
        if name in self.aggregates:
            return self.aggregates[name]
        if name in self.joined:
            return self.joined[name]
        if name in self.table.c:
            return self.table.c[name]
        if (computed := self.computed(name)) is not None:
            return computed
        raise KeyError(f"{self.name}.{name}")

    def needs_join(self, name: str) -> bool:
        return name not in self.table.c and name not in self.aggregates

    def nullable(self, name: str) -> bool:
        return self.needs_join(name) or bool(
            name in self.table.c
            and getattr(self.table.c[name], "nullable", True)  # a column of a subselect says nothing
        )


_latest = tables.scorecard.alias("latest")
_merged = tables.customer.alias("merged")


def _fact(name: str, scorecard: FromClause = _latest) -> ColumnElement[Any] | None:
    kind, _, fact = name.partition(":")
    if kind in ("number", "text", "date"):
        return column_of(Field(fact, cast("Kind", kind)), scorecard=scorecard)
    return None


def _fact_of_day(name: str) -> ColumnElement[Any] | None:
    """A fact as it was; what is a column of the customer too, such as its segment, is read from the scorecard's facts."""
    kind, _, fact = name.partition(":")
    if fact in tables.customer.c:
        value = type_coerce(tables.scorecard.c.facts, JSON)[fact]
        read: ColumnElement[Any] = value.as_float() if kind == "number" else value.as_string()
        return read
    return _fact(name, tables.scorecard)


def customers_where(condition: Condition) -> ColumnElement[bool]:
    """A condition as a clause over the entity `customer` and its join."""
    return clause(condition, scorecard=_latest)


def _records(name: str, table: Table) -> Entity:
    return Entity(name=name, table=table, scope=KEPT, customer="customer_id")


def _events(kind: str, *, customer: str | None = None, shared: bool | None = None) -> Entity:
    scope = (Where("kind", "eq", kind),)
    return Entity(name=f"{kind}_event", table=tables.event, id="number", scope=scope, customer=customer, shared=shared)


_activity = tables.user_activity_day
_features = tables.feature_usage_day

ENTITIES: Mapping[str, Entity] = {
    entity.name: entity
    for entity in (
        Entity(
            name="customer",
            customer="id",
            table=tables.customer,
            scope=(Where("merged_into_id", "is_null", True),),
            joined={f"score_{column.name}": column for column in _latest.c},
            join=(_latest, and_(_latest.c.customer_id == tables.customer.c.id, _latest.c.latest == True)),  # noqa: E712 - SQL
            computed=_fact,
        ),
        _records("contact", tables.contact),
        _records("ticket", tables.ticket),
        _records("survey_response", tables.survey_response),
        _records("subscription", tables.subscription),
        _records("opportunity", tables.opportunity),
        _records("external_id", tables.external_id),
        _records("invoice", tables.invoice),
        _records("imported_score", tables.imported_score),
        Entity(
            name="identity_candidate",
            table=candidates,
            customer="customer_id",
        ),
        Entity(
            name="customer_merge",
            table=tables.customer_merge,
            joined={"merged_name": _merged.c.name, "merged_into_id": _merged.c.merged_into_id},
            join=(_merged, _merged.c.id == tables.customer_merge.c.merged_id),
            customer="kept_id",
        ),
        Entity(name="timeline", table=everything(), pages=timeline_pages, customer="customer_id"),
        Entity(name="note", table=tables.note, scope=(Where("deleted_at", "is_null", True),), customer="customer_id"),
        Entity(name="csm_assignment", table=tables.csm_assignment, customer="customer_id"),
        Entity(name="customer_field", table=tables.customer_field, id="name", customer="customer_id"),
        Entity(
            name="usage_day",
            customer="customer_id",
            table=_activity,
            scope=KEPT,
            grouped=("customer_id", "day"),
            aggregates={
                "events": func.sum(_activity.c.events),
                "users": func.count(distinct(_activity.c.user_key)),
                "sessions": func.sum(_activity.c.sessions),
                "minutes": func.sum(_activity.c.minutes),
            },
        ),
        Entity(
            name="feature_usage",
            customer="customer_id",
            table=_features,
            scope=KEPT,
            grouped=("customer_id", "feature"),
            aggregates={
                "events": func.sum(_features.c.events),
                "days": func.count(distinct(_features.c.day)),
                "last_day": func.max(_features.c.day),
            },
        ),
        Entity(name="scorecard", table=tables.scorecard, computed=_fact_of_day, customer="customer_id"),
        Entity(name="extra_scorecard", table=tables.extra_scorecard, customer="customer_id"),
        Entity(name="rollup_scorecard", table=tables.rollup_scorecard, shared=False),  # it tells of everybody below
        Entity(name="health_override", table=tables.health_override, customer="customer_id"),
        Entity(name="sentiment", table=tables.sentiment, customer="customer_id"),
        Entity(name="churn_prediction", table=tables.churn_prediction, customer="customer_id"),
        Entity(name="churn_model", table=tables.churn_model, id="version", hidden=frozenset({"artifact"}), shared=True),
        Entity(name="alert", table=tables.alert, computed=priority, customer="customer_id"),
        Entity(name="lifecycle", table=tables.lifecycle, id="customer_id", customer="customer_id"),
        Entity(name="lifecycle_change", table=tables.lifecycle_change, customer="customer_id"),
        Entity(name="onboarding", table=tables.onboarding, customer="customer_id"),
        Entity(name="onboarding_step", table=tables.onboarding_step, customer=("onboarding_id", "onboarding")),
        Entity(name="renewal", table=tables.renewal, customer="customer_id"),
        Entity(name="expansion_opportunity", table=tables.expansion_opportunity, customer="customer_id"),
        Entity(name="survey_invitation", table=tables.survey_invitation, customer="customer_id"),
        Entity(name="playbook_definition", table=tables.playbook_definition, id="hash", shared=True),
        Entity(name="health_definition", table=tables.health_definition, id="hash", shared=True),
        Entity(name="playbook_run", table=tables.playbook_run, customer="customer_id"),
        Entity(name="playbook_step", table=tables.playbook_step, customer=("run_id", "playbook_run")),
        Entity(name="snooze", table=tables.snooze, customer="customer_id"),
        Entity(name="approval", table=tables.approval, customer="customer_id"),
        Entity(name="delivery", table=tables.delivery, customer="customer_id"),
        _events("alert", customer="customer_id"),
        _events("band", customer="customer_id"),
        _events("run", customer="customer_id"),
        _events("sync", shared=True),
        Entity(name="hook_event", table=tables.hook_event, customer="customer_id"),
        Entity(name="mail_suppression", table=tables.suppression, shared=False),
        Entity(name="mail_bounce", table=tables.mail_bounce, shared=False),
        Entity(name="source", table=tables.source, id="name", shared=True),
        Entity(name="bookmark", table=tables.bookmark, shared=True),
        Entity(name="stream_state", table=tables.stream_state, shared=True),
        Entity(
            name="source_event", table=tables.source_event, hidden=frozenset({"raw", "key", "event_id"}), shared=True
        ),
        Entity(name="sync_run", table=tables.sync_run, shared=True),
        Entity(name="audit_record", table=tables.audit_record, id="number", hidden=frozenset({"salt"}), shared=False),
        Entity(name="quarantine", table=tables.quarantine, shared=False),
        Entity(
            name="api_token",
            table=tables.api_token,
            hidden=frozenset({"digest", "previous_digest"}),
            shared=False,
        ),
    )
}
