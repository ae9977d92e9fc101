"""What churn models say of a day, whom they say nothing of, and the rows that are stored of it.

The first predictor is the primary one: its probability is the scorecard's. Of who has given notice no model says anything:
they are leaving, not at risk, and a probability would mix them into lists of those who can still be kept. They have none;
their band and confidence are "noticed", and the reason says since when. Where a predictor has no probability for a customer
(the renewal horizon, of who has no renewal to come) there is no row.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol

from scoring.facts import FactTable, Floats, plain
from scoring.nesting import brought_in_line

NOTICED = "noticed"
NOTICE_GIVEN = "NOTICE_GIVEN"


class ChurnColumns(Protocol):
    """What a predictor says, columns over the customers of the table it was given; probabilities are 0-1, or NaN."""

    @property
    def probability(self) -> Floats: ...
    @property
    def annualised(self) -> Floats: ...
    @property
    def band(self) -> Sequence[str]: ...
    @property
    def confidence(self) -> Sequence[str]: ...
    @property
    def reasons(self) -> Sequence[Sequence[Mapping[str, Any]]]: ...


class Predictor(Protocol):
    """A churn model that is stored as `model_version`.

    horizon           its name; horizon_days: None for the renewal
    shown             whether people see what it says; a challenger's predictions are kept to be judged, not shown
    product_features  which ones' use it counts besides the facts
    """

    @property
    def model_version(self) -> str: ...
    @property
    def horizon(self) -> str: ...
    @property
    def horizon_days(self) -> int | None: ...
    @property
    def shown(self) -> bool: ...
    @property
    def product_features(self) -> Sequence[str]: ...
    def predict(self, table: FactTable) -> ChurnColumns: ...


def product_features(predictors: Sequence[Predictor]) -> list[str]:
    """The features of the product that any of the predictors counts, each once."""
    return list(dict.fromkeys(name for predictor in predictors for name in predictor.product_features))


@dataclass(frozen=True, slots=True)
class ChurnSheet:
    """What all predictors say of a day, and who had given notice by then: {place in the table: the day of the notice}."""

    table: FactTable
    said: tuple[tuple[Predictor, ChurnColumns], ...]
    noticed: Mapping[int, date]

    @classmethod
    def of(cls, table: FactTable, predictors: Sequence[Predictor], noticed: Mapping[str, date]) -> "ChurnSheet":
        places = {i: noticed[id_] for i, id_ in enumerate(table.customers) if id_ in noticed}
        said = [predictor.predict(table) for predictor in predictors]
        for place, readings in brought_in_line(predictors, said).items():
            said[place] = readings
        return cls(table, tuple(zip(predictors, said, strict=True)), places)

    @property
    def model_version(self) -> str | None:
        return self.said[0][0].model_version if self.said else None

    def on_cards(self, places: Sequence[int]) -> list[dict[str, Any]]:
        """The scorecards' own columns of the customers at `places`: what the primary predictor says."""
        if not self.said:
            return [dict.fromkeys(("churn_risk", "churn_annualised", "churn_band")) for _ in places]
        _, churn = self.said[0]
        risks, yearly = plain(churn.probability[places]), plain(churn.annualised[places])
        return [
            {"churn_risk": None, "churn_annualised": None, "churn_band": NOTICED}
            if i in self.noticed
            else {
                "churn_risk": risk,
                "churn_annualised": annualised,
                "churn_band": None if risk is None else churn.band[i],
            }
            for i, risk, annualised in zip(places, risks, yearly, strict=True)
        ]

    def predictions(self, places: Sequence[int], latest: Sequence[bool], *, now: datetime) -> list[dict[str, Any]]:
        """The predictions of all models for the customers at `places`, whose newest scorecards these are where `latest`."""
        rows: list[dict[str, Any]] = []
        for rank, (predictor, churn) in enumerate(self.said):
            shared = {
                "as_of": self.table.as_of,
                "model_version": predictor.model_version,
                "horizon": predictor.horizon,
                "horizon_days": predictor.horizon_days,
                "shown": predictor.shown,
                "main": rank == 0,
                "computed_at": now,
            }
            risks, yearly = plain(churn.probability[places]), plain(churn.annualised[places])
            for i, newest, risk, annualised in zip(places, latest, risks, yearly, strict=True):
                row = {"customer_id": self.table.customers[i], "latest": newest, **shared}
                if i in self.noticed:
                    if predictor.shown:
                        rows.append(row | _of_who_leaves(self.noticed[i]))
                elif risk is not None:
                    rows.append(
                        row
                        | {
                            "probability": risk,
                            "annualised": annualised,
                            "band": churn.band[i],
                            "confidence": churn.confidence[i],
                            "reasons": list(churn.reasons[i]),
                        }
                    )
        return rows


def _of_who_leaves(since: date) -> dict[str, Any]:
    reason = {"code": NOTICE_GIVEN, "text": f"Gave notice on {since}: is leaving, not at risk"}
    return {"probability": None, "annualised": None, "band": NOTICED, "confidence": NOTICED, "reasons": [reason]}
