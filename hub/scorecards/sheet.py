"""Everything computed of a day, as columns: what each customer's definition makes of the facts, and what is in force.

In force is the computed score, or the one a CSM has put in its place for a while; the band in force follows from it by the
customer's own definition. The computed ones stay beside it, and the note says both: an override does not silence.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hub.scorecards.churn import ChurnSheet, Predictor
from hub.scorecards.reading import Day
from hub.store.judgement import Statement
from scoring.book import HealthBook, Part, score_book
from scoring.definition import HealthDefinition
from scoring.facts import Floats
from scoring.health import Health
from scoring.health import score as read_health


@dataclass(frozen=True, slots=True)
class Sheet:
    """Columns over the customers of a day's table.

    parts              what each definition says, of all of them; part_of[n]: index of the part that speaks of a customer
    computed, health   score 0-1 as computed, and in force; NaN where there is none
    computed_bands, bands, notes  likewise; None where there is none
    extras             the extra scorecards, in the order of the book
    """

    day: Day
    parts: tuple[Part, ...]
    part_of: npt.NDArray[np.int64]
    computed: Floats
    computed_bands: Sequence[str | None]
    health: Floats
    bands: Sequence[str | None]
    coverage: Floats
    notes: Sequence[str | None]
    override_ids: Mapping[int, str]
    extras: tuple[tuple[HealthDefinition, Health], ...]
    churn: ChurnSheet

    @classmethod
    def of(cls, day: Day, book: HealthBook, predictors: Sequence[Predictor]) -> "Sheet":
        """Compute the day: columns, no clock and no database."""
        table = day.table
        parts = score_book(table, book, before=day.before)
        part_of = np.zeros(len(table), dtype=np.int64)
        computed, coverage = np.full(len(table), np.nan), np.zeros(len(table))
        computed_bands: list[str | None] = [None] * len(table)
        notes: list[str | None] = [None] * len(table)
        for index, part in enumerate(parts):
            part_of[part.places] = index
            computed[part.places] = part.health.score[part.places]
            coverage[part.places] = part.health.coverage[part.places]
            for i in part.places.tolist():
                band = part.health.bands[i]
                computed_bands[i] = None if band is None else band.value
                notes[i] = part.health.notes[i]
        health, bands = computed.copy(), list(computed_bands)
        override_ids = {}
        for i, stated in _stated(day).items():
            definition = parts[part_of[i]].definition
            health[i] = stated.value
            bands[i] = definition.bands[definition.levels(health[i : i + 1])[0]][0].value
            notes[i] = override_note(stated, float(computed[i]), computed_bands[i], notes[i])
            override_ids[i] = stated.id
        extras = tuple(
            (extra, read_health(table, extra, before=day.extras_before[extra.name])) for extra in book.extras
        )
        churn = ChurnSheet.of(table, predictors, day.noticed)
        return cls(
            day,
            parts,
            part_of,
            computed,
            computed_bands,
            health,
            bands,
            coverage,
            notes,
            override_ids,
            extras,
            churn,
        )


def _stated(day: Day) -> dict[int, Statement]:
    """{place: override in force}."""
    if not day.overrides:
        return {}
    return {i: day.overrides[id_] for i, id_ in enumerate(day.table.customers) if id_ in day.overrides}


def override_note(stated: Statement, computed: float, band: str | None, note: str | None) -> str:
    """Who put what in the place of the computed score, until when and why; and what was computed."""
    was = "none" if np.isnan(computed) else f"{computed:.2f} ({band})"
    more = f". {note}" if note else ""
    return f"Overridden by {stated.by} until {stated.expires_on}: {stated.reason}; computed {was}{more}"
