import asyncio

from gateway.publish.room import Room
from tests.support.clock import FakeClock


async def test_it_grows_while_the_broker_is_quick_and_never_beyond_what_it_allows() -> None:
    clock = FakeClock()
    room = Room(50, clock.mono_s)
    assert room.limit == 10
    for _ in range(100):
        room.leave(await room.enter())
    assert room.limit == 50


async def test_a_slow_line_halves_it_once_for_all_that_was_under_way() -> None:
    clock = FakeClock()
    room = Room(16, clock.mono_s)
    for _ in range(10):
        room.leave(await room.enter())
    places = [await room.enter() for _ in range(16)]
    clock.advance(3)
    for place in places:
        room.leave(place)
    assert room.limit == 8
    place = await room.enter()
    clock.advance(3)
    room.leave(place)
    assert room.limit == 4
    for _ in range(5):
        room.leave(await room.enter())
    assert room.limit == 5  # one more for a whole round of quick ones


async def test_who_waits_is_served_in_order_and_who_gives_up_is_passed_over() -> None:
    room = Room(1, FakeClock().mono_s)
    place = await room.enter()
    served: list[int] = []

    async def come(number: int) -> None:
        mine = await room.enter()
        served.append(number)
        await asyncio.sleep(0)
        room.leave(mine)

    tasks = [asyncio.create_task(come(number)) for number in range(4)]
    await asyncio.sleep(0)
    tasks[1].cancel()
    room.leave(place)
    await asyncio.gather(*tasks, return_exceptions=True)
    assert served == [0, 2, 3]


async def test_a_place_given_to_one_who_has_just_given_up_is_not_lost() -> None:
    room = Room(1, FakeClock().mono_s)
    place = await room.enter()
    first, second = (asyncio.create_task(room.enter()) for _ in range(2))
    await asyncio.sleep(0)
    room.leave(place)
    first.cancel()
    await second
