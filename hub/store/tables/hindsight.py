"""What each table tells today that could not be known at the end of a past day, and what was known instead.

    sight = SIGHTS["ticket"]
    sight.rows(columns, moment)      which of its rows could be known
    sight.columns(columns, moment)   {column: what it said then}; every other column stands as it is

A row is known once it has happened and the hub has learned of it. A column that is filled or moved by what happens to the row
later is set back by a time that says when; a counter or a state that no time tells of is known only where the row has not
changed since. What vendors rewrite in place and the hub watches is read back from `field_change`. Three things stand as they
are today, and facts say so: whose row it is (identity), deletion where nobody watches it, and a customer's profile.

Every column of these tables is in `STANDS`, watched, or set back; a test refuses one that nobody has thought of.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Boolean, ColumnElement, Date, and_, case, cast, func, literal, null, or_, select, true
from sqlalchemy.sql.expression import TableClause
from sqlalchemy.types import TypeEngine

from hub.store.tables.base import UtcDateTime

Columns = Any  # the columns of a table, by name
Changes = Callable[[Columns, "Moment"], dict[str, ColumnElement[Any]]]


@dataclass(frozen=True, slots=True)
class Moment:
    """The end of `day`; `dialect` of the database that is asked."""

    day: date
    dialect: str

    @property
    def end(self) -> ColumnElement[Any]:
        """The first moment that is no longer the day."""
        return literal(self.ends_at, UtcDateTime())

    @property
    def ends_at(self) -> datetime:
        return datetime.combine(self.day + timedelta(days=1), time.min, UTC)

    def unchanged(self, c: Columns) -> ColumnElement[bool]:
        """Whether the vendor has not touched the row since."""
        found: ColumnElement[bool] = c.version < int(self.ends_at.timestamp() * 1000)
        return found


@dataclass(frozen=True, slots=True)
class Sight:
    """How a table looked. happened: the column of the time or day of a row's own event; None: no row is younger than another.

    known: whether rows also need a `learned_at` by then
    """

    happened: str | None
    changes: Changes
    stands: frozenset[str]
    known: bool = True

    def rows(self, c: Columns, at: Moment) -> ColumnElement[bool]:
        parts: list[ColumnElement[bool]] = [true()]
        if self.known:
            parts.append(c.learned_at < at.end)
        if self.happened is not None:
            when = c[self.happened]
            parts.append(or_(when.is_(None), when <= at.day if isinstance(when.type, Date) else when < at.end))
        return and_(*parts)

    def columns(self, c: Columns, at: Moment) -> dict[str, ColumnElement[Any]]:
        return self.changes(c, at)


def _until(when: ColumnElement[Any], at: Moment) -> ColumnElement[Any]:
    """A time, where it had come."""
    return case((when < at.end, when), else_=null())


def _unless(condition: ColumnElement[bool], value: ColumnElement[Any], else_: Any) -> ColumnElement[Any]:
    return case((condition, value), else_=null() if else_ is None else literal(else_))


def _nothing(c: Columns, at: Moment) -> dict[str, ColumnElement[Any]]:
    return {}


def _contact(c: Columns, at: Moment) -> dict[str, ColumnElement[Any]]:
    return {"last_seen_at": _until(c.last_seen_at, at)}


def _ticket(c: Columns, at: Moment) -> dict[str, ColumnElement[Any]]:
    solved = c.solved_at < at.end
    open_ = c.status.not_in(["solved", "closed"])
    told = or_(solved, open_, and_(c.solved_at.is_(None), at.unchanged(c)))
    answered = c.first_response_minutes <= _minutes(c.created_at, at)
    return {
        "solved_at": _until(c.solved_at, at),
        "status": _unless(told, c.status, "open"),
        "first_response_minutes": _unless(answered, c.first_response_minutes, None),
        "resolution_minutes": _unless(solved, c.resolution_minutes, None),
        "reopens": _unless(solved, c.reopens, 0),  # a reopen has no time of its own, but lies before the last solution
        "replies": _unless(at.unchanged(c), c.replies, 0),
    }


def _subscription(c: Columns, at: Moment) -> dict[str, ColumnElement[Any]]:
    noticed = c.cancelled_at < at.end
    # an end that is to come is known from the notice on
    over = or_(c.ended_on <= at.day, noticed)
    return {
        "ended_on": _unless(over, c.ended_on, None),
        "cancelled_at": _until(c.cancelled_at, at),
        "cancellation_kind": _unless(or_(noticed, c.ended_on <= at.day), c.cancellation_kind, None),
        "status": _unless(or_(over, at.unchanged(c), c.status == "trial"), c.status, "active"),
        "auto_renew": _unless(or_(over, at.unchanged(c)), c.auto_renew, True),
        "seats_used": _unless(at.unchanged(c), c.seats_used, None),
    }


def _invoice(c: Columns, at: Moment) -> dict[str, ColumnElement[Any]]:
    told = or_(c.paid_at < at.end, at.unchanged(c))
    return {
        "paid_at": _until(c.paid_at, at),
        "failed_at": _until(c.failed_at, at),
        "attempts": _unless(at.unchanged(c), c.attempts, 0),
        "status": _unless(told, c.status, "open"),
    }


def _opportunity(c: Columns, at: Moment) -> dict[str, ColumnElement[Any]]:
    told = at.unchanged(c)
    return {
        "stage": _unless(told, c.stage, "open"),
        "stage_name": _unless(told, c.stage_name, None),
        "amount": _unless(told, c.amount, None),
        "target_amount": _unless(told, c.target_amount, None),
        "close_on": _unless(told, c.close_on, None),
    }


def _sync_run(c: Columns, at: Moment) -> dict[str, ColumnElement[Any]]:
    return {"finished_at": _until(c.finished_at, at)}


def _judgement(c: Columns, at: Moment) -> dict[str, ColumnElement[Any]]:
    return {
        "withdrawn_at": _until(c.withdrawn_at, at),
        "withdrawn_by": _unless(c.withdrawn_at < at.end, c.withdrawn_by, None),
    }


def _minutes(since: ColumnElement[Any], at: Moment) -> ColumnElement[Any]:
    if at.dialect == "sqlite":
        return (func.julianday(at.end) - func.julianday(since)) * 1440.0
    return func.extract("epoch", at.end - since) / 60.0


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


RECORD = _names("id source key company_key customer_id version digest deleted learned_at synced_at")
"""Of every record; what a newer version of a row brought is told by its columns."""

SIGHTS: Mapping[str, Sight] = {
    # which companies there are and whose they are: identity is today's
    "external_id": Sight(
        None,
        _nothing,
        RECORD | _names("name domains external_key parent_key industry country employees csm_name became_customer_on")
        # the decision about it
        | _names("state method reason candidates decided_at decided_by"),
        known=False,
    ),
    "contact": Sight("created_at", _contact, RECORD | _names("email name created_at")),
    "user_activity_day": Sight("day", _nothing, RECORD | _names("user_key day events sessions minutes")),
    "feature_usage_day": Sight("day", _nothing, RECORD | _names("feature day events users")),
    "ticket": Sight("created_at", _ticket, RECORD | _names("subject requester_email created_at url")),
    "survey_response": Sight(
        "responded_at", _nothing, RECORD | _names("type scale score comment respondent_email responded_at ticket_key")
    ),
    # a change of price, plan or seats is the next term; the day a term falls due is known from its start
    "subscription": Sight(
        "started_on", _subscription, RECORD | _names("plan mrr currency seats_purchased started_on renews_on")
    ),
    "invoice": Sight("issued_on", _invoice, RECORD | _names("number amount currency issued_on due_on")),
    "opportunity": Sight("created_at", _opportunity, RECORD | _names("name type currency created_at owner_email")),
    "imported_score": Sight("scored_at", _nothing, RECORD | _names("name value raw_value scale label scored_at")),
    "field_change": Sight(None, _nothing, _names("id kind record_id field before after at learned_at")),
    # whether a sync that had begun would land says nothing of a customer
    "sync_run": Sight(
        "started_at",
        _sync_run,
        _names("id source state started_at streams pulled new changed unchanged quarantined error"),
        known=False,
    ),
    "sentiment": Sight(
        "set_at", _judgement, _names("id customer_id value reason by set_at expires_on"), known=False
    ),
    "health_override": Sight(
        "set_at", _judgement, _names("id customer_id score reason by set_at expires_on"), known=False
    ),
}  # fmt: skip
"""{table: how it looked at the end of a past day}"""


def as_watched(said: ColumnElement[Any], column: Any, key: Any, change: TableClause, at: Moment) -> ColumnElement[Any]:
    """A watched column at the end of the day: what the earliest change learned of since says was before, else `said`.

    column  as it is today; key: the record's id; change: the table `field_change`
    """
    c, later = change.c, change.alias("later").c
    since = (later.kind == column.table.name, later.field == column.name, later.record_id == key)
    first = select(func.min(later.id)).where(*since, later.learned_at >= at.end).scalar_subquery()
    changed = select(later.id).where(*since, later.learned_at >= at.end).exists()
    before = select(c.before).where(c.id == first).scalar_subquery()
    return case((changed, _typed(before, column.type, at)), else_=said)


def _typed(text: ColumnElement[Any], type_: TypeEngine[Any], at: Moment) -> ColumnElement[Any]:
    """A logged text as the column has it."""
    if isinstance(type_, Boolean):
        return text == "true"
    if isinstance(type_, UtcDateTime):
        if at.dialect == "sqlite":  # as the driver writes it
            return func.replace(func.substr(text, 1, 19), "T", " ") + ".000000"
        return cast(text, UtcDateTime())
    return text
