"""What an explanation is made of."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from hub.model.actions import Band
from hub.store.customers import Named
from hub.store.evidence import Evidence
from hub.store.judgement import Statement
from hub.store.rollups import RolledUp
from scoring.explain import Cause, Change, Contribution

Evidences = Mapping[str, tuple[Evidence, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What a measure adds to the score, and the records each of its facts was counted from."""

    contribution: Contribution
    evidence: Evidences


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeLine:
    """What one measure, or an override, adds to the change of the score for one cause, and what is behind it.

    facts            {fact of the measure: (value before, value after)}; empty of an override
    evidence         the records of each fact as of the later day; evidence_before: as of the earlier one
    override         the record of the override, where that is the cause
    """

    change: Change
    facts: Mapping[str, tuple[Any, Any]]
    evidence: Evidences
    evidence_before: Evidences
    override: Statement | None = None

    @property
    def measure(self) -> str:
        return self.change.measure

    @property
    def cause(self) -> Cause:
        return self.change.cause

    @property
    def amount(self) -> float:
        return self.change.amount

    @property
    def reweighting(self) -> float:
        return self.change.reweighting


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Why the score in force is not what it was on `since`, the day of the earlier scorecard.

    score, band  in force then; None where there was none; computed: what was computed then
    change       of the score in force; None, with a note, where either day has none
    changes      sum to `change`, the largest first
    causes       {cause: sum over measures}, of those there are
    definitions  (name, hash) of the definition then, and of the one now
    """

    since: date
    score: float | None
    band: Band | None
    computed: float | None
    change: float | None
    changes: tuple[ChangeLine, ...]
    causes: Mapping[Cause, float]
    definitions: tuple[tuple[str, str], tuple[str, str]]
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A scorecard in parts. The contributions sum to `computed`.

    scorecard    name of the extra scorecard; None: the scorecard itself
    score, band  in force
    computed, computed_band  what the definition makes of the facts; another one only where `override` is in force
    note         why there is no score, why the band is held, or who overrides it
    definition   name of the definition that made it, and definition_hash
    rollup       of who is a parent, of the newest day up to this one
    uncompared   why there is no comparison though one was asked for
    """

    customer: Named
    scorecard: str | None
    as_of: date
    score: float | None
    band: Band | None
    computed: float | None
    computed_band: Band | None
    override: Statement | None
    coverage: float
    note: str | None
    definition: str
    definition_hash: str
    lines: tuple[Line, ...]
    comparison: Comparison | None
    rollup: RolledUp | None
    uncompared: str | None = None
