"""Whose turn it is: everything is looked at again only when that may have changed, freed addresses at once."""

from collections.abc import Collection

from hub.model.actions import Delivery
from hub.playbooks.turns import EVERY_SECONDS, Place, Turns


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
