"""What a measure is: some facts in, one input out, the curve that reads it, and a sentence for people.

To add one, write a file in `scoring/measures/` with a `MEASURE`; it is found there, and `config/health.yaml` gives it weight.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from scoring.curves import Curve
from scoring.facts import Floats

Group = Literal["usage", "engagement", "support", "feedback"]
Missing = Literal["exclude", "neutral", "poor"]
"""What a missing input means: not counted, read as 0.5, read as 0. In no case does it count as covered."""

Numbers = Mapping[str, float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One thing health is made of.

    facts     what `value` and `sentence` read, names of the catalogue
    live      the fact that is present exactly where the customer's source is alive: tells "nothing happened" from "lost"
    unit      of the input, as shown
    curve     input -> reading 0-1, unless config/health.yaml has another
    missing   what a missing input means, unless config/health.yaml says otherwise
    value     {fact: float64[n]} -> input float64[n], NaN where missing
    sentence  (input, {fact: value or None}) of one customer -> what was seen: value, reference, direction, time; a cause never
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
