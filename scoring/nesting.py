"""Horizons of one customer do not contradict each other: who leaves within 30 days leaves within 60 and within 90.

The models of the horizons are separate (one model of all was measured to be a little worse), so now and then one says more
for the shorter time. The primary horizon is left as it is: it is what scorecards and playbooks speak of, and its number must be
the one that was judged and that its reasons add up to. Shorter horizons say at most what the next longer one does, longer ones
at least what the next shorter one does. The renewal is another day for each customer and stands by itself.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from scoring.churn import ChurnReadings, ModelPredictor, PriorPredictor, annualise, bands_of
from scoring.churn_definition import ChurnBands
from scoring.facts import Floats


def brought_in_line(predictors: Sequence[object], readings: Sequence[object]) -> dict[int, ChurnReadings]:
    """{place: the readings in place of those there}, for the places whose horizon contradicts the primary, which is first.

    What is not shown, and the renewal, stays as it is.
    """
    found: dict[int, ChurnReadings] = {}
    days: dict[int, int] = {}
    bands: dict[int, ChurnBands] = {}
    for place, (predictor, said) in enumerate(zip(predictors, readings, strict=True)):
        if not (isinstance(predictor, ModelPredictor | PriorPredictor) and isinstance(said, ChurnReadings)):
            continue
        if predictor.shown and predictor.horizon_days is not None:
            found[place], days[place], bands[place] = said, predictor.horizon_days, predictor.bands
    if 0 not in found:
        return {}
    before = dict(found)
    by_days = sorted(days, key=lambda place: days[place])
    at = by_days.index(0)
    for longer, shorter in pairwise(by_days[at::-1]):
        bound = np.minimum(found[shorter].probability, found[longer].probability)
        found[shorter] = _moved(found[shorter], bound, days[shorter], bands[shorter])
    for shorter, longer in pairwise(by_days[at:]):
        bound = np.maximum(found[longer].probability, found[shorter].probability)
        found[longer] = _moved(found[longer], bound, days[longer], bands[longer])
    return {place: one for place, one in found.items() if one is not before[place]}


def _moved(readings: ChurnReadings, probability: Floats, days: int, bands: ChurnBands) -> ChurnReadings:
    if np.array_equal(probability, readings.probability):
        return readings
    annualised = annualise(probability, days)
    return replace(readings, probability=probability, annualised=annualised, band=bands_of(annualised, bands))
