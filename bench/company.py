"""A company with many customers, written straight into a store as its sources would have brought it: the same for the same
seed and size.

Of a customer there are some users and features, each of which comes on some of the last 84 days; tickets, answers, contacts,
subscriptions and invoices. Customers differ in how much they use, and a few use less than they did. About 45 rows a customer.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np

from hub.store import Store
from hub.store.bulk import upsert_rows
from hub.store.tables import (
    RECORD_TABLES,
    customer,
    sync_run,
)

DAYS = 84
FEATURES = 20
SEGMENTS = ("enterprise", "midmarket", "smb")
PLANS = ("Basic", "Pro", "Team")
Row = dict[str, Any]


def moment(day: date, hour: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


class Company:
    """Rows of `customers` customers, until the end of `until`."""

    def __init__(self, customers: int, until: date) -> None:
        self.customers = customers
        self.until = until
        self.random = np.random.default_rng(7)
        self.ids = [f"c{i:06}" for i in range(customers)]
        self.began = until - timedelta(days=900)
        self.liveliness = self.random.gamma(2, 0.055, customers).clip(0, 0.8)
        self.fading = self.random.random(customers) < 0.1

    def record(self, source: str, key: str, place: int, at: datetime, **values: Any) -> Row:
        return {
            "id": f"{source}:{key}",
            "source": source,
            "key": key,
            "company_key": str(place),
            "customer_id": self.ids[place],
            "version": int(at.timestamp() * 1000),
            "digest": place,
            "learned_at": at,
            "synced_at": at,
            **values,
        }

    def profiles(self) -> list[Row]:
        at = moment(self.began)
        return [
            {
                "id": id_,
                "name": f"Company {i}",
                "segment": SEGMENTS[i % 3],
                "csm_email": f"csm{i % 200}@us.example",
                "parent_id": self.ids[i - i % 50] if i % 50 in (1, 2) else None,
                "became_customer_on": self.began + timedelta(days=i % 800),
                "created_at": at,
                "updated_at": at,
            }
            for i, id_ in enumerate(self.ids)
        ]

    def companies(self) -> Iterator[Row]:
        at = moment(self.began)
        for source in ("crm", "helpdesk", "product"):
            for i in range(self.customers):
                yield self.record(
                    source, str(i), i, at, name=f"Company {i}", domains=[f"company{i}.example"], state="matched",
                    segment=SEGMENTS[i % 3], csm_email=f"csm{i % 200}@us.example",
                )  # fmt: skip

    def contacts(self) -> Iterator[Row]:
        at = moment(self.began)
        seen = self.random.integers(1, 120, self.customers).tolist()
        for i in range(self.customers):
            for part, role in enumerate(("champion", "executive") if i % 2 else ("champion",)):
                last = moment(self.until - timedelta(days=seen[i]), 9)
                yield self.record(
                    "crm", f"p{i}-{part}", i, at, role=role, name="A Person", last_seen_at=last, created_at=at
                )

    def subscriptions(self) -> Iterator[Row]:
        for i in range(self.customers):
            started = self.began + timedelta(days=i % 800)
            yield self.record(
                "crm", f"s{i}", i, moment(started), plan=PLANS[i % 3], mrr=100.0 + i % 900, currency="EUR",
                seats_purchased=3 + i % 12, started_on=started, renews_on=started + timedelta(days=365 * (1 + i % 3)),
                auto_renew=True, status="active",
            )  # fmt: skip

    def invoices(self) -> Iterator[Row]:
        for i in range(self.customers):
            for month in range(2):
                issued = self.until - timedelta(days=20 + 30 * month + i % 7)
                failed = moment(issued, 12) if (i + month) % 40 == 0 else None
                yield self.record(
                    "crm", f"i{i}-{month}", i, moment(issued), amount=100.0, currency="EUR", issued_on=issued,
                    paid_at=None if failed else moment(issued, 10), failed_at=failed, attempts=1,
                    status="failed" if failed else "paid",
                )  # fmt: skip

    def tickets(self) -> Iterator[Row]:
        owners = np.sort(self.random.integers(0, self.customers, self.customers * 2)).tolist()
        ago = self.random.integers(0, 200, len(owners)).tolist()
        for number, (i, days) in enumerate(zip(owners, ago, strict=True)):
            at = moment(self.until - timedelta(days=days), 8)
            solved = at + timedelta(hours=3 + number % 60) if number % 8 else None
            yield self.record(
                "helpdesk", f"t{number}", i, at, status="solved" if solved else "open", created_at=at,
                severity=("low", "normal", "high", "urgent")[number % 4], solved_at=solved, reopens=int(number % 11 == 0),
                first_response_minutes=20.0 + number % 300, replies=2,
            )  # fmt: skip

    def answers(self) -> Iterator[Row]:
        owners = np.sort(self.random.integers(0, self.customers, self.customers)).tolist()
        ago = self.random.integers(0, 170, len(owners)).tolist()
        for number, (i, days) in enumerate(zip(owners, ago, strict=True)):
            at = moment(self.until - timedelta(days=days), 15)
            of = {"type": "nps", "scale": "0-10", "score": float(number % 11)} if number % 2 else {
                "type": "csat", "scale": "1-5", "score": float(1 + number % 5)}  # fmt: skip
            yield self.record("helpdesk", f"a{number}", i, at, respondent_email="p@x.example", responded_at=at, **of)

    def use(self, kind: str, part: str, most: int, share: float, values: Row) -> Iterator[Row]:
        """Day after day, as a source would bring it: which of a customer's users or features were there."""
        parts = 1 + self.random.binomial(most - 1, 0.3, self.customers)
        owner = np.repeat(np.arange(self.customers), parts)
        number = np.arange(len(owner)) - np.repeat(np.cumsum(parts) - parts, parts)
        named = (number + owner) % FEATURES if part == "feature" else number
        for ago in reversed(range(DAYS)):
            day = self.until - timedelta(days=ago)
            at, chance = moment(day, 23), self.liveliness[owner] * share
            if ago < 28:
                chance = np.where(self.fading[owner], chance / 4, chance)
            there = np.flatnonzero(self.random.random(len(owner)) < chance)
            events = self.random.poisson(12, len(there)) + 1
            for i, n, many in zip(owner[there].tolist(), named[there].tolist(), events.tolist(), strict=True):
                key = f"{kind}{i}-{n}-{day:%y%m%d}"
                yield self.record("product", key, i, at, day=day, events=many, **{part: f"{part} {n}"}, **values)

    def records(self) -> dict[str, Iterator[Row]]:
        """{kind of record: rows}."""
        return {
            "company": self.companies(),
            "contact": self.contacts(),
            "subscription": self.subscriptions(),
            "invoice": self.invoices(),
            "ticket": self.tickets(),
            "survey_response": self.answers(),
            "user_activity_day": self.use("u", "user_key", 6, 1.0, {"sessions": 2, "minutes": 14.0}),
            "feature_usage_day": self.use("f", "feature", 10, 0.35, {"users": 2}),
        }

    def syncs(self) -> list[Row]:
        """A sync of each source on each of the last days."""
        rows = []
        for ago in range(10):
            at = moment(self.until - timedelta(days=ago), 4)
            for source in ("crm", "helpdesk", "product"):
                counts = dict.fromkeys(("pulled", "new", "changed", "unchanged", "quarantined"), 0)
                rows.append(
                    {"id": f"{source}-{ago}", "source": source, "state": "succeeded", "started_at": at,
                     "finished_at": at, "streams": {}, **counts}
                )  # fmt: skip
        return rows


BATCH = 20_000


async def fill(store: Store, company: Company) -> dict[str, int]:
    """Write all of it; {kind of record: rows}."""
    counts = {}
    async with store.transaction() as connection:
        await connection.execute(customer.insert(), company.profiles())
        await connection.execute(sync_run.insert(), company.syncs())
    for kind, rows in company.records().items():
        counts[kind] = 0
        for batch in _batches(rows):
            async with store.transaction() as connection:
                await upsert_rows(connection, RECORD_TABLES[kind], batch)
            counts[kind] += len(batch)
    return counts


def _batches(rows: Iterator[Row]) -> Iterator[Sequence[Row]]:
    batch: list[Row] = []
    for row in rows:
        batch.append(row)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
