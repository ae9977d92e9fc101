"""Champions lost: those who left or took another role in 90 days, counted half where another champion remains.

Nobody is missed where nobody was ever named a champion: that reads as missing, not as good.
"""

from collections.abc import Mapping

import numpy as np

from scoring.curves import Points
from scoring.facts import Floats
from scoring.measure import Lever, Measure, Numbers
from scoring.wording import counted, number


def _value(columns: Mapping[str, Floats]) -> Floats:
    lost, there = columns["champions_lost_90d"], columns["champions"]
    counted_ = np.where(there > 0, lost / 2, lost)
    return np.where((lost == 0) & (there == 0), np.nan, counted_)


def _sentence(value: float, facts: Numbers) -> str:
    lost, there = facts["champions_lost_90d"] or 0.0, facts["champions"] or 0.0
    remain = f"{number(there) if there else 'none'} {'remains' if there <= 1 else 'remain'}"
    if not lost:
        return f"No champion left or changed role in the last 90 days; there {'is' if there == 1 else 'are'} {number(there)}"
    return f"{counted(lost, 'champion', 'champions')} left or changed role in the last 90 days; {remain}"


MEASURE = Measure(
    name="champion_change",
    group="relationship",
    meaning="champions who left or changed role in 90 days, counted half where another remains",
    facts=("champions_lost_90d", "champions"),
    live="champions",
    age="profile_age_days",
    unit="champions",
    curve=Points(((0, 1), (0.5, 0.5), (1, 0.15), (2, 0))),
    value=_value,
    sentence=_sentence,
    lever=Lever(
        fact="champions",
        step=1,
        goal=1,
        most=1,
        doing="win another champion among those who use it most",
    ),
)
