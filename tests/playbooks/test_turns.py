"""Whose turn it is: everything is looked at again only when that may have changed, freed addresses at once."""

from collections.abc import Collection
from datetime import timedelta

from hub.model.actions import Delivery, DeliveryState
from hub.playbooks.turns import EVERY_SECONDS, Place, Turns, rested
from hub.store.claims import Pace
from tests.fakes.clock import START


async def test_after_a_look_that_found_little_only_what_became_free_is_looked_at() -> None:
    asked: list[object] = []
    at = 100.0

    async def claim(limit: int, places: Collection[Place] | None) -> list[Delivery]:
        asked.append(places)
        return []

    turns = Turns(claim, monotonic=lambda: at)
    assert turns.wait is None
    assert await turns.take(4) == []
    assert turns.wait == EVERY_SECONDS
    assert await turns.take(4) == []
    turns.free({("slack", "#a")})
    assert await turns.take(4) == []
    assert await turns.take(4) == []
    assert asked == [None, {("slack", "#a")}]
    at += EVERY_SECONDS
    assert turns.wait == 0
    assert await turns.take(4) == []
    assert asked[2:] == [None]


def test_an_address_is_free_again_when_its_channels_interval_is_over() -> None:
    def sent(channel: str, ago: float) -> Delivery:
        return Delivery(
            id=channel,
            dedup_key=channel,
            channel=channel,
            address="a",
            payload={},
            state=DeliveryState.SENT,
            attempts=1,
            reserved_at=START,
            sent_at=START - timedelta(seconds=ago),
        )

    paces = {"slow": Pace(interval=timedelta(seconds=3)), "quick": Pace(interval=timedelta())}
    found = rested([sent("slow", 2.9), sent("quick", 0), sent("usual", 1)], now=START, paces=paces)
    assert found == [("quick", "a"), ("usual", "a")]
    assert rested([sent("slow", 3), sent("usual", 0.9)], now=START, paces=paces) == [("slow", "a")]
