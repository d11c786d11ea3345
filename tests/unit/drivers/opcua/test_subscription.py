import asyncio

import pytest

from drivers.contract import BadReply, Rejected, Unreachable
from drivers.opcua.batches import Arrival
from drivers.opcua.items import Items, Target
from drivers.opcua.limits import Limits
from drivers.opcua.nodes import NodeRef, parse
from drivers.opcua.services import Message, Raw
from drivers.opcua.subscription import Subscription
from tests.support.clock import FakeClock
from tests.support.until import until
from tests.unit.drivers.opcua.fake_connection import FakeConnection

UNKNOWN, BUSY = 0x8034_0000, 0x80DB_0000
NODES = {"a": "nsu=urn:plc;s=A", "b": "nsu=urn:plc;s=B", "c": "nsu=urn:late;s=C"}


def subscription(
    server: FakeConnection, *, keepalive_s: float = 10, nodes: dict[str, str] | None = None
) -> Subscription:
    items = Items(
        server,
        {key: Target(parse(node)) for key, node in (nodes or NODES).items()},
        retry_refused_s=30,
        monotonic=server.clock.mono_s,
    )
    return Subscription(
        server, items, keepalive_s=keepalive_s, supervise_s=3600, monotonic=server.clock.mono_s
    )


async def heard(wanted: Subscription) -> Message:
    message = await wanted.next()
    assert isinstance(message, Message)
    return message


async def test_every_node_gets_an_item_and_each_value_finds_its_tag(
    server: FakeConnection,
) -> None:
    wanted = subscription(server)
    await wanted.start()
    assert server.created == [["A", "B", "C"]]
    assert server.uri_of == {"A": "urn:plc", "B": "urn:plc", "C": "urn:late"}
    assert wanted.items.refused == {}
    assert wanted.items.awaits_first_values
    server.sends(1, A=1, B=2)
    message = await heard(wanted)
    assert [(wanted.items.key_of(raw.handle), raw.value) for raw in message.raws] == [
        ("a", 1),
        ("b", 2),
    ]
    assert wanted.items.awaits_first_values
    server.sends(2, C=3)
    await heard(wanted)
    assert not wanted.items.awaits_first_values


@pytest.mark.parametrize(("limit", "sizes"), [(0, [500, 500, 200]), (450, [450, 450, 300])])
async def test_items_are_asked_for_in_pieces_the_server_takes(
    server: FakeConnection, limit: int, sizes: list[int]
) -> None:
    server.limits = Limits(items_per_call=limit)
    await subscription(
        server, nodes={f"t{n}": str(NodeRef("urn:plc", n)) for n in range(1200)}
    ).start()
    assert [len(names) for names in server.created] == sizes
    assert len({name for names in server.created for name in names}) == 1200


async def test_a_refused_node_is_asked_for_again_beside_the_others(
    server: FakeConnection, clock: FakeClock
) -> None:
    server.refuses = {"A": UNKNOWN, "B": BUSY}
    server.uris = ["", "urn:plc"]
    wanted = subscription(server)
    await wanted.start()
    assert wanted.items.refused == {"a": "missing_node", "b": "device_busy", "c": "missing_node"}
    assert server.created == [["A", "B"]]
    server.sends_raw(1)
    clock.advance(29)
    await wanted.next()
    assert len(server.created) == 1
    server.refuses = {"B": BUSY}
    server.uris = ["", "urn:late", "urn:plc"]
    server.sends_raw(1)
    clock.advance(2)
    await wanted.next()
    assert server.created[1:] == [["A", "B", "C"]]
    assert wanted.items.refused == {"b": "device_busy"}
    assert server.deleted == []
    clock.advance(31)
    server.sends(1, A=1, C=3)
    assert [wanted.items.key_of(raw.handle) for raw in (await heard(wanted)).raws] == ["a", "c"]
    assert server.created[2:] == [["B"]]


async def test_a_server_that_takes_no_items_now_keeps_its_session(
    server: FakeConnection, clock: FakeClock
) -> None:
    server.refuses = {"A": UNKNOWN}
    wanted = subscription(server)
    await wanted.start()
    server.create_fails = Rejected("opc.tcp://plc:4840", "too many operations")
    for sequence in (1, 2):
        clock.advance(31)
        server.sends(sequence, B=sequence)
        assert (await heard(wanted)).sequence == sequence
        assert wanted.items.refused == {"a": "missing_node"}
    server.create_fails, server.refuses = None, {}
    clock.advance(31)
    server.sends_raw(3)
    await wanted.next()
    assert wanted.items.refused == {}


async def test_an_item_whose_node_went_away_is_replaced(
    server: FakeConnection, clock: FakeClock
) -> None:
    wanted = subscription(server)
    await wanted.start()
    old = server.handles["B"]
    server.sends_raw(1, Raw(old, None, UNKNOWN, None))
    await wanted.next()
    assert wanted.items.refused == {"b": "missing_node"}
    clock.advance(31)
    server.sends_raw(2, Raw(old, 5, 0, None))
    late = await heard(wanted)
    assert server.deleted == [1000 + old]
    assert server.created[1:] == [["B"]]
    assert [wanted.items.key_of(raw.handle) for raw in late.raws] == [None]
    server.sends(3, B=6)
    assert [wanted.items.key_of(raw.handle) for raw in (await heard(wanted)).raws] == ["b"]


async def test_a_node_that_comes_back_by_itself_is_left_alone(
    server: FakeConnection, clock: FakeClock
) -> None:
    wanted = subscription(server)
    await wanted.start()
    server.sends_raw(1, Raw(server.handles["B"], None, UNKNOWN, None))
    await wanted.next()
    server.sends(2, B=1)
    await wanted.next()
    clock.advance(31)
    server.sends_raw(3)
    await wanted.next()
    assert (wanted.items.refused, len(server.created)) == ({}, 1)


async def test_only_what_was_released_is_acknowledged(server: FakeConnection) -> None:
    wanted = subscription(server)
    await wanted.start()
    for sequence in (1, 2, 3):
        server.sends(sequence, A=sequence)
        await wanted.next()
    assert server.acknowledged == [[], [], []]
    wanted.acknowledge([(1, 1), (1, 2)])
    server.sends_raw(4)
    await wanted.next()
    server.sends_raw(4)
    await wanted.next()
    assert server.acknowledged[3:] == [[(1, 1), (1, 2)], []]


async def test_missing_messages_are_counted(server: FakeConnection) -> None:
    wanted = subscription(server)
    await wanted.start()
    skipped = []
    for sequence, values in [
        (7, {"A": 1}),
        (8, {}),
        (8, {"A": 2}),
        (0, {}),
        (11, {"A": 3}),
        (11, {"A": 4}),
        (12, {"A": 5}),
    ]:
        server.sends(sequence, **values)
        skipped.append((await heard(wanted)).skipped)
    assert skipped == [0, 0, 0, 0, 2, 0, 0]


async def test_the_numbers_of_messages_begin_again_at_one(server: FakeConnection) -> None:
    wanted = subscription(server)
    await wanted.start()
    server.sends(0xFFFF_FFFF, A=1)
    await wanted.next()
    server.sends(1, A=2)
    assert (await heard(wanted)).skipped == 0


async def test_one_request_is_under_way_and_survives_a_cancelled_wait(
    server: FakeConnection,
) -> None:
    wanted = subscription(server)
    await wanted.start()
    for _ in range(3):
        waiting = asyncio.create_task(wanted.next())
        await until(lambda: server.acknowledged)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    server.sends(1, A=1)
    assert (await heard(wanted)).sequence == 1
    assert server.acknowledged == [[]]


async def test_a_silent_server_is_asked_and_given_up_after_three_keepalives(
    server: FakeConnection, clock: FakeClock
) -> None:
    wanted = subscription(server, keepalive_s=0.01)
    server.keepalive_s = 4.0
    await wanted.start()
    clock.advance(100)
    for confirms in (1, 2, 3):
        news = await wanted.next()
        assert news == Arrival(clock.now(), clock.mono_s())
        assert server.confirms == confirms
        clock.advance(4)
    clock.advance(0.1)
    with pytest.raises(Unreachable, match="has sent nothing for 12 s"):
        await wanted.next()
    await wanted.close()


async def test_time_nobody_was_listening_is_no_silence(
    server: FakeConnection, clock: FakeClock
) -> None:
    wanted = subscription(server, keepalive_s=0.01)
    await wanted.start()
    server.sends(1, A=1)
    await wanted.next()
    clock.advance(1000)
    assert isinstance(await wanted.next(), Arrival)
    await wanted.close()


async def test_what_the_request_meets_is_raised_and_closing_is_quiet(
    server: FakeConnection,
) -> None:
    wanted = subscription(server)
    await wanted.start()
    server.answers.put_nowait(BadReply("opc.tcp://plc:4840", "garbage"))
    with pytest.raises(BadReply):
        await wanted.next()
    waiting = asyncio.create_task(wanted.next())
    await until(lambda: len(server.acknowledged) == 2)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await wanted.close()


async def test_a_failure_nobody_waits_for_is_quiet_on_closing(server: FakeConnection) -> None:
    wanted = subscription(server, keepalive_s=0.01)
    await wanted.start()
    assert isinstance(await wanted.next(), Arrival)
    server.answers.put_nowait(Unreachable("opc.tcp://plc:4840", "gone"))
    await wanted.close()
