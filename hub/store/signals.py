"""What was to be seen of customers before they left, and what was done: one statement a question, for all who left at once.

Everything is asked of "the gone": customer and day of every certain churn, a statement others join with. A customer who
left twice is in it twice. Whatever is found bears the key (customer, day). The same can be asked `of_stayed`: customers who
did not leave, each with a day on which another did.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Self

from sqlalchemy import Column, ColumnElement, Date, and_, case, func, select, type_coerce

from hub.model.conditions import Condition
from hub.store.audit import OUTCOME
from hub.store.conditions import clause
from hub.store.labels import churns, paid
from hub.store.staying import stayed
from hub.store.store import Connection
from hub.store.tables import (
    alert,
    audit_record,
    customer,
    delivery,
    health_override,
    invoice,
    playbook_run,
    scorecard,
    subscription,
    user_activity_day,
)

Key = tuple[str, date]
DONE = "done"  # the outcome of an audit entry that was carried out


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """A churn: who, when, how, and what is known of the days before it."""

    customer_id: str
    name: str
    segment: str | None
    csm_email: str | None
    churned_on: date
    involuntary: bool
    noticed_on: date | None
    last_used_on: date | None

    @property
    def key(self) -> Key:
        return self.customer_id, self.churned_on


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """Something that was done about a customer: its kind, when, by whom and what, where that is known."""

    kind: str
    at: datetime
    by: str | None = None
    what: str | None = None


class Signals:
    """Of the customers whose churn is certain on `until`, since a day, or some of them alone; asked on one connection."""

    def __init__(
        self,
        connection: Connection,
        *,
        until: date,
        grace_days: int,
        since: date | None = None,
        customer_ids: Sequence[str] | None = None,
    ) -> None:
        self._connection = connection
        left = churns(connection, until=until, grace_days=grace_days)
        if since is not None:
            left = left.where(subscription.c.ended_on >= since)
        if customer_ids is not None:
            left = left.where(subscription.c.customer_id.in_(list(customer_ids)))
        self._gone = left.cte("gone")

    @classmethod
    def of_stayed(cls, connection: Connection, *, until: date, grace_days: int, since: date | None = None) -> Self:
        """Of `hub.store.staying`: what is asked before customers left is asked before the day each of them is given."""
        made = cls(connection, until=until, grace_days=grace_days)
        made._gone = stayed(connection, until=until, grace_days=grace_days, since=since).cte("gone")
        return made

    async def keys(self) -> list[Key]:
        """Whom all this is asked of, in order of customer and day."""
        gone = self._gone.c
        statement = select(gone.customer_id, gone.churned_on).order_by(gone.customer_id, gone.churned_on)
        return [(row.customer_id, row.churned_on) for row in await self._connection.execute(statement)]

    async def gone(self) -> list[Gone]:
        """Who left, the latest first."""
        gone, term, use = self._gone.c, subscription.c, user_activity_day.c
        noticed = (
            select(func.max(term.cancelled_at))
            .where(term.customer_id == gone.customer_id, term.ended_on == gone.churned_on, paid(term))
            .scalar_subquery()
        )
        used = (
            select(func.max(use.day))
            .where(
                use.customer_id == gone.customer_id, use.day < gone.churned_on, use.deleted.is_(False), use.events > 0
            )
            .scalar_subquery()
        )
        statement = (
            select(
                gone.customer_id,
                gone.churned_on,
                gone.involuntary,
                customer.c.name,
                customer.c.segment,
                customer.c.csm_email,
                noticed.label("noticed_at"),
                used.label("last_used_on"),
            )
            .select_from(self._gone)
            .join(customer, customer.c.id == gone.customer_id)
            .order_by(gone.churned_on.desc(), customer.c.name, gone.customer_id)
        )
        return [
            Gone(
                customer_id=row.customer_id,
                name=row.name,
                segment=row.segment,
                csm_email=row.csm_email,
                churned_on=row.churned_on,
                involuntary=bool(row.involuntary),
                noticed_on=None if row.noticed_at is None else row.noticed_at.date(),
                last_used_on=row.last_used_on,
            )
            for row in await self._connection.execute(statement)
        ]

    async def newest_cards(self, *, days_before: int) -> dict[Key, Mapping[str, Any]]:
        """{key: the newest scorecard not later than so many days before}, without facts and readings."""
        gone, card = self._gone.c, scorecard.alias("card")
        newest = (
            select(scorecard.c.id)
            .where(
                scorecard.c.customer_id == gone.customer_id,
                scorecard.c.as_of <= self._before(gone.churned_on, days_before),
            )
            .order_by(scorecard.c.as_of.desc())
            .limit(1)
            .correlate(self._gone)
            .scalar_subquery()
        )
        names = ("as_of", "health", "band", "computed_health", "computed_band", "coverage", "churn_risk", "churn_band")
        statement = (
            select(gone.customer_id, gone.churned_on, *(card.c[name] for name in names))
            .select_from(self._gone)
            .join(card, card.c.id == newest)
        )
        return {
            (row.customer_id, row.churned_on): {name: row._mapping[name] for name in names}
            for row in await self._connection.execute(statement)
        }

    async def first_days(
        self, conditions: Mapping[str, Condition], *, within_days: int, then: Set[str] = frozenset()
    ) -> dict[Key, dict[str, date]]:
        """{key: {name: first day of the so many before on which a scorecard met the condition}}.

        then  names of conditions that count only on scorecards that were made before the customer left
        """
        gone = self._gone.c
        in_time = scorecard.c.computed_at < gone.churned_on
        columns = [
            func.min(
                case((and_(clause(condition), in_time) if name in then else clause(condition), scorecard.c.as_of)),
                type_=Date(),
            ).label(f"first_{place}")
            for place, (name, condition) in enumerate(conditions.items())
        ]
        statement = (
            select(gone.customer_id, gone.churned_on, *columns)
            .select_from(self._gone)
            .join(
                scorecard,
                and_(
                    scorecard.c.customer_id == gone.customer_id,
                    scorecard.c.as_of >= self._before(gone.churned_on, within_days),
                    scorecard.c.as_of < gone.churned_on,
                ),
            )
            .join(customer, customer.c.id == gone.customer_id)
            .group_by(gone.customer_id, gone.churned_on)
        )
        found: dict[Key, dict[str, date]] = {}
        for row in await self._connection.execute(statement):
            days = {name: row._mapping[f"first_{place}"] for place, name in enumerate(conditions)}
            found[row.customer_id, row.churned_on] = {name: day for name, day in days.items() if day is not None}
        return found

    async def first_moments(self, *, within_days: int) -> dict[Key, dict[str, date]]:
        """{key: {"alert_opened", "payment_failed": the first day of the so many before on which one was}}."""
        asked = {
            "alert_opened": await self._moments(alert, alert.c.opened_at, (alert.c.kind == "alert",)),
            "payment_failed": await self._moments(invoice, invoice.c.failed_at, (invoice.c.deleted.is_(False),)),
        }
        found: dict[Key, dict[str, date]] = {}
        for name, moments in asked.items():
            for key, at, _, _ in moments:
                if key[1] - timedelta(days=within_days) <= at.date() < key[1]:
                    days = found.setdefault(key, {})
                    days[name] = min(at.date(), days.get(name, at.date()))
        return found

    async def acts(self) -> dict[Key, list[Act]]:
        """{key: what was done before the customer left}, in no order."""
        run, sent, over = playbook_run.c, delivery.c, health_override.c
        asked = [
            ("alert_closed", alert, alert.c.closed_at, (), None, alert.c.title),
            ("playbook_run", playbook_run, run.started_at, (), run.started_by, run.playbook),
            ("delivery_confirmed", delivery, sent.confirmed_at, (), None, sent.channel),
            ("override_set", health_override, over.set_at, (), over.by, over.reason),
        ]
        found: dict[Key, list[Act]] = {}
        for kind, table, at, where, by, what in asked:
            for key, moment, who, which in await self._moments(table, at, where, by, what):
                if moment.date() < key[1]:
                    found.setdefault(key, []).append(Act(kind=kind, at=moment, by=who, what=which))
        for key, moment, who, which in await self._alert_changes():
            if moment.date() < key[1]:
                found.setdefault(key, []).append(Act(kind="alert_worked_on", at=moment, by=who, what=which))
        return found

    async def _moments(
        self,
        table: Any,
        at: ColumnElement[Any],
        where: Sequence[ColumnElement[bool]],
        by: Column[Any] | None = None,
        what: Column[Any] | None = None,
    ) -> list[tuple[Key, datetime, str | None, str | None]]:
        """(key, when, by whom, what) of the rows of a table that have a moment, before the customer left or after."""
        gone = self._gone.c
        given = [part.label(name) for name, part in (("by_", by), ("what", what)) if part is not None]
        statement = (
            select(gone.customer_id, gone.churned_on, at.label("at"), *given)
            .select_from(self._gone)
            .join(table, table.c.customer_id == gone.customer_id)
            .where(at.is_not(None), *where)
        )
        return [
            ((row.customer_id, row.churned_on), row.at, getattr(row, "by_", None), getattr(row, "what", None))
            for row in await self._connection.execute(statement)
        ]

    async def _alert_changes(self) -> list[tuple[Key, datetime, str | None, str | None]]:
        """What people did to alerts, as the audit log has it: an alert itself keeps only its newest state."""
        gone = self._gone.c
        statement = (
            select(
                gone.customer_id,
                gone.churned_on,
                audit_record.c.at,
                audit_record.c.actor,
                alert.c.title,
                audit_record.c.detail,
            )
            .select_from(self._gone)
            .join(alert, alert.c.customer_id == gone.customer_id)
            .join(
                audit_record,
                and_(
                    audit_record.c.subject == alert.c.id,
                    audit_record.c.action == "alertUpdate",
                    audit_record.c.kind == OUTCOME,
                ),
            )
        )
        return [
            ((row.customer_id, row.churned_on), row.at, row.actor, row.title)
            for row in await self._connection.execute(statement)
            if (row.detail or {}).get("outcome") == DONE
        ]

    def _before(self, day: ColumnElement[Any], days: int) -> ColumnElement[Any]:
        """A date some days earlier: PostgreSQL takes numbers from dates, SQLite keeps dates as text and has a function."""
        if self._connection.dialect.name == "sqlite":
            return func.date(day, f"-{days} days", type_=Date())
        return type_coerce(day - days, Date())
