"""What a measure is: some facts in, one input out, the curve that reads it, and a sentence for people.

To add one, write a file in `scoring/measures/` with a `MEASURE`; it is found there, and `config/health.yaml` gives it weight.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from scoring.curves import Curve
from scoring.facts import Floats

Group = Literal["usage", "engagement", "support", "feedback", "relationship", "billing"]
Missing = Literal["exclude", "neutral", "poor"]
"""What a missing input means: not counted, read as 0.5, read as 0. In no case does it count as covered."""

FILLED: Mapping[Missing, float] = {"exclude": np.nan, "neutral": 0.5, "poor": 0.0}
"""The reading each policy puts in the place of a missing one."""

Numbers = Mapping[str, float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lever:
    """What people can do about a measure: a fact they can move, in which direction, how fast and how far.

    fact      the one that moves; it must be known of the customer
    step      how much of it is one piece of work, in its unit; below zero where less is better
    goal      the best that is practical
    most      steps that are practical in a quarter; beyond that a promise is a wish
    limit     a fact that is not passed, such as the seats there are; where it is unknown, `goal` alone holds
    along     facts that are made of this one and move in proportion to it
    against   facts that are a mean over this one, and move against it: more users with as many sessions
    doing     what is done, as an infinitive phrase
    """

    fact: str
    step: float
    goal: float
    most: int = 6
    limit: str | None = None
    along: tuple[str, ...] = ()
    against: tuple[str, ...] = ()
    doing: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One thing health is made of.

    facts     what `value` and `sentence` read, names of the catalogue
    live      the fact that is present exactly where the customer's source is alive: tells "nothing happened" from "lost"
    age       the fact that says how many days old the data is, for staleness limits; None: nothing says so
    unit      of the input, as shown
    curve     input -> reading 0-1, unless config/health.yaml has another
    missing   what a missing input means, unless config/health.yaml says otherwise
    value     {fact: float64[n]} -> input float64[n], NaN where missing
    sentence  (input, {fact: value or None}) of one customer -> what was seen: value, reference, direction, time; a cause never
    lever     what people can do about it; None where nobody can, other than through what other measures read
    """

    name: str
    group: Group
    meaning: str
    facts: tuple[str, ...]
    live: str
    unit: str
    curve: Curve
    missing: Missing = "exclude"
    value: Callable[[Mapping[str, Floats]], Floats]
    sentence: Callable[[float, Numbers], str]
    lever: Lever | None = None
    age: str | None = None
