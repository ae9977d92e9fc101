"""What was last known: the readings of earlier scorecards that stand behind what is missing today.

    before = {"nps": LastKnown(reading=…, age_days=…), …}        columns over the customers of the table that is scored

They serve two ends (scoring.health): a measure may be told to hold its last reading up to an age, and losing a source never
raises a band.
"""

from dataclasses import dataclass

from scoring.facts import Floats


@dataclass(frozen=True, slots=True, eq=False)
class LastKnown:
    """The last readings known of one measure, columns over the customers of a table.

    reading   float64[n], 0-1, NaN where there never was one
    age_days  float64[n], days from the day it was read to the table's; NaN where that is not known
    """

    reading: Floats
    age_days: Floats
