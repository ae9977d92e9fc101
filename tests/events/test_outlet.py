import asyncio

import pytest

from hub.events import EndedError, Ending, Outlet, Parcel


def parcels(*numbers: int) -> list[Parcel]:
    return [Parcel(number, b"x") for number in numbers]


async def test_parcels_are_taken_in_order_and_waited_for() -> None:
    outlet = Outlet()
    outlet.offer(parcels(1, 2))
    assert [(await outlet.take()).number for _ in range(2)] == [1, 2]
    taking = asyncio.create_task(outlet.take())
    await asyncio.sleep(0)
    outlet.offer(parcels(3))
    assert (await taking).number == 3


async def test_who_is_too_slow_is_told_and_nothing_of_theirs_is_kept() -> None:
    outlet = Outlet(most=2)
    outlet.offer(parcels(1, 2))
    assert outlet.waiting == 2
    outlet.offer(parcels(3))
    assert outlet.waiting == 0
    with pytest.raises(EndedError) as ended:
        await outlet.take()
    assert ended.value.ending is Ending.SLOW
    outlet.offer(parcels(4))
    assert outlet.waiting == 0


async def test_who_waits_is_told_of_the_end() -> None:
    outlet = Outlet()
    taking = asyncio.create_task(outlet.take())
    await asyncio.sleep(0)
    outlet.end(Ending.CLOSING)
    outlet.end(Ending.SLOW)  # it has ended already
    with pytest.raises(EndedError) as ended:
        await taking
    assert ended.value.ending is Ending.CLOSING
