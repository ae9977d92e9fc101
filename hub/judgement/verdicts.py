"""What became of the customers that CSMs judged: overrides and sentiment apart, of everybody and of each CSM."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np

from hub.store import Store
from hub.store.judgement import Kind, find_judged
from hub.store.labels import find_churned
from scoring.judgement import Judgements, Verdict, judge
from scoring.outcomes import Churns

KINDS: tuple[Kind, ...] = ("override", "sentiment")
YEARS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """Of one kind of statement: `overall`, and {CSM: verdict} in order of name.

    left_out  how many are left out: of customers who did not pay at the time, or had given notice
    until     judgements whose horizon is over by this day have matured: churn is certain up to it
    """

    kind: Kind
    horizon_days: int
    since: date
    until: date
    left_out: int
    overall: Verdict
    by_csm: Mapping[str, Verdict]


async def judge_statements(
    store: Store, *, horizon_days: int, grace_days: int, now: datetime, since: date | None = None
) -> list[Judged]:
    """Judge overrides, then sentiment, stated since a day (default: the last three years) by who left within the horizon.

    Counted are those stated of customers who paid at the time and had not given notice. grace_days: who pays again within
    so many days has not left.
    """
    today = now.date()
    until = today - timedelta(days=grace_days + 1)  # who left later may yet be back within the grace
    first = since or today - timedelta(days=365 * YEARS)
    async with store.reading() as connection:
        stated = {kind: await find_judged(connection, kind, since=first) for kind in KINDS}
        found = await find_churned(connection, until=today, grace_days=grace_days)
    churns = Churns.of(found["customer_id"], found["churned_on"], [kind == "involuntary" for kind in found["kind"]])

    def verdicts() -> list[Judged]:
        return [
            _judged(kind, columns, churns, horizon_days=horizon_days, since=first, until=until)
            for kind, columns in stated.items()
        ]

    return await asyncio.to_thread(verdicts)


def _judged(
    kind: Kind, stated: Mapping[str, list[Any]], churns: Churns, *, horizon_days: int, since: date, until: date
) -> Judged:
    undecided = np.array(stated["undecided"], dtype=np.bool_)
    judgements = Judgements.of(**{name: column for name, column in stated.items() if name != "undecided"})
    judgements = judgements.where(undecided)
    return Judged(
        kind=kind,
        horizon_days=horizon_days,
        since=since,
        until=until,
        left_out=int((~undecided).sum()),
        overall=judge(judgements, churns, horizon_days=horizon_days, until=until),
        by_csm={
            name: judge(own, churns, horizon_days=horizon_days, until=until)
            for name, own in judgements.by_author().items()
        },
    )
