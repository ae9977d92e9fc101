"""What a training came to, and how it is said."""

from dataclasses import dataclass
from datetime import date

from scoring.churn import PriorRate
from scoring.evaluation import Evaluation
from scoring.horizon import in_words


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """What training one horizon came to.

    version     kept in the registry; `is_new` is False where the same data had made it before
    shown       whether the model passed its gate; otherwise `why_not`, fit to show
    challenges  whether it is a challenger: it predicts beside the champion until it is promoted
    evaluation  on later snapshots, also of a model that was turned away; None where none could be made
    churned     distinct customers who left, among `customers` in `rows` rows of `snapshots` days
    share       of the customers that were learned from, where they were too many
    others      the same of the other horizons; this one is the primary's
    """

    version: str
    horizon: str
    is_new: bool
    shown: bool
    challenges: bool
    why_not: str | None
    evaluation: Evaluation | None
    by_customer: Evaluation | None
    prior: PriorRate
    snapshots: int
    first_day: date | None
    last_day: date | None
    rows: int
    customers: int
    churned: int
    share: float = 1.0
    others: tuple["Training", ...] = ()

    def lines(self) -> list[str]:
        """The training as lines of text, one horizon after the other."""
        span = f", {self.first_day} to {self.last_day}" if self.snapshots else ""
        sample = f" (a sample of {self.share:.0%})" if self.share < 1 else ""
        role = ", challenger of the champion" if self.challenges else ""
        learned = f"{self.rows} rows of {self.customers} customers{sample} on {self.snapshots} days{span}"
        lines = [
            f"Leaving {in_words(self.horizon)}:",
            f"{learned}; {self.churned} customers left",
            f"model {self.version}{role}" if self.shown else f"no model: {self.why_not}",
        ]
        if self.evaluation:
            lines += ["", *self.evaluation.lines()]
        if self.by_customer:
            lines += ["", *self.by_customer.lines()]
        prior = self.prior
        lines += ["", f"base rate {prior.rate:.1%} (90 % interval {prior.low:.1%} to {prior.high:.1%})"]
        for other in self.others:
            lines += ["", *other.lines()]
        return lines
