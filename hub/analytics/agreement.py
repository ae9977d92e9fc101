"""Churn counted in two ways, and every customer the two differ on, with why.

Retention compares two days: who paid on the day before a period and pays nothing on its last day has churned. The churn
rule of the risk model (hub.store.labels) looks at events: the first day without a paid term, unless one begins again within
the grace. Both are right about their own question and they differ on purpose, in these cases alone:

    grace_running   gone at the end of the period, and the grace is not over today: not certain yet
    back_in_grace   gone on the last day, and paying again within the grace
    back_later      left in the period and came back before it ended, after the grace: an event, but retained
    began_inside    began and left inside the period: an event, but never in the cohort
    left_again      counted once by retention, and once for each time it left
"""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.analytics.months import Period, periods
from hub.analytics.records import read
from hub.analytics.request import Request
from hub.store import Store

WHY = {
    "grace_running": "gone at the end, but may still return within the grace",
    "back_in_grace": "gone at the end, but paying again within the grace",
    "back_later": "left after all, but came back before the period ended",
    "began_inside": "began and left inside the period",
    "left_again": "left more than once in the period",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A customer that one way counts oftener than the other. `surplus`: events less 1 or 0 of the cohort."""

    customer_id: str
    customer_name: str
    case: str
    surplus: int

    @property
    def why(self) -> str:
        return WHY[self.case]


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """cohort + sum of the differences' surplus == events."""

    period: Period
    grace_days: int
    cohort: int
    events: int
    differences: tuple[Difference, ...]


async def agree(store: Store, request: Request, *, now: datetime) -> tuple[Agreement, ...]:
    """Churned customers of each period in both ways. Errors as `measure` has them."""
    today = now.date()
    request.check(today)
    spans = periods(request.first, request.last, monthly=request.monthly, today=today)
    async with store.reading() as connection:
        records = await read(connection, request, spans, needs={"terms", "events"}, now=now)
    found = []
    for span in spans:
        balances = records.book.balances(span, None)
        gone = set(records.book.ids[balances.churned])
        cohort = set(records.book.ids[balances.cohort])
        pairs = zip(records.events["customer_id"], records.events["churned_on"], strict=True)
        times = Counter(customer for customer, day in pairs if span.first <= day <= span.last)
        paying = set(records.book.ids[records.book.mrr(today, None) > 0])
        over = span.last + timedelta(days=request.grace_days) < today
        differences = []
        for customer in sorted(gone | set(times)):
            surplus = times[customer] - (customer in gone)
            if surplus:
                back = over or customer in paying
                case = _case(surplus, gone=customer in gone, member=customer in cohort, back=back)
                name = records.names.get(customer, customer)
                differences.append(Difference(customer_id=customer, customer_name=name, case=case, surplus=surplus))
        found.append(
            Agreement(
                period=span,
                grace_days=request.grace_days,
                cohort=len(gone),
                events=times.total(),
                differences=tuple(differences),
            )
        )
    return tuple(found)


def _case(surplus: int, *, gone: bool, member: bool, back: bool) -> str:
    if surplus < 0:
        return "back_in_grace" if back else "grace_running"
    if gone:
        return "left_again"
    return "back_later" if member else "began_inside"
