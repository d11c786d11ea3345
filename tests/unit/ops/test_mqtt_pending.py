import asyncio

import pytest

from gateway.ops.mqtt_pending import SLOWEST_BYTES_PER_S, Pending, code_name
from gateway.ops.mqtt_terms import Refused


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
    for mid in range(1, 6):
        pending.add(mid)
    for mid in range(1, 5):
        loop.now_s += 9
        assert not pending.is_overdue()
        pending.answer(mid, 0)
    loop.now_s += 11
    assert pending.is_overdue()


async def test_answers_to_others_do_not_excuse_the_oldest() -> None:
    loop = Loop()
    pending = Pending(loop, 10.0)  # type: ignore[arg-type]
    for mid in range(1, 6):
        pending.add(mid)
    for mid in range(2, 6):
        loop.now_s += 3
        pending.answer(mid, 0)
    assert pending.is_overdue()


async def test_a_large_packet_has_the_time_a_slow_line_needs() -> None:
    loop = Loop()
    pending = Pending(loop, 10.0)  # type: ignore[arg-type]
    pending.add(1, size=int(20 * SLOWEST_BYTES_PER_S))
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
    future = pending.add(1)
    pending.answer(1, code)
    assert code_name(code) == name
    with pytest.raises(Refused, match=name):
        await future
