"""What a backtest found: the tried and the live side by side, as data and as lines of text."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

from scoring.backtest import NEEDED, Difference, Judged
from scoring.evaluation import Estimate

WORDS: Mapping[str, tuple[str, str]] = {
    "pr_auc": ("PR-AUC", "{:.3f}"),
    "roc_auc": ("ROC-AUC", "{:.3f}"),
    "lift": ("lift at 10 %", "{:.2f}"),
    "green_at_churn": ("green at churn", "{:.1%}"),
    "warned": ("warned before churn", "{:.1%}"),
    "warning_lead": ("warning lead, median days", "{:.0f}"),
    "alerts_per_csm_week": ("alerts per CSM and week", "{:.2f}"),
    "coverage": ("coverage", "{:.1%}"),
    "withheld": ("without a score", "{:.1%}"),
}
"""Each metric as people read it, and how its number is written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """The customers of a segment; `too_few` says why nothing is measured against their leaving, else None."""

    name: str
    customers: int
    churned: int
    base_rate: float | None
    judged: Mapping[str, Judged]
    too_few: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was replayed, and what came of it.

    what         "definition", "book", "playbook" or "condition"; "live" where the live definitions were judged alone
    names        the candidates, the tried one first; keys of `judged`
    hashes       of the definitions behind each candidate
    rows         customer-days at stake whose outcome is known; `base_rate`: the share that left within the horizon
    customers, churned   distinct customers in those rows, and how many of them left
    leavings     of all customers replayed, within the days
    stored_days  of `days`, those whose facts are those of scorecards
    differences  {metric: tried minus live}; empty without a tried one
    too_few      why nothing is measured against leaving; None where enough customers left
    peeks        what knows the future, where that was allowed; cautions: what to bear in mind
    """

    what: str
    names: tuple[str, ...]
    hashes: Mapping[str, tuple[str, ...]]
    every: str
    first_day: date
    last_day: date
    days: int
    stored_days: int
    horizon: int
    lead: int
    rows: int
    customers: int
    churned: int
    leavings: int
    base_rate: float | None
    csms: float
    judged: Mapping[str, Judged]
    differences: Mapping[str, Difference]
    segments: tuple[Segment, ...]
    too_few: str | None
    peeks: tuple[str, ...] = ()
    cautions: tuple[str, ...] = field(default=())

    def as_json(self) -> dict[str, Any]:
        """Plain data; numbers that could not be measured are left out."""
        plain: dict[str, Any] = asdict(self)
        return plain | {"first_day": self.first_day.isoformat(), "last_day": self.last_day.isoformat()}

    def lines(self) -> list[str]:
        """The report as lines of text."""
        lines = [*self._head(), "", *_table(self.names, self.judged, self.differences)]
        for name in self.names:
            lines += ["", f"{name}: who left within {self.horizon} days, of each band"]
            lines += [
                f"  {rate.name:<24}{_rate(rate.rate):>8}  {_span(rate.low, rate.high):<20} {rate.left} of {rate.rows}"
                for rate in self.judged[name].bands
            ]
        for segment in self.segments:
            share = f"{segment.churned} left, {segment.base_rate:.1%} of rows" if segment.base_rate is not None else "-"
            lines += ["", f"segment {segment.name}: {segment.customers} customers, {share}"]
            lines += [f"  {segment.too_few}"] if segment.too_few else []
            lines += _table(self.names, segment.judged, {})
        lines += ["", f"PR-AUC of chance is the base rate, {_rate(self.base_rate)}. Intervals hold 90 %, by customer."]
        return lines

    def _head(self) -> list[str]:
        base = "" if self.base_rate is None else f" ({self.base_rate:.1%} of rows)"
        head = [f"PEEKS INTO THE FUTURE: {peek}" for peek in self.peeks]
        head.append(
            f"{self.days} days, every {self.every}, {self.first_day} to {self.last_day}; "
            f"{self.stored_days} of them from scorecards as they were, the others from records as they were known"
        )
        head.append(
            f"{self.rows} rows of {self.customers} customers at stake; {self.churned} of them left within "
            f"{self.horizon} days{base}; {self.leavings} leavings in all"
        )
        head += [f"caution: {caution}" for caution in self.cautions]
        return head + ([self.too_few] if self.too_few else [])


def too_few(churned: int) -> str | None:
    """Why nothing is measured against leaving."""
    if churned >= NEEDED:
        return None
    return (
        f"{churned} customer{'s' if churned != 1 else ''} left among those at stake, and {NEEDED} are needed to measure "
        "anything against their leaving: look further back (months), or wait"
    )


def _table(names: tuple[str, ...], judged: Mapping[str, Judged], differences: Mapping[str, Difference]) -> list[str]:
    if not judged:
        return []
    head = f"{'':<28}" + "".join(f"{name:<30}" for name in names) + ("tried minus live" if differences else "")
    rows = [head.rstrip()]
    for metric, (words, form) in WORDS.items():
        if any(metric in judged[name].metrics for name in names):
            cells = [_cell(judged[name].metrics.get(metric), form) for name in names]
            rows.append(
                (
                    f"{words:<28}" + "".join(f"{cell:<30}" for cell in cells) + _apart(differences.get(metric), form)
                ).rstrip()
            )
    return rows


def _cell(estimate: Estimate | None, form: str) -> str:
    if estimate is None:
        return "-"
    return f"{form.format(estimate.value)} ({form.format(estimate.low)} to {form.format(estimate.high)})"


def _apart(difference: Difference | None, form: str) -> str:
    if difference is None:
        return ""
    signed = form.replace(":", ":+")
    span = f"{signed.format(difference.low)} to {signed.format(difference.high)}"
    return f"{signed.format(difference.value)} ({span}): {difference.verdict}"


def _rate(rate: float | None) -> str:
    return "-" if rate is None else f"{rate:.1%}"


def _span(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"({low:.1%} to {high:.1%})"
