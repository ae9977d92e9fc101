"""One world of usual size for all tests that only look at it."""

from datetime import UTC, date, datetime

import pytest

from connectors.kit.simulated import ProductEvent, World
from hub.demo.company import Simulation

STARTED_ON = date(2025, 5, 22)
UNTIL = datetime(2026, 11, 22, 14, 30, tzinfo=UTC)


@pytest.fixture(scope="session")
def simulation() -> Simulation:
    return Simulation(seed=7, customers=300, months=18, started_on=STARTED_ON, until=UNTIL)


@pytest.fixture(scope="session")
def world(simulation: Simulation) -> World:
    return simulation.world()


@pytest.fixture(scope="session")
def events(world: World) -> list[ProductEvent]:
    """Its events as objects, made once."""
    return list(world.events)
