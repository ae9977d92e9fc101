"""Conditions (hub.model.conditions) as SQL over a customer and its scorecard, and the fields that are columns there.

    clause(condition)                         a boolean expression over the tables customer and scorecard
    clause(condition, customer=c, scorecard=s)   … over aliases of them

The caller joins the two (from outside where customers without a scorecard count too: their facts are missing). Fields of the
lifecycle are looked up by the customer. A field that is none of these is a fact, read from the scorecard's JSON. Every
comparison is false, never NULL, where the value is missing, so that `not` means the same here and in
`hub.model.conditions.matches`. Saved segments are put in their places before (`hub.segments`); days count from `today`, which
may be left out where none does.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any as Anything

from sqlalchemy import JSON, ColumnElement, Date, FromClause, and_, false, func, not_, or_, select, true, type_coerce
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction

from hub.model.actions import Band
from hub.model.conditions import (
    CHANGES,
    IN_SEGMENT,
    SEARCH,
    All,
    Any,
    Condition,
    Field,
    Operator,
    Test,
    fold,
    is_relative,
    on_day,
)
from hub.store import tables
from hub.store.texts import folded, spaced

BANDS = tuple(band.value for band in Band)
CUSTOMER_FIELDS: tuple[Field, ...] = (
    Field("name", "text"),
    Field("domain", "text"),
    Field("segment", "text"),
    Field("industry", "text"),
    Field("country", "text"),
    Field("employees", "number"),
    Field("csm_email", "text"),
    Field("csm_name", "text"),
    Field("became_customer_on", "date"),
    Field("created_at", "date"),
)
SCORECARD_FIELDS: tuple[Field, ...] = (
    Field("health", "number"),
    Field("band", "text", BANDS),
    Field("previous_band", "text", BANDS),
    Field("coverage", "number"),
    Field("churn_risk", "number"),
    Field("churn_annualised", "number"),
    Field("churn_band", "text", ("minimal", "low", "medium", "high", "noticed")),
)
LIFECYCLE_FIELDS: tuple[Field, ...] = (
    Field("onboarding_state", "text", ("active", "completed", "failed", "cancelled")),
    Field("onboarding_pace", "text", ("on_track", "behind", "stalled")),
    Field("onboarding_step", "text"),
    Field("onboarding_progress", "number"),
    Field("onboarding_days", "number"),
    Field("onboarding_step_days", "number"),
    Field("watch_level", "text", ("clear", "warning", "critical")),
    Field("watch_days", "number"),
    Field("churn_level", "text", ("clear", "medium", "high")),
    Field("churn_days", "number"),
    Field("renewal_status", "text", ("upcoming", "due", "overdue", "renewed", "churned")),
    Field("renewal_days", "number"),
    Field("renewal_on", "date"),
    Field("renewal_auto", "text", ("yes", "no")),
    Field("renewal_amount", "number"),
    Field("renewal_expected", "number"),
    Field("expansion_kind", "text", ("plan_upgrade", "add_on", "seats")),
    Field("expansion_value", "number"),
    Field("advocacy", "text", ("promoter", "passive", "detractor")),
    Field("advocacy_score", "number"),
    Field("survey_asked_days", "number"),
)
"""Columns of the table `lifecycle`: as they are now, not as of the scorecard's day."""
# against the newest scorecard 30 to 45 days before; missing where there is none
HEALTH_CHANGE = Field("health_change_30d", "number")
FIELDS: Mapping[str, Field] = {
    field.name: field for field in (*CUSTOMER_FIELDS, *SCORECARD_FIELDS, *LIFECYCLE_FIELDS, HEALTH_CHANGE)
}
CHOOSING: Mapping[str, Field] = {SEARCH: Field(SEARCH, "search"), IN_SEGMENT: Field(IN_SEGMENT, "segment")}
"""What conditions may ask besides, and no customer has a value of."""

CUSTOM = "custom."
"""Fields of this beginning are the hub's own, which playbooks write; all of them are texts."""
_CUSTOMER = frozenset(field.name for field in CUSTOMER_FIELDS)
_SCORECARD = frozenset(field.name for field in SCORECARD_FIELDS)
_LIFECYCLE = frozenset(field.name for field in LIFECYCLE_FIELDS)


def clause(
    condition: Condition,
    *,
    customer: FromClause = tables.customer,
    scorecard: FromClause = tables.scorecard,
    today: date | None = None,
) -> ColumnElement[bool]:
    """The condition in SQL. It never is NULL. ValueError where it needs `today` and there is none."""
    return _clause(_settled(condition, today), lambda field: column_of(field, customer=customer, scorecard=scorecard))


def record_clause(condition: Condition, table: FromClause, *, today: date | None = None) -> ColumnElement[bool]:
    """A condition over the columns of one table in SQL. It never is NULL."""
    return _clause(_settled(condition, today), lambda field: table.c[field.name])


def _settled(condition: Condition, today: date | None) -> Condition:
    if today is not None:
        return on_day(condition, today)
    if is_relative(condition):
        raise ValueError("the condition counts from a day that was not given")
    return condition


def _clause(condition: Condition, column: Callable[[Field], ColumnElement[Anything]]) -> ColumnElement[bool]:
    if isinstance(condition, All):
        return and_(true(), *(_clause(part, column) for part in condition.conditions))
    if isinstance(condition, Any):
        return or_(false(), *(_clause(part, column) for part in condition.conditions))
    if isinstance(condition, Test):
        return _comparison(condition, column(condition.field))
    return not_(_clause(condition.condition, column))


def column_of(
    field: Field, *, customer: FromClause = tables.customer, scorecard: FromClause = tables.scorecard
) -> ColumnElement[Anything]:
    """Where the value of `field` stands."""
    if field.kind == "search":
        return customer.c.name + " " + func.coalesce(customer.c.domain, "")
    if field.name in _CUSTOMER:
        return customer.c[field.name]
    if field.name in _SCORECARD:
        return scorecard.c[field.name]
    if field.name in _LIFECYCLE:
        stands = tables.lifecycle
        return (
            select(stands.c[field.name])
            .where(stands.c.customer_id == customer.c.id)
            .correlate(customer)
            .scalar_subquery()
        )
    if field == HEALTH_CHANGE:
        return health_change(scorecard)
    if field.name.startswith(CUSTOM):
        own = tables.customer_field
        mine = (own.c.customer_id == customer.c.id, own.c.name == field.name.removeprefix(CUSTOM))
        return select(own.c.value).where(*mine).correlate(customer).scalar_subquery()
    fact = type_coerce(scorecard.c.facts, JSON)[field.name]
    value: ColumnElement[Anything] = fact.as_float() if field.kind == "number" else fact.as_string()
    return value


def health_change(scorecard: FromClause = tables.scorecard) -> ColumnElement[float]:
    """Health against the newest scorecard 30 to 45 days before; NULL where there is none."""
    then = tables.scorecard.alias("then")
    was = (
        select(then.c.health)
        .where(
            then.c.customer_id == scorecard.c.customer_id,
            then.c.as_of <= _days_before(scorecard.c.as_of, 30),
            then.c.as_of >= _days_before(scorecard.c.as_of, 45),
        )
        .order_by(then.c.as_of.desc())
        .limit(1)
        .correlate(scorecard)
        .scalar_subquery()
    )
    return scorecard.c.health - was


def _comparison(test: Test, column: ColumnElement[Anything]) -> ColumnElement[bool]:
    if test.operator is Operator.EXISTS:
        return column.is_not(None) if test.value else column.is_(None)
    if test.operator in CHANGES or test.operator is Operator.MEMBER:
        raise ValueError(f"{test.field.name} {test.operator}: this is no SQL, and should have been settled before")
    if test.field.kind == "date" and not isinstance(column.type, Date):
        return and_(column.is_not(None), _moment(test, column))
    return and_(column.is_not(None), _COMPARE[test.operator](column, test.value))


_COMPARE: Mapping[Operator, Callable[[ColumnElement[Anything], Anything], ColumnElement[bool]]] = {
    Operator.EQ: lambda column, value: column == value,
    Operator.NE: lambda column, value: column != value,
    Operator.LT: lambda column, value: column < value,
    Operator.LTE: lambda column, value: column <= value,
    Operator.GT: lambda column, value: column > value,
    Operator.GTE: lambda column, value: column >= value,
    Operator.BETWEEN: lambda column, value: and_(column >= value[0], column <= value[1]),
    Operator.IN: lambda column, value: column.in_(list(value)),
    Operator.NOT_IN: lambda column, value: column.not_in(list(value)),
    Operator.CONTAINS: lambda column, value: folded(column, value).contains(fold(value), autoescape=True),
    Operator.STARTS_WITH: lambda column, value: folded(column, value).startswith(fold(value), autoescape=True),
    Operator.SEARCH: lambda column, value: _words(column, value),
}


def _words(column: ColumnElement[str], value: str) -> ColumnElement[bool]:
    """Whether each word begins one of the column's."""
    text = spaced(folded(column, value))
    return and_(true(), *(text.contains(f" {word}", autoescape=True) for word in value.split()))


def _moment(test: Test, column: ColumnElement[Anything]) -> ColumnElement[bool]:
    """A comparison of a moment by the day it lies on, as one of moments: an index on them still helps."""
    value: Anything = test.value

    def on(day: date) -> ColumnElement[bool]:
        return and_(column >= _begin(day), column < _end(day))

    match test.operator:
        case Operator.LT:
            return column < _begin(value)
        case Operator.LTE:
            return column < _end(value)
        case Operator.GT:
            return column >= _end(value)
        case Operator.GTE:
            return column >= _begin(value)
        case Operator.BETWEEN:
            return and_(column >= _begin(value[0]), column < _end(value[1]))
    days = or_(false(), *(on(day) for day in (value if isinstance(value, tuple) else (value,))))
    return days if test.operator in (Operator.EQ, Operator.IN) else not_(days)


def _begin(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _end(day: date) -> datetime:
    """The first moment after it; of the last day there is, its last one."""
    return datetime.max.replace(tzinfo=UTC) if day == date.max else _begin(day + timedelta(days=1))


class _days_before(GenericFunction[Anything]):  # noqa: N801 - named as the SQL it stands for
    """A day so many days before another."""

    type = Date()
    inherit_cache = True


@compiles(_days_before, "sqlite")
def _(element: _days_before, compiler: SQLCompiler, **options: Anything) -> str:
    day, days = (compiler.process(part, **options) for part in element.clauses)
    return f"date({day}, -{days} || ' days')"


@compiles(_days_before, "postgresql")
def _(element: _days_before, compiler: SQLCompiler, **options: Anything) -> str:
    day, days = (compiler.process(part, **options) for part in element.clauses)
    return f"({day} - CAST({days} AS INTEGER))"
