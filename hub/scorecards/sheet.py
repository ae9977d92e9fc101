"""Everything computed of a day, as columns: what each customer's definition makes of the facts, and what is in force.

In force is the computed score, or the one a CSM has put in its place for a while; the band in force follows from it by the
customer's own definition. The computed ones stay beside it, and the note says both: an override does not silence.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

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
from scoring.wording import points


@dataclass(frozen=True, slots=True)
class Sheet:
    """Columns over the customers of a day's table.

    parts              what each definition says, of all of them; part_of[n]: index of the part that speaks of a customer
    computed, health   score 0-1 as computed, and in force; NaN where there is none
    computed_bands, bands, computed_notes, notes  likewise; None where there is none
    override_ids       {place: the override in force}
    extras             the extra scorecards, in the order of the book
    """

    day: Day
    parts: tuple[Part, ...]
    part_of: npt.NDArray[np.int64]
    computed: Floats
    computed_bands: Sequence[str | None]
    computed_notes: Sequence[str | None]
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
            notes,
            computed,
            computed_bands,
            coverage,
            notes,
            {},
            extras,
            churn,
        ).under(day.overrides)

    def under(self, overrides: Mapping[str, Statement]) -> "Sheet":
        """The same day with these overrides in force, {customer: override}, and no others."""
        health, bands, notes = self.computed.copy(), list(self.computed_bands), list(self.computed_notes)
        places = {id_: i for i, id_ in enumerate(self.day.table.customers) if id_ in overrides} if overrides else {}
        for id_, i in places.items():
            definition, stated = self.parts[self.part_of[i]].definition, overrides[id_]
            health[i] = stated.value
            bands[i] = definition.bands[definition.levels(health[i : i + 1])[0]][0].value
            notes[i] = override_note(stated, float(self.computed[i]), self.computed_bands[i], notes[i])
        ids = {i: overrides[id_].id for id_, i in places.items()}
        return replace(self, health=health, bands=bands, notes=notes, override_ids=ids)


def override_note(stated: Statement, computed: float, band: str | None, note: str | None) -> str:
    """Who put what in the place of the computed score, until when and why; and what was computed."""
    was = "none" if np.isnan(computed) else f"{points(computed)} of 100 ({band})"
    more = f". {note}" if note else ""
    return f"Overridden by {stated.by} until {stated.expires_on}: {stated.reason}; computed {was}{more}"
