"""What a sign is worth: how often it was there before a customer left, beside how often it is there where nobody leaves.

That nearly all who left had some sign in the year before says little where nearly all who stayed had one, too. Of each kind
the share of either is given, and how many times as frequent it was before a leaving, with its 95 % interval: a sign *tells*
where 1 lies outside it.

Of who left only what was there before notice counts, because who has given notice uses less, and no sign is needed then.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import exp, log, sqrt

from scoring.postmortem import SIGNALS, PostMortem

ANY = "any"
NORMAL_95 = 1.959964
HALF = 0.5
"""Added to each count where one of them is nobody or everybody, so that there is a ratio and it has an interval."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """A kind of SIGNALS, or ANY of them.

    left, stayed  customers of either fate; …_with: those of them who had it, within a year of the same length

    Shares are 0-1, None of nobody.
    """

    kind: str
    left: int
    left_with: int
    stayed: int
    stayed_with: int

    @property
    def words(self) -> str:
        return "any of them" if self.kind == ANY else SIGNALS[self.kind]

    @property
    def share_left(self) -> float | None:
        return self.left_with / self.left if self.left else None

    @property
    def share_stayed(self) -> float | None:
        return self.stayed_with / self.stayed if self.stayed else None

    @property
    def ratio(self) -> float | None:
        """Of the shares: how many times as frequent before a leaving. None without anybody on either side, or without
        anybody who had it."""
        found = self._log_ratio()
        return None if found is None else exp(found[0])

    @property
    def low(self) -> float | None:
        """Of the 95 % interval of the ratio (Katz et al. 1978: its logarithm is about normal)."""
        found = self._log_ratio()
        return None if found is None else exp(found[0] - NORMAL_95 * found[1])

    @property
    def high(self) -> float | None:
        found = self._log_ratio()
        return None if found is None else exp(found[0] + NORMAL_95 * found[1])

    @property
    def tells(self) -> bool:
        """Whether who left had it more often, or more seldom, than chance explains."""
        low, high = self.low, self.high
        return low is not None and high is not None and not low <= 1 <= high

    def _log_ratio(self) -> tuple[float, float] | None:
        """(logarithm of the ratio, its standard error)."""
        if not self.left or not self.stayed or not self.left_with + self.stayed_with:
            return None
        a, n, b, m = map(float, (self.left_with, self.left, self.stayed_with, self.stayed))
        if not a or not b or (a == n and b == m):
            a, n, b, m = a + HALF, n + 2 * HALF, b + HALF, m + 2 * HALF
        return log((a / n) / (b / m)), sqrt(1 / a - 1 / n + 1 / b - 1 / m)


def signs(found: Sequence[PostMortem], stayed: Iterable[Iterable[str]]) -> tuple[Sign, ...]:
    """ANY, then every kind in the order of SIGNALS. stayed: of each customer who did, the kinds it had."""
    before = [
        {signal.kind for signal in one.signals if signal.on < (one.noticed_on or one.churned_on)} for one in found
    ]
    others = [set(kinds) for kinds in stayed]
    left_with = Counter(kind for kinds in before for kind in kinds)
    stayed_with = Counter(kind for kinds in others for kind in kinds)
    left_with[ANY], stayed_with[ANY] = sum(map(bool, before)), sum(map(bool, others))
    return tuple(
        Sign(
            kind=kind,
            left=len(before),
            left_with=left_with[kind],
            stayed=len(others),
            stayed_with=stayed_with[kind],
        )
        for kind in (ANY, *SIGNALS)
    )
