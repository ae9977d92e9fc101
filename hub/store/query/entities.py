"""What can be read: each thing's table, which of its rows count, and columns beyond those of the table.

A customer has, beside its own columns, those of its newest scorecard (`score_…`) and any fact of it (`number:…` and
`text:…`): one row, so that lists with health, risk and facts, and orders by them, are one statement.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Table, and_, distinct, func

from hub.model.conditions import Condition, Field
from hub.store import tables
from hub.store.conditions import clause, column_of
from hub.store.query.plan import Where

KEPT = (Where("deleted", "eq", False),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """A table, the rows of it that count, and what else can be read with a row.

    joined    columns that need `join` (at most one row for each of the table's)
    computed  name -> expression, for names that are no fixed set
    grouped   columns the rows are grouped by; the others in `columns` are aggregates
    hidden    columns that no plan may read
    """

    name: str
    table: Table
    id: str = "id"
    scope: tuple[Where, ...] = ()
    joined: Mapping[str, ColumnElement[Any]] = field(default_factory=dict)
    join: tuple[FromClause, ColumnElement[bool]] | None = None
    computed: Callable[[str], ColumnElement[Any] | None] = lambda _: None
    grouped: tuple[str, ...] = ()
    aggregates: Mapping[str, ColumnElement[Any]] = field(default_factory=dict)
    hidden: frozenset[str] = frozenset()

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
        return self.needs_join(name) or bool(name in self.table.c and self.table.c[name].nullable)


_latest = tables.scorecard.alias("latest")


def _fact(name: str) -> ColumnElement[Any] | None:
    kind, _, fact = name.partition(":")
    if kind == "number":
        return column_of(Field(fact, "number"), scorecard=_latest)
    return column_of(Field(fact, "text"), scorecard=_latest) if kind == "text" else None


def customers_where(condition: Condition) -> ColumnElement[bool]:
    """A condition as a clause over the entity `customer` and its join."""
    return clause(condition, scorecard=_latest)


def _records(name: str, table: Table) -> Entity:
    return Entity(name=name, table=table, scope=KEPT)


_activity = tables.user_activity_day
_features = tables.feature_usage_day

ENTITIES: Mapping[str, Entity] = {
    entity.name: entity
    for entity in (
        Entity(
            name="customer",
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
        Entity(name="customer_field", table=tables.customer_field, id="name"),
        Entity(
            name="usage_day",
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
            table=_features,
            scope=KEPT,
            grouped=("customer_id", "feature"),
            aggregates={
                "events": func.sum(_features.c.events),
                "days": func.count(distinct(_features.c.day)),
                "last_day": func.max(_features.c.day),
            },
        ),
        Entity(name="scorecard", table=tables.scorecard),
        Entity(name="extra_scorecard", table=tables.extra_scorecard),
        Entity(name="rollup_scorecard", table=tables.rollup_scorecard),
        Entity(name="health_override", table=tables.health_override),
        Entity(name="sentiment", table=tables.sentiment),
        Entity(name="churn_prediction", table=tables.churn_prediction),
        Entity(name="churn_model", table=tables.churn_model, id="version", hidden=frozenset({"artifact"})),
        Entity(name="alert", table=tables.alert),
        Entity(name="lifecycle", table=tables.lifecycle, id="customer_id"),
        Entity(name="lifecycle_change", table=tables.lifecycle_change),
        Entity(name="onboarding", table=tables.onboarding),
        Entity(name="onboarding_step", table=tables.onboarding_step),
        Entity(name="renewal", table=tables.renewal),
        Entity(name="expansion_opportunity", table=tables.expansion_opportunity),
        Entity(name="survey_invitation", table=tables.survey_invitation),
        Entity(name="playbook_run", table=tables.playbook_run),
        Entity(name="playbook_step", table=tables.playbook_step),
        Entity(name="approval", table=tables.approval),
        Entity(name="delivery", table=tables.delivery),
        Entity(name="hook_event", table=tables.hook_event),
        Entity(name="mail_suppression", table=tables.suppression),
        Entity(name="mail_bounce", table=tables.mail_bounce),
        Entity(name="source", table=tables.source, id="name"),
        Entity(name="bookmark", table=tables.bookmark),
        Entity(name="sync_run", table=tables.sync_run),
        Entity(name="quarantine", table=tables.quarantine),
        Entity(name="api_token", table=tables.api_token, hidden=frozenset({"digest"})),
    )
}
