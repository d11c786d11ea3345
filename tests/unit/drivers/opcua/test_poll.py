import pytest

from drivers.contract import DriverError, Rejected
from drivers.opcua.limits import Limits
from drivers.opcua.poll import Polling
from drivers.opcua.services import Place
from tests.support.clock import FakeClock
from tests.unit.drivers.opcua.fake_connection import FakeConnection
from tests.unit.drivers.opcua.test_items import refusal

INTERVALS_S = {"a": 1.0, "b": 1.0, "c": 10.0}


def polling(server: FakeConnection) -> Polling:
    places = {key: Place(1, key) for key in INTERVALS_S}
    server.holds = {"a": 1, "b": 2, "c": 3}
    return Polling(server, places, INTERVALS_S, server.clock.mono_s)


async def news(of: Polling) -> dict[str, object] | None:
    read = await of.read_due()
    return None if read is None else {key: raw.value for key, raw in read[0]}


async def test_the_first_reading_is_told_and_then_what_differs(
    server: FakeConnection, clock: FakeClock
) -> None:
    polled = polling(server)
    waited = [polled.awaits_first_values]
    assert await news(polled) == {"a": 1, "b": 2, "c": 3}
    assert [*waited, polled.awaits_first_values] == [True, False]
    assert await news(polled) is None
    server.holds["b"] = 5
    clock.advance(1)
    assert await news(polled) == {"b": 5}
    clock.advance(1)
    assert await news(polled) == {}
    assert server.reads == [["a", "b", "c"], ["a", "b"], ["a", "b"]]


async def test_each_group_has_its_interval_and_a_slot_that_passed_is_skipped(
    server: FakeConnection, clock: FakeClock
) -> None:
    polled = polling(server)
    await polled.read_due()
    assert polled.due_s == clock.mono_s() + 1
    clock.advance(7.3)
    await polled.read_due()
    assert polled.due_s == clock.mono_s() + 1
    clock.advance(2.7)
    await polled.read_due()
    assert server.reads[-1] == ["a", "b", "c"]


async def test_readings_stay_within_the_limit(server: FakeConnection) -> None:
    server.limits = Limits(nodes_per_read=2)
    assert await news(polling(server)) == {"a": 1, "b": 2, "c": 3}
    assert server.reads == [["a", "b"], ["c"]]


async def test_what_is_too_much_is_halved_and_stays_so(
    server: FakeConnection,
) -> None:
    server.most_reads = 1
    polled = polling(server)
    assert await news(polled) == {"a": 1, "b": 2, "c": 3}
    assert server.reads == [["a"], ["b"], ["c"]]


async def test_a_refusal_of_one_is_an_error(server: FakeConnection) -> None:
    server.most_reads = -1
    with pytest.raises(Rejected):
        await polling(server).read_due()


async def test_a_reading_that_failed_hides_nothing(
    server: FakeConnection, clock: FakeClock
) -> None:
    server.limits = Limits(nodes_per_read=2)
    polled = polling(server)
    await polled.read_due()
    server.holds |= {"a": 10, "c": 30}
    clock.advance(10)
    server.read_fails_at = len(server.reads) + 1
    server.read_fails = refusal("BadTimeout")
    with pytest.raises(DriverError):
        await polled.read_due()
    server.read_fails = None
    assert await news(polled) == {"a": 10, "c": 30}


def test_without_polled_tags_nothing_is_due(server: FakeConnection) -> None:
    none = Polling(server, {}, {}, server.clock.mono_s)
    assert none.due_s is None
    assert not none.awaits_first_values
