"""The simulated company: sells software to other businesses, and lives through the same days whenever it is asked.

    simulate(seed=…, customers=…, months=…, started_on=…, until=…) -> World       what the vendors' systems know
    hidden_truth(the same)                                         -> Truth       what really went on; for tests

The same arguments give the same world, on every machine of the same numpy. A world until a later moment has every row of the
earlier one, changed only where something happened in between. `months` says over how long the customers sign, not when
the world ends. Why customers leave: `contracts`; what hides behind that: `mood`.
"""

from datetime import date, datetime

from connectors.kit.simulated import World
from hub.demo.company.simulation import Simulation
from hub.demo.company.truth import Truth

__all__ = ["Simulation", "Truth", "hidden_truth", "simulate"]


def simulate(*, seed: int = 7, customers: int = 300, months: int = 18, started_on: date, until: datetime) -> World:
    """The company's world up to `until` (aware); ValueError where that is before `started_on` or there are < 12 customers."""
    return Simulation(seed=seed, customers=customers, months=months, started_on=started_on, until=until).world()


def hidden_truth(*, seed: int = 7, customers: int = 300, months: int = 18, started_on: date, until: datetime) -> Truth:
    """The hidden state behind `simulate` of the same arguments."""
    return Simulation(seed=seed, customers=customers, months=months, started_on=started_on, until=until).truth()
