"""From a model's log-odds to a probability: a line through them, and a level that is today's.

    Platt   slope and intercept by logistic regression on customers whom the model judged had not seen
    level   the churn rate drifts, and the newest labels know best where it is; but few labels say little. The intercept moves
            by what the newest snapshot shows against those predictions, held back by the belief that it seldom moves by more
            than a tenth (`DRIFT`, log-odds). Thousands of customers move it nearly all the way, some hundreds a little.

Below 50 customers who left, nothing is calibrated: the line would be noise.
"""

from dataclasses import dataclass

import numpy as np

from scoring.evaluation import Flags, Integers
from scoring.facts import Floats

DRIFT = 0.1
FARTHEST = 15.0
FLATTEST = 0.01


@dataclass(frozen=True, slots=True)
class Calibration:
    """Log-odds become slope * log-odds + intercept. The slope is positive, so the order stays."""

    slope: float = 1.0
    intercept: float = 0.0

    def probability(self, margin: Floats) -> Floats:
        return np.asarray(1 / (1 + np.exp(-(self.slope * margin + self.intercept))), dtype=np.float64)


def platt(margin: Floats, labels: Flags, *, known: bool) -> Calibration:
    """Logistic regression of the labels on the log-odds of held-out customers.

    known  whether customers are in several rows, so that those who are scored will mostly be known to the model

    Held-out customers show how sure a model may be of strangers; of customers whose earlier snapshots it has seen it may be
    surer. Where customers are known, a slope below one is therefore only gone half-way: on later snapshots all of it, and
    none of it, were each measured to be too much in some book, and half never to be far from the better.
    """
    from sklearn.linear_model import LogisticRegression  # a second to import, and most commands never get here

    model = LogisticRegression(C=np.inf, max_iter=1_000).fit(margin[:, None], labels)
    slope, intercept = float(model.coef_[0, 0]), float(model.intercept_[0])
    if slope < FLATTEST:
        # the model tells strangers nothing: nearly their rate for everybody, in the order it gave
        slope = FLATTEST
        intercept = _shift(slope * margin, float(labels.sum()))
    return Calibration((1 + slope) / 2, intercept / 2) if known and slope < 1 else Calibration(slope, intercept)


def level(calibration: Calibration, margin: Floats, labels: Flags, days: Integers) -> Calibration:
    """`calibration` with the level of the newest of `days`; margin are log-odds of held-out customers, all [n].

    The shift d is the most probable one where d is believed to be normal around 0 with deviation DRIFT:
    sum(labels - probability(d)) = d / DRIFT ** 2. With a single day there is no newer one, and nothing moves.
    """
    newest = days == days.max()
    if newest.all():
        return calibration
    line, left = calibration.slope * margin[newest] + calibration.intercept, int(labels[newest].sum())

    shift = _shift(line, left, held_back=1 / DRIFT**2)
    return Calibration(calibration.slope, calibration.intercept + shift)


def _shift(line: Floats, left: float, *, held_back: float = 0.0) -> float:
    """What to add to log-odds so that as many are expected to leave as `left`, less held_back times itself."""

    from scipy.optimize import brentq  # likewise

    def pull(shift: float) -> float:
        return float(left - (1 / (1 + np.exp(-(line + shift)))).sum() - held_back * shift)

    return float(brentq(pull, -FARTHEST, FARTHEST))
