"""Conditions and polled values in a session; pushed values are in ``test_driver``."""

import asyncio

from drivers.contract import Batch, conditions_of
from drivers.opcua.alarms import ActiveConditions, Notice
from drivers.opcua.batches import Picture
from drivers.opcua.convert import Scaling
from drivers.opcua.items import Items, Target
from drivers.opcua.limits import Limits
from drivers.opcua.nodes import parse
from drivers.opcua.poll import Polling
from drivers.opcua.services import Message, Raw
from drivers.opcua.session import Alarms, OpcUaSession
from drivers.opcua.subscription import Subscription
from tests.support.clock import FakeClock
from tests.unit.drivers.opcua.fake_connection import FakeConnection

ENDED = Notice("refresh_ended")
TARGETS = {
    "a": Target(parse("nsu=urn:plc;s=A")),
    "alarms": Target(parse("i=2253"), conditions=True),
}


async def opened(server: FakeConnection, *, may_poll: bool = False) -> OpcUaSession:
    mono_s = server.clock.mono_s
    items = Items(server, TARGETS, retry_refused_s=30, monotonic=mono_s, may_poll=may_poll)
    subscription = Subscription(server, items, keepalive_s=10, supervise_s=3600, monotonic=mono_s)
    await subscription.start()
    return OpcUaSession(
        subscription,
        Polling(server, items.polled, dict.fromkeys(TARGETS, 1.0), mono_s),
        Alarms(
            server,
            subscription,
            lambda: ActiveConditions(text_names=False, refresh_every_s=600, monotonic=mono_s),
            refresh_s=5,
        ),
        Picture(TARGETS, opened_mono_s=mono_s(), max_skew_s=None),
        dict.fromkeys(TARGETS, Scaling()),
        wait_until_mono_s=mono_s() + 10,
    )


def alarm(name: str, *, active: bool = True) -> Notice:
    return Notice("condition", id=f"ns=2;s={name}", name=name, retain=active, active=active)


def tells(server: FakeConnection, sequence: int, *notices: Notice, **values: int) -> None:
    """Send events and values in one message."""
    handle = server.handles["2253"]
    arrived = server._arrival()  # noqa: SLF001
    raws = [Raw(server.handles[name], value, 0, None) for name, value in values.items()]
    told = [(handle, notice) for notice in notices]
    server.answers.put_nowait(Message(arrived, sequence, raws, subscription=1, notices=told))


async def read(session: OpcUaSession) -> Batch:
    async with asyncio.timeout(60):
        return await session.read(())


def codes(batch: Batch) -> list[str]:
    found = conditions_of(batch.changed["alarms"])
    assert found is not None
    return [one.code for one in found]


async def test_the_first_batch_waits_for_the_end_of_the_refresh(server: FakeConnection) -> None:
    session = await opened(server)
    tells(server, 1, Notice("refresh_began"), alarm("Door"), A=1)
    tells(server, 2, alarm("Oil"), ENDED)
    first = await read(session)
    assert (first.changed["a"], codes(first), first.bad) == (1, ["Door", "Oil"], {})
    assert server.refreshed == [(1, 1000 + server.handles["2253"])]
    first.committed()
    tells(server, 3, A=2)
    await read(session)
    tells(server, 4, A=3)
    await read(session)
    assert server.acknowledged[-1] == []
    assert server.acknowledged[2] == [(1, 1), (1, 2)]


async def test_after_a_lost_message_all_conditions_are_asked_for_again(
    server: FakeConnection,
) -> None:
    session = await opened(server)
    tells(server, 1, alarm("Door"), ENDED, A=1)
    await read(session)
    tells(server, 3, A=2)
    batch = await read(session)
    assert batch.overflowed == {"a": 1, "alarms": 1}
    tells(server, 4, alarm("Oil"), ENDED)
    assert codes(await read(session)) == ["Oil"]
    assert len(server.refreshed) == 2


async def test_a_server_without_a_refresh_is_uncertain(server: FakeConnection) -> None:
    server.knows_refresh = False
    session = await opened(server)
    tells(server, 1, A=1)
    tells(server, 2, alarm("Door"))
    batches = [await read(session), await read(session)]
    assert [codes(batch) for batch in batches] == [[], ["Door"]]
    assert [batch.uncertain for batch in batches] == [{"alarms"}, {"alarms"}]
    assert len(server.refreshed) == 1


async def test_an_event_of_an_item_that_was_replaced_is_nobodys(server: FakeConnection) -> None:
    session = await opened(server)
    tells(server, 1, ENDED, A=1)
    await read(session)
    message = Message(
        server._arrival(),  # noqa: SLF001
        2,
        (),
        subscription=1,
        notices=[(99, alarm("Door"))],
    )
    server.answers.put_nowait(message)
    assert (await read(session)).changed == {}


async def test_alarms_find_room_before_values_do(server: FakeConnection, clock: FakeClock) -> None:
    server.limits = Limits(items_per_session=1)
    items = Items(server, TARGETS, retry_refused_s=30, monotonic=clock.mono_s, may_poll=True)
    await items.start()
    assert items.polled.keys() == {"a"}
    assert items.subscription_of("alarms") is not None
