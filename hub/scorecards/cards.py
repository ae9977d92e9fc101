"""The sheet of a day as rows to store, and as a report."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np

from hub.scorecards.report import BandChange, ScoreReport
from hub.scorecards.sheet import Sheet
from hub.store.scorecards import Standing
from scoring.book import HealthBook
from scoring.facts import FACTS, plain

_Rows = list[dict[str, Any]]


def cards(sheet: Sheet, places: Sequence[int], standing: Mapping[str, Standing], *, now: datetime) -> _Rows:
    """The scorecards of the customers at `places`."""
    table = sheet.day.table
    readings = _readings(sheet, places)
    columns = zip(
        places,
        plain(sheet.health[places]),
        plain(sheet.computed[places]),
        sheet.coverage[places].tolist(),
        sheet.part_of[places].tolist(),
        table.rows(places),
        sheet.churn.on_cards(places),
        strict=True,
    )
    rows = []
    for i, health, computed, coverage, part, facts, churn in columns:
        id_ = table.customers[i]
        definition = sheet.parts[part].definition
        rows.append(
            {
                "customer_id": id_,
                "as_of": table.as_of,
                "health": health,
                "band": sheet.bands[i],
                "computed_health": computed,
                "computed_band": sheet.computed_bands[i],
                "override_id": sheet.override_ids.get(i),
                "coverage": coverage,
                "reason": sheet.notes[i],
                "previous_band": standing[id_].band_before,
                **churn,
                "facts": {name: facts.get(name) for name in FACTS},
                "readings": readings[i],
                "definition": definition.name,
                "definition_hash": definition.hash,
                "computed_at": now,
                "latest": not standing[id_].has_later,
            }
        )
    return rows


def _readings(sheet: Sheet, places: Sequence[int]) -> dict[int, _Rows]:
    """{place: readings by the definition that speaks of the customer}."""
    if len(sheet.parts) == 1:
        return dict(zip(places, sheet.parts[0].health.all_readings(places), strict=True))
    found: dict[int, _Rows] = {}
    chosen = np.asarray(places, dtype=np.int64)
    for index, part in enumerate(sheet.parts):
        own = chosen[sheet.part_of[chosen] == index].tolist()
        if own:
            found.update(zip(own, part.health.all_readings(own), strict=True))
    return found


def extra_cards(sheet: Sheet, places: Sequence[int], standing: Mapping[str, Standing], *, now: datetime) -> _Rows:
    """The extra scorecards of the customers at `places`, of all names."""
    table = sheet.day.table
    rows = []
    for definition, health in sheet.extras:
        columns = zip(
            places,
            plain(health.score[places]),
            health.coverage[places].tolist(),
            health.all_readings(places),
            strict=True,
        )
        for i, score, coverage, readings in columns:
            band = health.bands[i]
            rows.append(
                {
                    "customer_id": table.customers[i],
                    "as_of": table.as_of,
                    "name": definition.name,
                    "health": score,
                    "band": None if band is None else band.value,
                    "coverage": coverage,
                    "reason": health.notes[i],
                    "readings": readings,
                    "definition_hash": definition.hash,
                    "computed_at": now,
                    "latest": not standing[table.customers[i]].has_later,
                }
            )
    return rows


def report(
    sheet: Sheet,
    book: HealthBook,
    places: Sequence[int],
    standing: Mapping[str, Standing],
    *,
    rollups: int,
    circular: Sequence[str],
) -> ScoreReport:
    """What writing the customers at `places` came to."""
    ids = [sheet.day.table.customers[i] for i in places]
    bands = {sheet.day.table.customers[i]: sheet.bands[i] for i in places}
    was = {id_: standing[id_].band if standing[id_].has_card else standing[id_].band_before for id_ in ids}
    risks = [row["churn_band"] for row in sheet.churn.on_cards(places)]
    return ScoreReport(
        as_of=sheet.day.table.as_of,
        customer_ids=tuple(ids),
        withheld=sum(band is None for band in bands.values()),
        bands=Counter(band for band in bands.values() if band is not None),
        churn_bands=Counter(band for band in risks if band is not None),
        changes=tuple(
            BandChange(id_, was[id_], band)
            for id_, band in bands.items()
            if band != was[id_] and not standing[id_].has_later
        ),
        definition_hash=book.main.hash,
        model_version=sheet.churn.model_version,
        definitions=Counter(sheet.parts[sheet.part_of[i]].definition.name for i in places),
        overridden=sum(i in sheet.override_ids for i in places),
        rollups=rollups,
        circular=tuple(circular),
    )
