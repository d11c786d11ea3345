import asyncio

from gateway.publish.room import Room
from tests.support.clock import FakeClock


def go_through(room: Room, clock: FakeClock) -> None:
    """Be as quick as can be."""
    assert room.enter_at_once()
    room.leave([clock.mono_s()])


async def test_it_grows_while_the_broker_is_quick_and_never_beyond_what_it_allows() -> None:
    clock = FakeClock()
    room = Room(50, clock.mono_s)
    assert room.limit == 10
    for _ in range(100):
        go_through(room, clock)
    assert room.limit == 50


async def test_a_slow_line_halves_it_once_for_all_that_was_under_way() -> None:
    clock = FakeClock()
    room = Room(16, clock.mono_s)
    for _ in range(10):
        go_through(room, clock)
    asked_s = clock.mono_s()
    assert [room.enter_at_once() for _ in range(17)] == [True] * 16 + [False]
    clock.advance(3)
    room.leave([asked_s] * 9)
    room.leave([asked_s] * 7)
    assert room.limit == 8
    asked_s = clock.mono_s()
    await room.enter()
    clock.advance(3)
    room.leave([asked_s])
    assert room.limit == 4
    for _ in range(5):
        go_through(room, clock)
    assert room.limit == 5  # one more for a whole round of quick ones


async def test_who_waits_is_served_in_order_and_who_gives_up_is_passed_over() -> None:
    clock = FakeClock()
    room = Room(1, clock.mono_s)
    await room.enter()
    served: list[int] = []

    async def come(number: int) -> None:
        await room.enter()
        served.append(number)
        await asyncio.sleep(0)
        room.leave([clock.mono_s()])

    tasks = [asyncio.create_task(come(number)) for number in range(4)]
    await asyncio.sleep(0)
    tasks[1].cancel()
    room.leave([clock.mono_s()])
    await asyncio.gather(*tasks, return_exceptions=True)
    assert served == [0, 2, 3]


async def test_nobody_overtakes_who_waits() -> None:
    clock = FakeClock()
    room = Room(2, clock.mono_s)
    assert room.enter_at_once()
    assert room.enter_at_once()
    waiting = [asyncio.create_task(room.enter()) for _ in range(2)]
    await asyncio.sleep(0)
    room.leave([clock.mono_s()])
    assert not room.enter_at_once()
    room.turn_back()
    assert not room.enter_at_once()
    await asyncio.gather(*waiting)
    room.leave([clock.mono_s()])
    assert room.enter_at_once()


async def test_a_place_given_to_one_who_has_just_given_up_is_not_lost() -> None:
    clock = FakeClock()
    room = Room(1, clock.mono_s)
    await room.enter()
    first, second = (asyncio.create_task(room.enter()) for _ in range(2))
    await asyncio.sleep(0)
    room.leave([clock.mono_s()])
    first.cancel()
    await second
