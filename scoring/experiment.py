"""What a randomised hold-out says: differences between treated and held-out customers, each with its 95 % interval.

    compared = proportions(left=12, of=840, left_held=4, of_held=93)      who churned
    compared = means(treated, held)                                       a change of health, or of revenue

Arrays or counts in, a `Difference` out; treated minus held out. Where the sample is too small for the interval to be trusted
the verdict is TOO_SMALL whatever the interval says, and `needed` tells how many customers more it would take to find an effect
that is worth finding. The level holds for one look at one outcome: who looks every day, or at twenty playbooks, will see a
false one sooner or later.

Sources. Proportions: Newcombe 1998, "Interval estimation for the difference between independent proportions", Statistics in
Medicine 17:873-890, method 10, of the score intervals of Wilson 1927, JASA 22:209-212. Means: the permutation distribution of
the studentised difference (Janssen 1997, Statistics & Probability Letters 36:9-21; Chung and Romano 2013, Annals of Statistics
41:484-507), which keeps its level for any distribution that both share, skewed ones included, where Welch's t does not; and is
as good as Welch's where variances differ. Sample sizes: Fleiss, Levin and Paik 2003, Statistical Methods for Rates and
Proportions, 3rd ed., 4.2, for unequal groups; for means the normal formula.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from scoring.facts import Floats

LEVEL = 0.95
POWER = 0.8
WORTH_FINDING = 0.3
"""A cut of the held-out customers' churn by so much of it."""
WORTH_FINDING_SPREADS = 0.2
"""Of means: a difference of so many standard deviations, which is called small (Cohen 1988)."""
FEWEST_EXPECTED = 5
"""Customers that are expected to leave, and to stay, in each group if there is no effect: with fewer nothing is said."""
FEWEST = 20
"""Customers in each group, for means."""
PERMUTATIONS = 2_000
TOO_SMALL, NO_DIFFERENCE, LOWER, HIGHER = "too small to tell", "no difference found", "lower", "higher"
_Z = NormalDist().inv_cdf((1 + LEVEL) / 2)
_Z_POWER = NormalDist().inv_cdf(POWER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Treated minus held out, of one outcome.

    treated, held_out    the share, or mean, of each group; None where it has nobody
    n_treated, n_held    customers
    value, low, high     the difference and its 95 % interval; None where it cannot be had
    verdict              TOO_SMALL, NO_DIFFERENCE, LOWER or HIGHER (treated than held out)
    needed               customers more, of both groups as they are parted now, for 80 % power to find the effect worth
                         finding; 0: there are enough; None: not known
    """

    treated: float | None
    held_out: float | None
    n_treated: int
    n_held: int
    value: float | None = None
    low: float | None = None
    high: float | None = None
    verdict: str = TOO_SMALL
    needed: int | None = None


def wilson(count: int, of: int) -> tuple[float, float]:
    """The 95 % score interval of a share; (0, 1) of nobody."""
    if of == 0:
        return 0.0, 1.0
    share, spread = count / of, _Z * _Z / of
    centre = (share + spread / 2) / (1 + spread)
    half = _Z * math.sqrt(share * (1 - share) / of + spread / (4 * of)) / (1 + spread)
    return max(centre - half, 0.0), min(centre + half, 1.0)


def newcombe(left: int, of: int, left_held: int, of_held: int) -> tuple[float, float]:
    """The 95 % interval of left / of - left_held / of_held; both groups must have somebody."""
    one, other = left / of, left_held / of_held
    (low, high), (low_held, high_held) = wilson(left, of), wilson(left_held, of_held)
    value = one - other
    return value - math.hypot(one - low, high_held - other), value + math.hypot(high - one, other - low_held)


def proportions(*, left: int, of: int, left_held: int, of_held: int) -> Difference:
    """The difference between the shares of who left."""
    shares = {
        "treated": left / of if of else None,
        "held_out": left_held / of_held if of_held else None,
        "n_treated": of,
        "n_held": of_held,
    }
    if not of or not of_held:
        return Difference(**shares)  # type: ignore[arg-type]  # shares and counts under their names
    low, high = newcombe(left, of, left_held, of_held)
    pooled = (left + left_held) / (of + of_held)
    expected = min(of, of_held) * min(pooled, 1 - pooled)
    return Difference(
        **shares,  # type: ignore[arg-type]  # likewise
        value=left / of - left_held / of_held,
        low=low,
        high=high,
        verdict=TOO_SMALL if expected < FEWEST_EXPECTED else _verdict(low, high),
        needed=_more(_enough(pooled, ratio=of / of_held), of, of_held),
    )


def needed_held_out(base: float, *, ratio: float = 1.0, cut: float = WORTH_FINDING) -> int | None:
    """Held-out customers it takes to find, with 80 % power at the 5 % level (two-sided), that churn is cut by `cut` of `base`.

    ratio  treated customers for each that is held out. None where `base` is 0 or 1: nothing is known then.
    """
    if not 0 < base < 1:
        return None
    treated = base * (1 - cut)
    mean = (base + ratio * treated) / (1 + ratio)
    root = _Z * math.sqrt((1 + 1 / ratio) * mean * (1 - mean)) + _Z_POWER * math.sqrt(
        base * (1 - base) + treated * (1 - treated) / ratio
    )
    return math.ceil((root / (base - treated)) ** 2)


def means(treated: Floats, held: Floats, *, permutations: int = PERMUTATIONS, seed: int = 0) -> Difference:
    """The difference between means, of float[n] and float[m] without NaN. The same arrays give the same interval."""
    n, m = len(treated), len(held)
    known = {
        "treated": float(treated.mean()) if n else None,
        "held_out": float(held.mean()) if m else None,
        "n_treated": n,
        "n_held": m,
    }
    if n < 2 or m < 2:
        return Difference(**known)  # type: ignore[arg-type]  # means and counts under their names
    value = float(treated.mean() - held.mean())
    error = math.sqrt(float(treated.var(ddof=1)) / n + float(held.var(ddof=1)) / m)
    below, above = _quantiles(np.concatenate([treated, held]), n, permutations=permutations, seed=seed)
    low, high = value - above * error, value - below * error
    return Difference(
        **known,  # type: ignore[arg-type]  # likewise
        value=value,
        low=low,
        high=high,
        verdict=TOO_SMALL if min(n, m) < FEWEST or error == 0 else _verdict(low, high),
        needed=_more(_enough_for_means(n / m), n, m),
    )


def _quantiles(everybody: Floats, n: int, *, permutations: int, seed: int) -> tuple[float, float]:
    """The 2.5 % and 97.5 % quantiles of the studentised difference when who is treated is drawn anew.

    The quantile is the next rarer one there is, and the groups as they were drawn count as one of the permutations: so the
    level is kept whatever their number. Only sums over the smaller group are drawn; the rest of the total is the larger's.
    """
    m = len(everybody) - n
    few = min(n, m)
    random = np.random.default_rng(seed)
    centred = everybody - everybody.mean()
    total, squares = centred.sum(), float((centred**2).sum())
    drawn = np.empty((permutations, 2))
    for row in range(permutations):
        chosen = centred[random.choice(len(centred), few, replace=False, shuffle=False)]
        drawn[row] = chosen.sum(), (chosen**2).sum()
    one, other = drawn[:, 0], total - drawn[:, 0]
    many = len(centred) - few
    spread = np.maximum(drawn[:, 1] - one**2 / few, 0) / (few - 1) / few
    spread += np.maximum(squares - drawn[:, 1] - other**2 / many, 0) / (many - 1) / many
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.where(spread > 0, (one / few - other / many) / np.sqrt(spread), 0.0)
    ordered = np.sort(t if few == n else -t)
    rare = max(math.floor((1 - LEVEL) / 2 * (permutations + 1)) - 1, 0)
    return float(ordered[rare]), float(ordered[-1 - rare])


def _verdict(low: float, high: float) -> str:
    return LOWER if high < 0 else HIGHER if low > 0 else NO_DIFFERENCE


def _enough(base: float, *, ratio: float) -> int | None:
    held = needed_held_out(base, ratio=ratio)
    return None if held is None else math.ceil(held * (1 + ratio))


def _enough_for_means(ratio: float) -> int:
    held = (1 + 1 / ratio) * ((_Z + _Z_POWER) / WORTH_FINDING_SPREADS) ** 2
    return math.ceil(math.ceil(held) * (1 + ratio))


def _more(enough: int | None, n: int, m: int) -> int | None:
    return None if enough is None else max(enough - n - m, 0)
