"""Random numbers that belong to a day or to a thing, so that simulating one more day changes nothing that went before.

Every draw comes from a generator keyed by (seed, purpose, numbers…), most of them by the day. A day's draws depend only on
how the world stood that morning, which makes the world until a day the same however far it is simulated.
"""

from enum import IntEnum

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


class Purpose(IntEnum):
    """What a generator is for; the numbers are part of every world and are never reused."""

    ROSTER = 1
    STAFF = 2
    TERM = 3
    PERSON = 4
    MOOD = 5
    USAGE = 6
    SUPPORT = 7
    SURVEY = 8
    MONEY = 9
    OUTAGE = 10
    TOUCH = 11
    BILL = 12


def stream(seed: int, purpose: Purpose, *numbers: int) -> np.random.Generator:
    """The generator of one purpose and thing; numbers count from 0."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence((seed, int(purpose), *numbers))))


def expit(value: Floats) -> Floats:
    """The logistic function."""
    return 1.0 / (1.0 + np.exp(-value))
