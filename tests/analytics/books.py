"""Customers, terms, answers and deals in a few words, as rows of a store."""

from datetime import UTC, date, datetime, time
from typing import Any

from hub.analytics import Month, Report, Request, Value, measure
from hub.store import Store, tables
from tests.schema.company import insert, record

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
OCTOBER = Month(2026, 10)
BEFORE, INSIDE, AFTER = date(2026, 3, 1), date(2026, 10, 10), date(2026, 11, 1)


class Books:
    """Writes to a store and measures it."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._count = 0

    async def customers(self, *names: str, **columns: Any) -> None:
        rows = [
            {"id": name, "name": name.upper(), "segment": None, "csm_email": None, "created_at": NOW, "updated_at": NOW}
            | {column: values.get(name) for column, values in columns.items()}
            for name in names
        ]
        await insert(self.store, tables.customer, rows)

    async def term(self, customer: str, mrr: float, start: date, end: date | None = None, **columns: Any) -> None:
        plain = {"plan": "Pro", "currency": "USD", "seats_purchased": None, "renews_on": None, "status": "active"}
        row = {**plain, "mrr": mrr, "started_on": start, "ended_on": end, "cancellation_kind": None, **columns}
        await self._put(tables.subscription, customer, **row)

    async def moves(self, **customers: tuple[float, float]) -> None:
        """Customers who pay one amount a month before October 2026 and another from its 10th day; 0 is no term."""
        await self.customers(*customers)
        for name, (start, end) in customers.items():
            if start:
                await self.term(name, start, BEFORE, INSIDE)
            if end:
                await self.term(name, end, INSIDE)

    async def answer(
        self, customer: str | None, score: float, *, day: date = INSIDE, of: str | None = None, **columns: Any
    ) -> None:
        at = datetime.combine(day, time(12), UTC)
        row = {"type": "nps", "scale": "0-10", "score": score, "respondent_email": of, "responded_at": at, **columns}
        await self._put(tables.survey_response, customer, **row)

    async def deal(self, customer: str, stage: str, amount: float, target: float | None, **columns: Any) -> None:
        row = {"name": "Renewal", "type": "renewal", "currency": "USD", "close_on": INSIDE, **columns}
        await self._put(tables.opportunity, customer, **row, stage=stage, amount=amount, target_amount=target)

    async def use(self, customer: str, day: date, *, users: int, feature: str | None = None) -> None:
        if feature is not None:
            row = {"feature": feature, "day": day, "events": 1, "users": users}
            await self._put(tables.feature_usage_day, customer, **row)
        for user in range(users):
            row = {"user_key": f"u{user}", "day": day, "events": 1, "sessions": 1, "minutes": 1.0}
            await self._put(tables.user_activity_day, customer, **row)

    async def _put(self, table: Any, customer: str | None, **columns: Any) -> None:
        self._count += 1
        await insert(self.store, table, [record("any", f"{self._count:05}", customer, **columns)])

    async def measure(self, *metrics: str, first: Month = OCTOBER, last: Month = OCTOBER, **asked: Any) -> Report:
        return await measure(self.store, Request(first=first, last=last, metrics=metrics, **asked), now=NOW)

    async def value(self, metric: str, *, basis: str | None = None, **asked: Any) -> Value:
        """The only value of a metric (on a basis)."""
        report = await self.measure(metric, **asked)
        (found,) = [value for value in report.values if basis in (None, value.definition.basis)]
        return found
