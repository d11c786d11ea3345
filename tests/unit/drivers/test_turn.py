"""The promises of `drivers.turn`."""

import asyncio

import pytest

from drivers.turn import Turn


async def has(turn: Turn, name: str, had: list[str], leave: asyncio.Event) -> None:
    await turn.come()
    try:
        had.append(name)
        await leave.wait()
    finally:
        turn.over()


async def test_it_goes_in_the_order_of_asking() -> None:
    turn, had, leave = Turn(), list[str](), asyncio.Event()
    leave.set()
    assert turn.taken_at_once()
    async with asyncio.TaskGroup() as tasks:
        for name in "abc":
            tasks.create_task(has(turn, name, had, leave))
        await asyncio.sleep(0)
        assert had == []
        assert not turn.taken_at_once()
        turn.over()
    assert had == ["a", "b", "c"]
    assert not turn.is_taken


async def test_nobody_comes_between_one_who_goes_and_one_who_waits() -> None:
    turn, had, leave = Turn(), list[str](), asyncio.Event()
    assert turn.taken_at_once()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(has(turn, "waited", had, leave))
        await asyncio.sleep(0)
        turn.over()
        assert not turn.taken_at_once()
        leave.set()
    assert had == ["waited"]


@pytest.mark.parametrize("is_given_first", [False, True])
async def test_who_is_cancelled_has_none_and_holds_up_nobody(is_given_first: bool) -> None:
    turn, had, leave = Turn(), list[str](), asyncio.Event()
    leave.set()
    assert turn.taken_at_once()
    gone = asyncio.create_task(has(turn, "gone", had, leave))
    waits = asyncio.create_task(has(turn, "waits", had, leave))
    await asyncio.sleep(0)
    if is_given_first:
        turn.over()
        gone.cancel()
    else:
        gone.cancel()
        await asyncio.sleep(0)
        turn.over()
    await waits
    with pytest.raises(asyncio.CancelledError):
        await gone
    assert had == ["waits"]
    assert not turn.is_taken
