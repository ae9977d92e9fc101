"""Facts of use: users, events, sessions, days, from what each user did on each day.

A user is a `user_key` of a customer, whichever source it comes from; a row without events is no use. Windows are trailing
and whole (7, 28, 84 days). Where nobody came in 28 days, sessions, events and days a user are 0 and not missing: that
nobody came was seen. The mean length of no sessions is missing.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, select

from hub.store.facts.columns import Columns, change, share
from hub.store.facts.memory import UseInMemory
from hub.store.facts.window import Window
from hub.store.store import Connection
from hub.store.tables import customer, user_activity_day

NAMES = (
    "dau",
    "wau",
    "mau",
    "mau_previous",
    "mean_dau_28d",
    "events_28d",
    "events_previous_28d",
    "usage_trend",
    "events_84d",
    "active_days_28d",
    "days_since_active",
    "sessions_28d",
    "logins_per_user_week",
    "minutes_per_session",
    "stickiness",
    "events_per_user_28d",
    "events_per_user_previous_28d",
    "depth_trend",
)
TREND_BASE = 20.0
"""Fewer events than this in the 28 days before are no base for a trend."""
TREND_TENURE = 56
"""A customer younger than both windows has no trend."""

_TOTALS = (
    "dau",
    "wau",
    "mau",
    "mau_previous",
    "user_days",
    "events_28d",
    "events_previous_28d",
    "events_84d",
    "sessions_28d",
    "minutes_28d",
)
_DAYS = "active_days_28d"


Read = Sequence[tuple[Iterable[Any], tuple[str, ...]]]
"""Rows of customers, each with the facts it has of them."""


async def read(connection: Connection, window: Window, memory: UseInMemory | None = None) -> Read:
    """What takes long: everybody's use of 84 days."""
    if memory is not None:
        return [(memory.used(window), (*_TOTALS, _DAYS))]
    return [
        ((await connection.execute(_users(window))).all(), _TOTALS),
        ((await connection.execute(_days(window))).all(), (_DAYS,)),
    ]


async def add(connection: Connection, window: Window, columns: Columns, known: set[str], parts: Read) -> None:
    """Add the facts of `NAMES`, of what was `read`; `known` customers without use have zeros."""
    for found, names in parts:
        rows = [row for row in found if row.customer_id in known]
        columns.fill(rows, names, absent=dict.fromkeys(names, 0.0), of=known)
    last = [row for row in await connection.execute(_last_days(window)) if row.customer_id in known]
    columns.take_days(last, "last_day", "days_since_active", lambda on: (window.day - on).days)
    # in which order rows are added is the database's business: beyond the sixth place sums of minutes tell that, and no use
    columns.derive("minutes_28d", lambda minutes: None if minutes is None else round(minutes, 6), "minutes_28d")
    columns.derive("mean_dau_28d", lambda days: None if days is None else days / 28, "user_days")
    columns.derive("usage_trend", _trend, "events_28d", "events_previous_28d", "tenure_days")
    columns.derive("logins_per_user_week", lambda n, users: _each(n, users, 4), "sessions_28d", "mau")
    columns.derive("events_per_user_28d", _each, "events_28d", "mau")
    columns.derive("events_per_user_previous_28d", _each, "events_previous_28d", "mau_previous")
    columns.derive(
        "depth_trend",
        _depth_trend,
        "events_per_user_28d",
        "events_per_user_previous_28d",
        "events_previous_28d",
        "tenure_days",
    )
    columns.derive("stickiness", lambda days, users: _each(days, users, 28), "user_days", "mau")
    columns.derive("minutes_per_session", share, "minutes_28d", "sessions_28d")


def _each(total: float | None, users: float | None, parts: int = 1) -> float | None:
    if total is None or users is None:
        return None
    return total / users / parts if users else 0.0


def _trend(now: float | None, before: float | None, tenure: float | None) -> float | None:
    young = tenure is not None and tenure < TREND_TENURE
    return None if young else change(now, before, base=TREND_BASE)


def _depth_trend(
    now: float | None, before: float | None, events_before: float | None, tenure: float | None
) -> float | None:
    """The trend of events a user, where there is a trend of events at all."""
    return None if _trend(0.0, events_before, tenure) is None else change(now, before, base=0.0)


def _used(window: Window, days: int) -> ColumnElement[bool]:
    use = user_activity_day.c
    return and_(
        window.known_of_asked(user_activity_day), use.day >= window.first(days), use.day <= window.day, use.events > 0
    )


def _users(window: Window) -> Any:
    """Per customer, over what each user did in 84 days."""
    use = user_activity_day.c
    day28, day56 = window.first(28), window.first(56)
    last28, before = use.day >= day28, and_(use.day >= day56, use.day < day28)

    def total(condition: ColumnElement[bool], value: Any) -> Any:
        return func.sum(case((condition, value), else_=0))

    user = (
        select(
            use.customer_id,
            func.max(use.day).label("last_day"),
            func.count(case((last28, use.day)).distinct()).label("days"),
            total(last28, use.events).label("events"),
            total(before, use.events).label("events_before"),
            func.sum(use.events).label("events_84d"),
            total(last28, use.sessions).label("sessions"),
            total(last28, use.minutes).label("minutes"),
        )
        .where(_used(window, 84))
        .group_by(use.customer_id, use.user_key)
        .subquery()
    ).c

    def users(condition: ColumnElement[bool]) -> Any:
        return func.sum(case((condition, 1), else_=0))

    return select(
        user.customer_id,
        users(user.last_day == window.day).label("dau"),
        users(user.last_day >= window.first(7)).label("wau"),
        users(user.last_day >= day28).label("mau"),
        users(user.events_before > 0).label("mau_previous"),
        func.sum(user.days).label("user_days"),
        func.sum(user.events).label("events_28d"),
        func.sum(user.events_before).label("events_previous_28d"),
        func.sum(user.events_84d).label("events_84d"),
        func.sum(user.sessions).label("sessions_28d"),
        func.sum(user.minutes).label("minutes_28d"),
    ).group_by(user.customer_id)


def _days(window: Window) -> Any:
    use = user_activity_day.c
    return (
        select(use.customer_id, func.count(use.day.distinct()).label("active_days_28d"))
        .where(_used(window, 28))
        .group_by(use.customer_id)
    )


def _last_days(window: Window) -> Any:
    """The last day of use, however long ago: one step into the index for each customer."""
    use = user_activity_day.c
    last: Any = (
        select(use.day)
        .where(
            use.customer_id == customer.c.id,
            use.day <= window.day,
            use.events > 0,
            use.learned_at < window.end,
            use.deleted.is_(False),
        )
        .order_by(use.day.desc())
        .limit(1)
        .scalar_subquery()
    )
    return select(customer.c.id.label("customer_id"), last.label("last_day")).where(
        window.asked(customer.c.id), customer.c.merged_into_id.is_(None)
    )
