"""The columns of a model, in their order: what it keeps of its training set, and what makes a matrix of a fact table.

    encoding = Encoding.of(tables, texts=("plan",), product=names)       categories and product features of a training set
    encoding = encoding.telling(matrix)                                  without the columns that told nothing in it
    matrix = encoding.matrix(table)                                      the same columns of any day

Columns are kept by name: a version of the code that has more of them still makes those of a model it finds.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from scoring.facts import FactTable
from scoring.features import FEATURES, Feature, of_product, of_text
from scoring.learner import Matrix

CATEGORIES = 8  # of a text fact; the rarer ones are none of them
FEWEST_CUSTOMERS = 10  # with a category before it is one


@dataclass(frozen=True, slots=True)
class Encoding:
    """What turns a fact table into a matrix: categories of the text facts, product features counted one by one, and the
    names of the columns in order; None: all that there are, as `Encoding.all` has them."""

    categories: Mapping[str, Sequence[str]]
    product: Sequence[str] = ()
    kept: Sequence[str] | None = None

    @classmethod
    def of(cls, tables: Iterable[FactTable], *, texts: Sequence[str], product: Sequence[str] = ()) -> Self:
        """Categories that at least 10 customers of `tables` have had: the 8 commonest of each of `texts`, in order of name."""
        seen: dict[str, dict[str, set[str]]] = {name: defaultdict(set) for name in texts}
        for table in tables:
            for name in texts:
                for customer, text in zip(table.customers, table.texts[name], strict=True):
                    if text is not None:
                        seen[name][text].add(customer)
        categories = {}
        for name, customers in seen.items():
            by_size = sorted((-len(who), text) for text, who in customers.items() if len(who) >= FEWEST_CUSTOMERS)
            categories[name] = sorted(text for _, text in by_size[:CATEGORIES])
        return cls(categories, tuple(product))

    @property
    def all(self) -> list[Feature]:
        """Every column there is: FEATURES, then categories, then product features."""
        columns = list(FEATURES)
        for name, texts in self.categories.items():
            columns += [of_text(name, text) for text in texts]
        for product in self.product:
            columns += of_product(product, self.product)
        return columns

    @property
    def unknown(self) -> list[str]:
        """Columns to keep that this version of the code does not make."""
        there = {feature.name for feature in self.all}
        return [name for name in self.kept or () if name not in there]

    @property
    def features(self) -> list[Feature]:
        """The columns in order."""
        if self.kept is None:
            return self.all
        there = {feature.name: feature for feature in self.all}
        return [there[name] for name in self.kept]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(feature.name for feature in self.features)

    @property
    def signs(self) -> tuple[int, ...]:
        return tuple(feature.sign for feature in self.features)

    def matrix(self, table: FactTable) -> Matrix:
        """float32[n, f] of the table's customers, NaN where missing; ValueError names facts that the table lacks."""
        features = self.features
        if missing := sorted(set().union(*(feature.reads for feature in features)) - table.numbers.keys()):
            raise ValueError(f"the table lacks facts: {', '.join(missing)}")
        result = np.empty((len(table), len(features)), dtype=np.float32)
        for place, feature in enumerate(features):
            result[:, place] = feature.derive(table)
        return result

    def telling(self, matrix: Matrix) -> Self:
        """This, with those columns of `matrix` alone that could tell customers apart.

        Left out is what was never known, and what had one value wherever it was known: a model could use of it only for whom
        it was known, which says more about sources than about customers, and stops being so once it is known of everybody.
        """
        features = self.features
        kept = tuple(one.name for place, one in enumerate(features) if _differs(matrix[:, place]))
        return type(self)(self.categories, self.product, kept)

    def places(self, other: "Encoding") -> list[int]:
        """Where in a matrix of this the columns of `other` are."""
        at = {name: place for place, name in enumerate(self.names)}
        return [at[name] for name in other.names]

    def as_json(self) -> dict[str, Any]:
        return {
            "categories": {name: list(texts) for name, texts in self.categories.items()},
            "product": list(self.product),
            "kept": None if self.kept is None else list(self.kept),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        categories = {name: tuple(texts) for name, texts in value["categories"].items()}
        kept = value.get("kept")
        return cls(categories, tuple(value["product"]), None if kept is None else tuple(kept))


def _differs(column: Matrix) -> bool:
    known = column[~np.isnan(column)]
    return bool(known.size) and bool(known.min() < known.max())
