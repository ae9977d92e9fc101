"""Training: rows in, a model that earned its place out, or the reason why there is none.

    rows ─ split by time ─▶ earlier ── fit ──▶ judged on later ──▶ gate ──▶ fit on all rows ──▶ model
                              └─ nothing within horizon + lead of the later ones ─┘

The split is by time, because the model is used on days after those it learned from, and because a customer is in many
rows: dividing rows at random would let it recognise customers it had seen (measured: ROC-AUC .88 where .70 is true). The
gap keeps the label window of every row learned from before the first day judged. A second evaluation divides by customer.
With a single snapshot day there is nothing later, and the gate stays closed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from hashlib import blake2b
from typing import Literal

import numpy as np
import numpy.typing as npt
import orjson

from scoring.appraisal import appraise
from scoring.churn import Confidence, PriorRate
from scoring.churn_definition import ChurnDefinition
from scoring.evaluation import Evaluation, Integers, evaluate
from scoring.facts import Floats
from scoring.fitting import Fitted, fit
from scoring.horizon import days_of
from scoring.learner import FEWEST_CHURNED, NORMAL_CHURNED, Learner, Rows, learner_for, settings
from scoring.search import told as searched
from scoring.splits import split_by_time

UNKNOWN_TERM = 182.0
"""Days to a renewal where nobody's is known: the middle of a year."""


@dataclass(frozen=True, slots=True)
class Fates:
    """What is known of each row beside what is learned from it, for judging.

    segments  str[n], as of the row's day; "" where there is none
    left_on   int64[n], the ordinal the customer next left on; outcomes.NEVER for who did not
    """

    segments: npt.NDArray[np.str_]
    left_on: Integers


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """What came of it.

    fitted           the model, of all rows; None without one that passed the gate
    why_not          in that case the reason, fit to show
    evaluation       on later snapshots; also of a model that was turned away
    by_customer      on customers held out, the secondary evaluation
    prior            the book's own rate
    """

    fitted: Fitted | None
    why_not: str | None
    confidence: Confidence
    evaluation: Evaluation | None
    by_customer: Evaluation | None
    prior: PriorRate
    rows: int
    churned: int


def snapshot_days(*, first: date, until: date, months: int) -> list[date]:
    """The newest `months` month starts from `first` to `until`, oldest first."""
    days: list[date] = []
    day = until.replace(day=1)
    while day >= first and len(days) < months:
        days.append(day)
        day = (day - timedelta(days=1)).replace(day=1)
    return days[::-1]


def prior_rate(rows: Rows, definition: ChurnDefinition, horizon: str) -> PriorRate:
    """The churn rate of the newest snapshot day and those before it that are a whole horizon apart, so that no span counts
    twice; of the renewal, every renewal once."""
    if (days := days_of(horizon)) is None:
        _, chosen = np.unique(np.column_stack([rows.customers, rows.ends]), axis=0, return_index=True)
        labels = rows.labels[chosen]
        span = float((rows.ends - rows.days).mean()) if len(rows) else UNKNOWN_TERM
    else:
        whole: list[int] = []
        for day in np.unique(rows.days)[::-1].tolist():
            if not whole or whole[-1] - day >= days:
                whole.append(day)
        labels, span = rows.labels[np.isin(rows.days, whole)], days
    return PriorRate.of(churned=int(labels.sum()), rows=len(labels), days=span, definition=definition)


def train(rows: Rows, definition: ChurnDefinition, horizon: str, *, fates: Fates | None = None) -> Trained:
    """Learn from `rows`, judge, and keep the model if its gate opens. The same rows give the same bytes."""
    churned = rows.churned
    result = Trained(
        fitted=None,
        why_not=None,
        confidence="prior",
        evaluation=None,
        by_customer=None,
        prior=prior_rate(rows, definition, horizon),
        rows=len(rows),
        churned=churned,
    )
    learner = learner_for(rows.rarer)
    if learner is None:
        return replace(result, why_not=too_few(rows))
    judged = _judge(rows, learner, definition, fates)
    if isinstance(judged, str):
        return replace(result, why_not=judged)
    if fault := judged.closed_because(definition.gate):
        return replace(result, evaluation=judged, why_not=f"the model is not shown to beat the base rate: {fault}")
    fitted = fit(rows, learner)
    by_customer = None
    if fitted.held_out is not None:
        by_customer = _evaluate(rows, fitted.held_out, "other customers", definition, None)
    return replace(
        result,
        fitted=fitted,
        confidence="normal" if churned >= NORMAL_CHURNED else "low",
        evaluation=judged,
        by_customer=by_customer,
    )


def _judge(rows: Rows, learner: Learner, definition: ChurnDefinition, fates: Fates | None) -> Evaluation | str:
    """The evaluation on later snapshots, or why it can't be made."""
    split = split_by_time(rows.days, rows.ends, test_share=definition.snapshots.test_share)
    if split is None:
        gap = int((rows.ends - rows.days).min())
        return f"the history is too short to judge a model on snapshots {gap} days later than those it learned from"
    earlier, later = (rows.where(mask) for mask in split)
    for part, name in ((earlier, "earlier"), (later, "later")):
        if not 0 < part.labels.sum() < len(part):
            return f"nobody, or everybody, left in the {name} snapshots, and a model can't be judged"
    probability = fit(earlier, learner).probability(later.matrix)
    known = fates and Fates(fates.segments[split[1]], fates.left_on[split[1]])
    return _evaluate(later, probability, "later snapshots", definition, known)


def _evaluate(
    rows: Rows, probability: Floats, split: str, definition: ChurnDefinition, fates: Fates | None
) -> Evaluation:
    bootstraps = definition.gate.bootstraps
    found = evaluate(
        rows.labels, probability, customers=rows.customers, days=rows.days, split=split, bootstraps=bootstraps
    )
    return appraise(
        found,
        rows.labels,
        probability,
        customers=rows.customers,
        days=rows.days,
        ends=rows.ends,
        segments=fates.segments if fates else None,
        left_on=fates.left_on if fates else None,
        bootstraps=bootstraps,
    )


def version_of(
    rows: Rows, customers: Sequence[str], definition: ChurnDefinition, horizon: str, *, kind: Literal["xgb", "prior"]
) -> str:
    """The name of what training on `rows` made: the same rows, definition and library give the same name.

    customers  ids in the order of the codes in rows.customers
    """
    import xgboost  # a second, and most commands never get here

    digest = blake2b(digest_size=4)
    for part in (rows.matrix, rows.labels, rows.customers, rows.days):
        digest.update(np.ascontiguousarray(part).tobytes())
    learner = learner_for(rows.rarer)
    told = settings(learner, rows.signs, len(rows)) | {"trees": learner.trees, "or": searched()} if learner else {}
    digest.update(
        orjson.dumps(
            [
                list(rows.names),
                list(customers),
                told,
                definition.model_dump(exclude={"bands", "reasons", "horizons", "promotion"}),
                horizon,
                xgboost.__version__,
            ]
        )
    )
    newest = date.fromordinal(int(rows.days.max())).isoformat() if len(rows) else "untrained"
    return f"{kind}-{horizon}-{newest}-{digest.hexdigest()}"


def too_few(rows: Rows) -> str:
    """Why there is no learner for these rows."""
    count, did = (rows.churned, "left") if rows.churned < FEWEST_CHURNED else (rows.rarer, "stayed")
    who = "1 customer has" if count == 1 else f"{count} customers have"
    return f"{who} {did} so far, and {FEWEST_CHURNED} are needed to learn from"
