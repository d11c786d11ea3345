import asyncio
from collections.abc import Callable

import pytest

from drivers.contract import Batch, Misconfigured, TagRequest
from drivers.opcua import SPEC
from drivers.opcua.alarms import ActiveConditions
from drivers.opcua.batches import Picture
from drivers.opcua.convert import Scaling
from drivers.opcua.items import Items, Target
from drivers.opcua.nodes import parse
from drivers.opcua.poll import Polling
from drivers.opcua.services import Raw
from drivers.opcua.session import Alarms, OpcUaSession
from drivers.opcua.subscription import Subscription
from tests.support.clock import FakeClock
from tests.support.until import until
from tests.unit.drivers.opcua.fake_connection import FakeConnection

UNKNOWN = 0x8034_0000
NODES = {"a": "nsu=urn:plc;s=A", "b": "nsu=urn:plc;s=B", "c": "nsu=urn:plc;s=C"}
SCALINGS = {"a": Scaling(), "b": Scaling(0.5), "c": Scaling()}


async def opened(server: FakeConnection, *, keepalive_s: float = 10) -> OpcUaSession:
    mono_s = server.clock.mono_s()
    items = Items(
        server,
        {key: Target(parse(node)) for key, node in NODES.items()},
        retry_refused_s=30,
        monotonic=server.clock.mono_s,
        may_poll=True,
    )
    subscription = Subscription(
        server, items, keepalive_s=keepalive_s, supervise_s=3600, monotonic=server.clock.mono_s
    )
    await subscription.start()
    return OpcUaSession(
        subscription,
        Polling(server, items.polled, dict.fromkeys(NODES, 1.0), server.clock.mono_s),
        Alarms(server, subscription, active_conditions(server), refresh_s=5),
        Picture(NODES, opened_mono_s=mono_s, max_skew_s=None),
        SCALINGS,
        wait_until_mono_s=mono_s + keepalive_s,
    )


def active_conditions(server: FakeConnection) -> Callable[[], ActiveConditions]:
    return lambda: ActiveConditions(
        text_names=False, refresh_every_s=600, monotonic=server.clock.mono_s
    )


async def read(session: OpcUaSession) -> Batch:
    async with asyncio.timeout(60):
        return await session.read(())


async def test_the_first_batch_waits_for_the_first_value_of_every_item(
    server: FakeConnection,
) -> None:
    session = await opened(server)
    server.sends_raw(1)
    server.sends(1, A=1, B=4)
    server.sends(2, C=3)
    first = await read(session)
    assert (first.changed, first.bad) == ({"a": 1, "b": 2.0, "c": 3}, {})
    first.committed()
    server.sends_raw(3)
    await read(session)
    assert server.acknowledged == [[], [], [], [(1, 1), (1, 2)]]


async def test_a_change_while_waiting_for_first_values_is_not_lost(
    server: FakeConnection,
) -> None:
    session = await opened(server)
    server.sends(1, A=1, B=4)
    server.sends(2, A=2)
    server.sends(3, C=3)
    batches = [await read(session), await read(session)]
    assert [b.changed for b in batches] == [{"a": 1, "b": 2.0, "c": 3}, {"a": 2}]
    assert batches[0].bad == {}


async def test_a_refused_item_is_not_waited_for(server: FakeConnection) -> None:
    server.refuses = {"C": UNKNOWN}
    session = await opened(server)
    server.sends(1, A=1, B=4)
    first = await read(session)
    assert (first.changed, first.bad) == ({"a": 1, "b": 2.0}, {"c": "missing_node"})


async def test_a_server_without_any_of_the_nodes_still_gives_a_first_batch(
    server: FakeConnection,
) -> None:
    server.refuses = dict.fromkeys("ABC", UNKNOWN)
    session = await opened(server)
    server.sends_raw(1)
    first = await read(session)
    assert (first.changed, first.bad) == ({}, dict.fromkeys("abc", "missing_node"))


async def test_a_value_that_never_comes_is_waited_for_one_keepalive(
    server: FakeConnection, clock: FakeClock
) -> None:
    session = await opened(server)
    server.sends(1, A=1, B=4)
    reading = asyncio.create_task(read(session))
    await until(lambda: len(server.acknowledged) == 2)
    assert not reading.done()
    clock.advance(10)
    server.sends_raw(2)
    first = await reading
    assert (first.changed, first.bad) == ({"a": 1, "b": 2.0}, {"c": "never_read"})
    server.sends(2, C=3)
    late = await read(session)
    assert (late.changed, late.bad) == ({"c": 3}, {})


async def test_an_item_that_is_made_later_holds_nothing_up(
    server: FakeConnection, clock: FakeClock
) -> None:
    server.refuses = {"C": UNKNOWN}
    session = await opened(server)
    server.sends(1, A=1, B=4)
    await read(session)
    server.refuses = {}
    clock.advance(31)
    server.sends(2, A=2)
    batch = await read(session)
    assert (batch.changed, batch.bad) == ({"a": 2}, {"c": "missing_node"})
    server.sends(3, C=3)
    batch = await read(session)
    assert (batch.changed, batch.bad) == ({"c": 3}, {})


async def test_an_answer_to_our_own_question_is_a_sign_of_life(server: FakeConnection) -> None:
    server.refuses = dict.fromkeys("ABC", UNKNOWN)
    session = await opened(server, keepalive_s=0.01)
    first = await read(session)
    calm = await read(session)
    assert server.confirms == 2
    assert calm.changed == {}
    assert calm.covers is first.covers
    server.sends_raw(1)
    await read(session)


async def test_a_lost_message_is_named_once(server: FakeConnection) -> None:
    session = await opened(server)
    server.sends(1, A=1, B=4, C=3)
    await read(session)
    server.sends(4, A=2)
    assert (await read(session)).overflowed == {"a": 2, "b": 2, "c": 2}
    server.sends(5, A=3)
    assert (await read(session)).overflowed == {}


async def test_a_value_of_a_replaced_item_is_no_ones(server: FakeConnection) -> None:
    session = await opened(server)
    server.sends(1, A=1, B=4, C=3)
    await read(session)
    server.sends_raw(2, Raw(9999, 5, 0, None))
    assert (await read(session)).changed == {}


def request(key: str, group: str = "plc") -> TagRequest:
    return TagRequest(key, group, None, SPEC.tag_settings(node="nsu=urn:plc;s=A"))


def test_groups_hold_every_tag_once_and_have_no_interval() -> None:
    link = SPEC.link_settings(endpoint="opc.tcp://plc")
    driver = SPEC.create(link, [request("m/a"), request("m/b", "slow"), request("m/c")], {})
    assert driver.endpoint == "opc.tcp://plc:4840"
    assert {(g.name, g.poll_interval_s, g.keys) for g in driver.groups} == {
        ("plc", None, frozenset({"m/a", "m/c"})),
        ("slow", None, frozenset({"m/b"})),
    }


def test_a_key_that_comes_twice_is_named() -> None:
    link = SPEC.link_settings(endpoint="opc.tcp://plc")
    with pytest.raises(Misconfigured, match="m/b: this tag comes twice"):
        SPEC.create(link, [request("m/a"), request("m/b"), request("m/b")], {})
