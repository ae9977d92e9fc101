"""What writing.py of a connector is written with: the few fields a source may be given back, as values to be set.

A folder that has a `writing.py`, and `writes` in its manifest, can write to rows of its vendor, where sources.yaml says so:

    async def write(client, wishes, *, settings) -> AsyncIterator[Sequence[Outcome]]

Values are set, never added up, so what is sent twice is harmless; a batch is as large as the vendor takes. What the vendor
refuses of one row is that row's Outcome; what concerns all of it is one of the kit's errors.
"""

from collections.abc import Mapping
from dataclasses import dataclass

FIELDS: Mapping[str, str] = {
    "health": "0 to 100, higher is healthier; empty where too little is known",
    "band": "critical, warning, stable or healthy",
    "churn_risk": "0 to 100: probability of leaving within the model's horizon, in per cent",
    "churn_band": "minimal, low, medium, high or noticed",
    "scored_on": "day of the score; it changes every day, and so does every row it is written to",
}
"""What can be written, and what it means there."""

Value = str | float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A row of the vendor's by its key, and what its fields are to be: {the vendor's name of the field: value}."""

    key: str
    values: Mapping[str, Value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """error: why the vendor did not take it; None: it did."""

    key: str
    error: str | None = None
