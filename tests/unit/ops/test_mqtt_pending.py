import asyncio
from collections.abc import Sequence

import pytest

from gateway.ops.mqtt_pending import SLOWEST_BYTES_PER_S, Pending, code_name
from gateway.ops.mqtt_terms import ConnectionLost, Refused


class Loop:
    """What of a loop is used here, with a clock that is set."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def time(self) -> float:
        return self.now_s

    def create_future(self) -> "asyncio.Future[None]":
        return asyncio.get_running_loop().create_future()


async def test_a_slow_line_is_not_overdue_while_the_oldest_gets_through() -> None:
    loop = Loop()
    pending = Pending(loop, 10.0)  # type: ignore[arg-type]
    mids = [pending.publish(0)[0] for _ in range(5)]
    for mid in mids[:4]:
        loop.now_s += 9
        assert not pending.is_overdue()
        pending.answer([(mid, 0)])
    loop.now_s += 11
    assert pending.is_overdue()


async def test_answers_to_others_do_not_excuse_the_oldest() -> None:
    loop = Loop()
    pending = Pending(loop, 10.0)  # type: ignore[arg-type]
    mids = [pending.publish(0)[0] for _ in range(5)]
    for mid in mids[1:]:
        loop.now_s += 3
        pending.answer([(mid, 0)])
    assert pending.is_overdue()


async def test_answers_that_come_together_make_the_next_the_oldest_once() -> None:
    loop = Loop()
    pending = Pending(loop, 10.0)  # type: ignore[arg-type]
    mids = [pending.publish(0)[0] for _ in range(5)]
    loop.now_s = 9
    pending.answer([(mid, 0) for mid in mids[:4]])
    loop.now_s = 18
    assert not pending.is_overdue()
    loop.now_s = 20
    assert pending.is_overdue()


async def test_no_packet_id_is_given_twice_while_it_waits() -> None:
    pending = Pending(asyncio.get_running_loop(), 10.0)
    first, _ = pending.publish(0)
    for _ in range(0xFFFF - 0x400):
        mid, _ = pending.publish(0)
        pending.answer([(mid, 0)])
    assert mid == 0xFFFF
    assert pending.publish(0)[0] == first + 1


async def test_it_is_told_when_each_publish_that_waits_no_more_was_asked() -> None:
    loop, told = Loop(), list[Sequence[float]]()
    pending = Pending(loop, 10.0)  # type: ignore[arg-type]
    pending.on_published = told.append
    pending.subscribe(1)
    mids = []
    for loop.now_s in (1.0, 2.0, 3.0, 4.0, 5.0):
        mids.append(pending.publish(0)[0])
    pending.answer([(mids[1], 0), (1, 0), (mids[0], 0x87), (0x1234, 0)])
    pending.refuse(mids[2], Refused("too large"))
    pending.fail(ConnectionLost("gone"))
    assert told == [[2.0, 1.0], [3.0], [4.0, 5.0]]


async def test_a_large_packet_has_the_time_a_slow_line_needs() -> None:
    loop = Loop()
    pending = Pending(loop, 10.0)  # type: ignore[arg-type]
    pending.publish(int(20 * SLOWEST_BYTES_PER_S))
    loop.now_s = 29
    assert not pending.is_overdue()
    loop.now_s = 31
    assert pending.is_overdue()


@pytest.mark.parametrize(
    ("code", "name"),
    [(0x87, "Not authorized"), (0x95, "Packet too large"), (0xFE, "reason code 0xfe")],
)
async def test_every_refusal_has_a_name(code: int, name: str) -> None:
    pending = Pending(asyncio.get_running_loop(), 10.0)
    mid, future = pending.publish(0)
    pending.answer([(mid, code)])
    assert code_name(code) == name
    with pytest.raises(Refused, match=name):
        await future
