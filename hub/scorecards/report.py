"""What a run wrote."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True, slots=True)
class BandChange:
    """A customer's band before and after a run; None where there was no scorecard, or no score."""

    customer_id: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreReport:
    """What a run wrote.

    customer_ids  whose scorecards were written, in order of id
    withheld      how many of them have no score, for want of data
    bands         {band in force: customers}; churn_bands likewise, "noticed" among them; empty without a predictor
    changes       the band changes, in order of customer; empty for a day that is not the customer's newest
    definitions   {name of the definition: customers it scored}
    overridden    how many have a score of their CSM's in the place of the computed one
    rollups       parents that got a roll-up; circular: ids of those who are their own ancestor, so that nothing is rolled up
                  through them
    """

    as_of: date
    customer_ids: tuple[str, ...]
    withheld: int
    bands: Mapping[str, int]
    churn_bands: Mapping[str, int]
    changes: tuple[BandChange, ...]
    definition_hash: str
    model_version: str | None
    definitions: Mapping[str, int] = field(default_factory=dict)
    overridden: int = 0
    rollups: int = 0
    circular: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BackfillReport:
    """written: days that were missing something and got it; complete: days that had everything; cards: rows written."""

    written: tuple[date, ...]
    complete: tuple[date, ...]
    cards: int
