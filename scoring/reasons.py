"""Why a customer's risk is above or below the book's: the model's own contributions, grouped, ranked and put into words.

The effects of a theme's features are added up; the strongest raising and lowering themes are shown. The sentence is about
the feature with the largest share in it: value, reference, direction and day, and never a cause. "Customers like this
leave more often" is all that a model of this kind knows. `scoring.themes` has the themes and their codes.

Ranking is done in columns, for everybody at once; words are made of a customer when they are asked for, because a million
customers have five million reasons and are read one by one, or stored by the thousand.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Any, Self, overload

import numpy as np
import numpy.typing as npt

from scoring.chunks import in_chunks
from scoring.churn_definition import ReasonLimits
from scoring.contributions import strongest
from scoring.encoding import Encoding
from scoring.facts import FactTable, Floats
from scoring.features import TEXTS, Feature
from scoring.learner import Matrix
from scoring.themes import CODES, THEMES, Theme, code_of, pivot_of, theme_of

__all__ = ["CODES", "THEMES", "Explainer", "Reason", "Reasons", "medians"]

Reason = dict[str, Any]
NONE = -1


@dataclass(frozen=True, slots=True)
class _Voice:
    """How one feature is spoken of on one day: the parts of its sentences that no value changes."""

    feature: Feature
    theme: Theme
    pivot: float
    unit: str
    meaning: str
    day: str
    beside: str

    @classmethod
    def of(cls, feature: Feature, *, median: float, day: date) -> Self:
        unit = "" if feature.fact.unit in feature.fact.meaning and feature.fact.unit != "ratio" else feature.fact.unit
        beside = "" if np.isnan(median) else f", where the median customer has {_shown(median, unit)}"
        meaning = feature.fact.meaning
        if feature.pair:
            meaning = meaning.split(" against ")[0].removesuffix(" of 28 days")
        return cls(
            feature, theme_of(feature), pivot_of(feature, median=median), unit, _sentence(meaning), _date(day), beside
        )

    def reason(self, table: FactTable, row: int, value: float, effect: float) -> Reason:
        """See `Explainer.reasons`."""
        feature, theme, raises = self.feature, self.theme, effect > 0
        name, context = feature.name, theme.context
        shown: float | str | None = None
        if feature.theme in TEXTS:
            name = feature.theme
            shown = table.texts[name][row]
            code, statement = theme.neutral, f"{_sentence(name)} is {shown or 'not known'}"
        elif value != value:
            # that something is not known says more about our sources than about the customer
            code, statement, context = theme.missing, f"{_sentence(feature.fact.meaning)}: not known", True
        else:
            shown = float(f"{value:.6g}")  # all the digits that a float32 has
            code = code_of(theme, shown, pivot=self.pivot, sign=feature.sign, raises=raises)
            statement = self._statement(table, row, shown)
        often, aside = "more" if raises else "less", " (context)" if context else ""
        return {
            "code": code,
            "text": f"{statement}; customers like this leave {often} often{aside}.",
            "feature": name,
            "value": shown,
            "effect": round(effect, 4),
            "direction": "raises" if raises else "lowers",
            "context": context,
        }

    def _statement(self, table: FactTable, row: int, value: float) -> str:
        if self.feature.pair:
            now, before = (float(table.numbers[name][row]) for name in self.feature.pair)
            verb = "fell" if value < 0 else "rose" if value > 0 else "moved"
            return f"{self.meaning} {verb} {abs(value):.0%} ({before:,.0f} to {now:,.0f}) in the 28 days to {self.day}"
        if self.feature.name == "days_to_renewal":
            due = table.as_of + timedelta(days=round(value))
            return f"The running subscription falls due in {value:.0f} days, on {_date(due)}"
        return f"{self.meaning}: {_shown(value, self.unit)} on {self.day}{self.beside}"


@dataclass(frozen=True, slots=True, eq=False)
class Reasons(Sequence[list[Reason]]):
    """The reasons of each customer of a table, put into words when they are looked at.

    features, values, effects  [n, k], in the order in which reasons are told; feature `NONE` where there is none
    """

    _table: FactTable
    _voices: Sequence[_Voice]
    _features: npt.NDArray[np.int64]
    _values: Matrix
    _effects: Matrix

    def __len__(self) -> int:
        return len(self._features)

    @overload
    def __getitem__(self, row: int) -> list[Reason]: ...
    @overload
    def __getitem__(self, row: slice) -> list[list[Reason]]: ...
    def __getitem__(self, row: int | slice) -> list[Reason] | list[list[Reason]]:
        if isinstance(row, slice):
            return [self._of(place) for place in range(*row.indices(len(self)))]
        if not -len(self) <= row < len(self):
            raise IndexError(row)
        return self._of(row % len(self))

    def __iter__(self) -> Iterator[list[Reason]]:
        return map(self._of, range(len(self)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and len(other) == len(self) and all(map(list.__eq__, self, other))

    def _of(self, row: int) -> list[Reason]:
        columns = self._features[row].tolist(), self._values[row].tolist(), self._effects[row].tolist()
        return [
            self._voices[at].reason(self._table, row, value, effect)
            for at, value, effect in zip(*columns, strict=True)
            if at != NONE
        ]


@dataclass(frozen=True, slots=True)
class Explainer:
    """Words for contributions. medians: of the rows the model learned from, by feature, NaN where never known."""

    encoding: Encoding
    medians: Mapping[str, float]
    limits: ReasonLimits

    def reasons(self, table: FactTable, matrix: Matrix, effects: Matrix) -> Reasons:
        """Per customer of `table`: the strongest raising reasons, then the strongest lowering ones.

        matrix, effects  float32[n, f]: features, and what each adds in log-odds

        A reason is {code, text, feature, value, effect, direction, context}: effect is the theme's, in log-odds, value the
        named feature's (a number, a text, or None where missing), direction "raises" or "lowers".
        """
        features = self.encoding.features
        names = list(dict.fromkeys(feature.theme for feature in features))
        themes = [np.array([at for at, one in enumerate(features) if one.theme == theme]) for theme in names]
        most = sum(min(count, len(themes)) for count in (self.limits.raising, self.limits.lowering))
        leads = np.full((len(matrix), most), NONE, dtype=np.int64)
        values, sums = np.empty(leads.shape, dtype=np.float32), np.empty(leads.shape, dtype=np.float32)

        def rank(rows: slice) -> None:
            leads[rows], sums[rows] = self._ranked(themes, effects[rows])
            values[rows] = np.take_along_axis(matrix[rows], leads[rows], axis=1)  # the last one's where there is none

        in_chunks(len(matrix), rank)
        voices = [_Voice.of(one, median=self.medians[one.name], day=table.as_of) for one in features]
        return Reasons(table, voices, leads, values, sums)

    def _ranked(self, themes: Sequence[npt.NDArray[np.int64]], effects: Matrix) -> tuple[npt.NDArray[np.int64], Matrix]:
        """The feature that each reason is about, [rows, k], and its theme's effect; raising ones first, `NONE` if too small."""
        by_theme = np.column_stack([effects[:, at].sum(axis=1) for at in themes])
        parts = []
        for sign, count in ((1, self.limits.raising), (-1, self.limits.lowering)):
            signed = sign * by_theme
            chosen = strongest(signed, count)
            sums = np.take_along_axis(signed, chosen, axis=1)
            chosen[~(sums >= self.limits.least_effect)] = NONE
            leads = np.full(chosen.shape, NONE, dtype=np.int64)
            for number, at in enumerate(themes):
                rows, places = np.nonzero(chosen == number)
                # a theme is spoken of by the feature that does most in its direction
                leads[rows, places] = at[(sign * effects[rows[:, None], at]).argmax(axis=1)]
            parts.append((leads, sign * sums))
        found, sums = (np.concatenate(columns, axis=1) for columns in zip(*parts, strict=True))
        return found, sums


def _date(day: date) -> str:
    return f"{day.day} {day:%b %Y}"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


@lru_cache(maxsize=16_384)  # most facts are small counts
def _shown(value: float, unit: str) -> str:
    """The value as people write it: whole numbers without decimals, shares in per cent, the unit behind."""
    value += 0.0  # no minus before a zero, whichever of the two zeros the cache saw first
    if unit == "ratio":
        return f"{value:.0%}"
    number = f"{value:,.0f}" if value == round(value) or abs(value) >= 100 else f"{value:,.1f}"
    return f"{number} {unit}" if unit and not unit[0].isdigit() else number


def medians(encoding: Encoding, matrix: Matrix) -> dict[str, float]:
    """The median of each feature over the rows where it is known; NaN where it never is."""
    result = {}
    for at, name in enumerate(encoding.names):
        column: Floats = matrix[:, at].astype(np.float64)
        known = column[~np.isnan(column)]
        result[name] = float(np.median(known)) if known.size else float("nan")
    return result
