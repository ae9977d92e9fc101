"""An event set through the pipeline: snapshots, a split by time, the learner by who left, its calibration and the gate."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from hub.errors import RefusedError
from scoring.churn_definition import ChurnDefinition
from scoring.datasets.eventset import EventSet
from scoring.datasets.flat import safe_names
from scoring.datasets.labels import Labels, grid, snapshots_a_month
from scoring.datasets.snapshots import Scheme, snapshot
from scoring.datasets.verdict import Verdict, choose, judge
from scoring.fitting import fit
from scoring.learner import Rows

PLANS = 8
FEWEST_CUSTOMERS = 10  # with a plan before it is a column


@dataclass(frozen=True, slots=True)
class Backtest:
    """earlier, later: the rows learned from and judged on."""

    earlier: Rows
    later: Rows

    @classmethod
    def of(
        cls,
        data: EventSet,
        definition: ChurnDefinition,
        *,
        train_until: date,
        test_from: date,
        active_within: int | None = None,
    ) -> "Backtest":
        """RefusedError says which days the data would allow, where the given ones leave one side empty.

        Nothing is learned from a day whose horizon reaches past `test_from`: its label would be of the time judged.
        """
        labels = Labels.of(data, definition, active_within=active_within)
        begin, horizon = int(data.events.days[0]), definition.primary_days
        if data.terms is not None:
            begin = min(begin, int(data.terms.starts.min()))
        days = grid(begin + definition.snapshots.minimum_tenure_days, labels.last_day, horizon_days=horizon)
        ahead = definition.lead_days + horizon
        early = [day for day in days if day <= min(train_until.toordinal(), test_from.toordinal() - ahead)]
        late = [day for day in days if day >= test_from.toordinal()]
        known = f"{date.fromordinal(data.known_until)}, the last day the data tell of (--known-until)"
        for chosen, what, end in (
            (early, f"learn from until {train_until}", str(test_from)),
            (late, f"judge on from {test_from}", known),
        ):
            if not chosen:
                span = f"{date.fromordinal(days[0])} to {date.fromordinal(days[-1])}" if days else "none"
                raise RefusedError(
                    f"there are no snapshots to {what} whose {ahead} days are over by {end}; the data allow: {span}"
                )
        early = early[-definition.snapshots.history_months * snapshots_a_month(horizon) :]
        scheme = _scheme(data, early[-1], definition)
        return cls(_rows(data, labels, early, scheme, ahead), _rows(data, labels, late, scheme, ahead))

    def as_json(self) -> dict[str, Any]:
        """What was learned from, and the first and last days of both sides."""
        return {
            "trained_on": {
                "n": len(self.earlier),
                "positives": int(self.earlier.labels.sum()),
                "churned": self.earlier.churned,
            },
            "train_days": _span(self.earlier),
            "test_days": _span(self.later),
        }

    def judge(self, definition: ChurnDefinition) -> Verdict:
        """RefusedError where the later rows are all of one kind."""
        for rows, which in ((self.earlier, "earlier"), (self.later, "later")):
            if not 0 < rows.labels.sum() < len(rows):
                raise RefusedError(
                    f"{int(rows.labels.sum())} of {len(rows)} rows of the {which} days left; nothing to judge"
                )
        learner = choose(self.earlier)
        if learner is None:
            probability = np.full(len(self.later), self.earlier.labels.mean())
        else:
            probability = fit(self.earlier, learner).probability(self.later.matrix)
        return judge(
            self.later.labels,
            probability,
            customers=self.later.customers,
            days=self.later.days,
            ends=self.later.ends,
            split="later snapshots",
            learner=learner,
            learned=self.earlier,
            features=len(self.later.names),
            gate=definition.gate,
        )


def _span(rows: Rows) -> list[str]:
    return [date.fromordinal(int(day)).isoformat() for day in (rows.days.min(), rows.days.max())]


def _scheme(data: EventSet, until: int, definition: ChurnDefinition) -> Scheme:
    """The events most customers have had and the plans many have had, by what is known on the last day learned from."""
    events = data.events
    end = int(np.searchsorted(events.days, until + 1))
    pairs = np.unique(events.kinds[:end] * len(data.customers) + events.customers[:end]) // len(data.customers)
    who = np.bincount(pairs, minlength=len(events.names))
    kinds = [int(kind) for kind in np.argsort(-who, kind="stable")[: definition.columns.product_features] if who[kind]]
    plans: Sequence[str] = ()
    if data.terms is not None and "plan" in definition.columns.texts:
        begun = (data.terms.starts <= until) & (data.terms.plans != "")
        names, codes = np.unique(data.terms.plans[begun], return_inverse=True)
        pairs = np.unique(codes * len(data.customers) + data.terms.customers[begun]) // len(data.customers)
        who = np.bincount(pairs, minlength=len(names))
        chosen = [at for at in np.argsort(-who, kind="stable")[:PLANS] if who[at] >= FEWEST_CUSTOMERS]
        plans = sorted(names[chosen].tolist())
    return Scheme(kinds, plans)


def _rows(data: EventSet, labels: Labels, days: Sequence[int], scheme: Scheme, ahead: int) -> Rows:
    parts, churned, customers, ordinals = [], [], [], []
    names: list[str] = []
    signs: list[int] = []
    for day in days:
        at_stake, left = labels.on(day)
        columns = snapshot(data, labels.first, day, scheme)
        who = np.flatnonzero(at_stake)
        parts.append(np.column_stack([values[who] for _, values in columns.values()]).astype(np.float32))
        churned.append(left[who])
        customers.append(who)
        ordinals.append(np.full(len(who), day))
        names, signs = list(columns), [sign for sign, _ in columns.values()]
    on = np.concatenate(ordinals)
    return Rows(
        safe_names(names),
        signs,
        np.concatenate(parts),
        np.concatenate(churned),
        np.concatenate(customers),
        on,
        on + ahead,
    )
