"""All definitions of health there are, and which of them speaks of whom.

    main       config/health.yaml: everybody's, where no variant says otherwise
    variants   config/health/NAME.yaml with `when` and `priority`: take the main one's place for the customers they choose;
               where several choose a customer, the one of the highest priority
    extras     config/health/NAME.yaml with `beside: true`: scorecards of their own, beside the main one, of everybody

    parts = score_book(table, book, before=last_known)

Whichever definition scores a customer, its peers in a percentile are all customers of the table in its segment.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from hub.model.conditions import Condition
from scoring.choosing import chosen
from scoring.definition import HealthDefinition
from scoring.definition_file import Rollup
from scoring.facts import FactTable
from scoring.health import Health, score
from scoring.last_known import LastKnown

Places = npt.NDArray[np.int64]

__all__ = ["HealthBook", "LastKnown", "Part", "Rollup", "Variant", "score_book", "score_extras"]


@dataclass(frozen=True, slots=True)
class Variant:
    """A definition for some customers. when: which, asked of facts alone; priority: the higher one wins, no two are equal."""

    definition: HealthDefinition
    when: Condition
    priority: int


@dataclass(frozen=True, slots=True)
class HealthBook:
    """variants stand in order of priority, the highest first."""

    main: HealthDefinition
    variants: tuple[Variant, ...] = ()
    extras: tuple[HealthDefinition, ...] = ()
    rollup: Rollup = Rollup.VALUE

    @property
    def definitions(self) -> tuple[HealthDefinition, ...]:
        """Those of which one scores each customer: the variants' by priority, and the main one last."""
        return (*(variant.definition for variant in self.variants), self.main)

    @property
    def relative(self) -> bool:
        """Whether a score depends on the other customers of the table, so that all of them must be in it."""
        return any(definition.relative for definition in (*self.definitions, *self.extras))

    def assign(self, table: FactTable) -> Places:
        """Index into `definitions`, int64[n], of the one that speaks of each customer of `table`."""
        which = np.full(len(table), len(self.variants), dtype=np.int64)
        for index in reversed(range(len(self.variants))):
            which[chosen(self.variants[index].when, table)] = index
        return which


@dataclass(frozen=True, slots=True)
class Part:
    """What one definition says. places: int64[k], rising, those of the customers of `health`'s table that it speaks of.

    health is over the whole table, for peers are found there; of the others it says what this definition would.
    """

    definition: HealthDefinition
    places: Places = field(repr=False)
    health: Health


def score_book(
    table: FactTable, book: HealthBook, *, before: Mapping[str, LastKnown] | None = None
) -> tuple[Part, ...]:
    """Score every customer of `table` by its definition.

    One part for each definition that speaks of anybody, in the order of `book.definitions`; the main one's is always there.
    `before`: {measure: last known readings} of earlier scorecards, whichever definition made them; see scoring.health.
    """
    which = book.assign(table)
    parts = []
    for index, definition in enumerate(book.definitions):
        places = np.flatnonzero(which == index)
        if len(places) or definition is book.main:
            parts.append(Part(definition, places, score(table, definition, before=before)))
    return tuple(parts)


def score_extras(
    table: FactTable, book: HealthBook, *, before: Mapping[str, Mapping[str, LastKnown]] | None = None
) -> tuple[Health, ...]:
    """The extra scorecards of every customer of `table`, in the order of `book.extras`.

    `before`: {name of the extra definition: {measure: last known readings}}; each remembers its own.
    """
    known = before or {}
    return tuple(score(table, definition, before=known.get(definition.name)) for definition in book.extras)
