"""What asyncua's own client does wrong under stress, and that this driver does not.

One test or more for each of the pitfalls U1-U12 and U16, each against a real server that
does the bad thing. Those of certificates (U13, U14) are in
``tests/integration/test_opcua_security.py``.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from asyncua import ua
from asyncua.common.utils import ServiceError

from drivers.contract import Batch, Driver, Session, Unreachable, Value
from simulators.link import Link
from tests.support.opcua_rig import (
    HASTY_S,
    KEEPALIVE_S,
    URI,
    OpcUaServer,
    opcua_driver,
    opcua_server,
)
from tests.support.until import until

NAMES = {"m/run": "run", "m/count": "count"}
VALUES: dict[str, Value] = {"run": False, "count": 7}
READ = frozenset(NAMES)


async def read_until(session: Session, wanted: Callable[[Batch], object]) -> list[Batch]:
    """Read and commit batches up to the first that is ``wanted``; return them all."""
    batches: list[Batch] = []
    async with asyncio.timeout(60):
        while not batches or not wanted(batches[-1]):
            batches.append(await session.read(()))
            batches[-1].committed()
    return batches


def subscriptions_of(server: OpcUaServer) -> Any:
    """Return the library's service, for a test that breaks something in it."""
    return server.library.iserver.subscription_service


def counts(batches: Sequence[Batch]) -> list[Value]:
    return [batch.changed["m/count"] for batch in batches if "m/count" in batch.changed]


@pytest.mark.fault(
    42,
    injection="after a restart the server has a node only later",
    expectation="live as soon as it appears, without a new session",
)
async def test_u1_an_item_that_appears_late_is_watched_later() -> None:
    async with opcua_server(VALUES) as server:
        driver = opcua_driver(server.endpoint, NAMES)
        async with driver.open() as session:
            await session.read(())
        await server.stop()
        del server.values["count"]
        await server.start()
        async with driver.open() as session:
            first = await session.read(())
            assert (first.changed, first.bad) == ({"m/run": False}, {"m/count": "missing_node"})
            await server.add("count", 8)
            *_, late = await read_until(session, lambda b: b.changed)
            assert (late.changed, late.bad) == ({"m/count": 8}, {})
            await server.set("count", 9)
            *_, changed = await read_until(session, lambda b: b.changed)
            assert changed.changed == {"m/count": 9}


@pytest.mark.fault(
    43,
    injection="the answer to CreateSubscription never comes",
    expectation="an error and a new session, not a mute one",
)
async def test_u2_a_timeout_while_subscribing_is_an_error_and_not_a_mute_session() -> None:
    async with opcua_server(VALUES) as server:
        service = subscriptions_of(server)
        answers, released = service.create_subscription, asyncio.Event()

        async def never(*asked: Any, **more: Any) -> Any:
            await released.wait()
            return await answers(*asked, **more)

        service.create_subscription = never
        driver = opcua_driver(server.endpoint, NAMES, timeout_s=HASTY_S)
        with pytest.raises(Unreachable, match="no answer in time"):
            async with driver.open():
                pass
        released.set()
        service.create_subscription = answers
        async with driver.open() as session:
            assert (await session.read(())).changed == {"m/run": False, "m/count": 7}


@pytest.mark.fault(
    43,
    injection="a monitored item dies in the server without a word",
    expectation="found and made anew, with the value it missed",
)
async def test_u2_an_item_that_died_without_a_word_is_made_anew() -> None:
    async with opcua_server(VALUES) as server:
        driver = opcua_driver(server.endpoint, NAMES, supervise_s=0.3)
        async with driver.open() as session:
            await session.read(())
            [subscription] = server.subscriptions
            subscription.monitored_item_srv.delete_monitored_items([max(server.items)])
            assert len(server.items) == 1
            await server.set("run", value=True)
            await server.set("count", 8)
            batches = await read_until(session, lambda _: len(server.items) == 2)
            batches += await read_until(session, lambda b: b.covers)
            seen: dict[str, Value] = {}
            for batch in batches:
                seen |= batch.changed
            if seen.keys() != READ:
                seen |= (await read_until(session, lambda b: b.changed))[-1].changed
            assert seen == {"m/run": True, "m/count": 8}


async def test_u2_items_that_speak_are_left_alone() -> None:
    async with opcua_server(VALUES) as server:
        driver = opcua_driver(server.endpoint, NAMES, supervise_s=0.1)
        async with driver.open() as session:
            await session.read(())
            made = server.items
            for count in range(8, 30):
                await server.set("count", count)
                while (await session.read(())).changed.get("m/count") != count:
                    pass
            assert server.items == made


@pytest.mark.fault(
    44,
    injection="the connection is cut, twice",
    expectation="the next session has what changed meanwhile",
)
async def test_u3_after_a_drop_the_next_session_serves() -> None:
    async with opcua_server(VALUES) as server:
        link = await Link("127.0.0.1", server.port).open()
        try:
            driver = opcua_driver(f"opc.tcp://127.0.0.1:{link.listening}", NAMES)
            for count in (8, 9):
                async with driver.open() as session:
                    await session.read(())
                    await link.cut()
                    with pytest.raises(Unreachable):
                        await read_until(session, lambda _: False)
                await server.set("count", count)
                async with driver.open() as session:
                    assert (await session.read(())).changed["m/count"] == count
        finally:
            await link.close()


async def test_u4_a_dead_subscription_is_noticed_within_keepalives_and_not_in_minutes() -> None:
    async with opcua_server(VALUES) as server:
        driver = opcua_driver(server.endpoint, NAMES)
        async with driver.open() as session:
            await session.read(())
            [subscription] = server.subscriptions
            asked = subscription.data
            silence_ms = asked.RevisedPublishingInterval * asked.RevisedMaxKeepAliveCount
            assert silence_ms <= KEEPALIVE_S * 1000
            assert asked.RevisedLifetimeCount >= 10 * asked.RevisedMaxKeepAliveCount
            await server.forget_subscriptions()
            async with asyncio.timeout(3 * KEEPALIVE_S + 5):
                with pytest.raises(Unreachable):
                    await read_until(session, lambda _: False)


@pytest.mark.fault(
    2,
    injection="an OPC UA server sends on while nothing that was read is committed",
    expectation="nothing is acknowledged to it before the commit: a kill between leaves it there",
)
async def test_u5_nothing_is_acknowledged_before_it_is_committed() -> None:
    async with opcua_server(VALUES) as server:

        def kept() -> int:
            return len(server.subscriptions[0]._not_acknowledged_results)  # noqa: SLF001

        async with opcua_driver(server.endpoint, NAMES).open() as session:
            first = await session.read(())
            for _ in range(4):
                await session.read(())
            assert kept() == 1
            first.committed()
            await session.read(())
            await session.read(())
            assert kept() == 0


async def test_u6_a_burst_that_fits_the_queue_arrives_whole() -> None:
    async with opcua_server(VALUES) as server:
        driver = opcua_driver(
            server.endpoint, NAMES, publishing_interval_ms=500, keepalive_s=2, queue_size=5000
        )
        async with driver.open() as session:
            await session.read(())
            for count in range(8, 3008):
                await server.set("count", count)
            batches = await read_until(session, lambda b: b.changed.get("m/count") == 3007)
    assert counts(batches) == list(range(8, 3008))


async def test_u7_values_come_in_order_and_without_a_task_for_each() -> None:
    async with opcua_server(VALUES) as server:
        driver = opcua_driver(server.endpoint, NAMES, publishing_interval_ms=200, queue_size=1000)
        async with driver.open() as session:
            await session.read(())
            before = len(asyncio.all_tasks())
            for count in range(8, 508):
                await server.set("count", count)
            batches = [await session.read(())]
            assert len(asyncio.all_tasks()) <= before
            batches += await read_until(session, lambda b: b.changed.get("m/count") == 507)
    assert counts(batches) == list(range(8, 508))


@pytest.mark.fault(
    45,
    injection="the server answers late by three keep-alives, within the timeout",
    expectation="the same session and subscription, nothing missing",
)
async def test_u8_a_server_that_stalls_for_less_than_the_timeout_keeps_its_session() -> None:
    async with opcua_server(VALUES) as server:
        link = await Link("127.0.0.1", server.port).open()
        try:
            driver = opcua_driver(f"opc.tcp://127.0.0.1:{link.listening}", NAMES, timeout_s=5)
            async with driver.open() as session:
                await session.read(())
                link.faults.delay_s = 3 * KEEPALIVE_S
                await server.set("count", 8)
                batches = await read_until(session, lambda b: b.changed)
                assert counts(batches) == [8]
                link.faults.delay_s = 0.0
                await server.set("count", 9)
                assert counts(await read_until(session, lambda b: b.changed)) == [9]
                assert len(server.subscriptions) == 1
        finally:
            await link.close()


@pytest.mark.fault(
    46,
    injection="the server says that its queue overflowed",
    expectation="marked as overflowed, with the newest value",
)
async def test_u9_queues_survive_an_outage_of_the_reader_and_say_what_they_lost() -> None:
    async with opcua_server(VALUES) as server:
        driver = opcua_driver(server.endpoint, NAMES, queue_size=50)
        async with driver.open() as session:
            await session.read(())
            sizes = [
                item.queue_size
                for item in server.subscriptions[0].monitored_item_srv._monitored_items.values()  # noqa: SLF001
            ]
            assert sizes == [50, 50]
            lost = ua.StatusCode(0x0480)
            await server.tell("count", ua.DataValue(ua.Variant(9, ua.VariantType.Int64), lost))
            *_, batch = await read_until(session, lambda b: b.changed)
            assert (batch.changed, batch.overflowed) == ({"m/count": 9}, {"m/count": 1})


@asynccontextmanager
async def narrow(most: int, *, named: bool) -> AsyncIterator[tuple[OpcUaServer, list[int]]]:
    """A server of 40 values that takes ``most`` at once, and the sizes it was asked for."""
    async with opcua_server({f"v{n}": n for n in range(40)}) as server:
        asked: list[int] = []
        service, attributes = subscriptions_of(server), server.library.iserver.isession
        create, read = service.create_monitored_items, attributes.aspace

        async def few(parameters: Any) -> Any:
            asked.append(len(parameters.ItemsToCreate))
            if asked[-1] > most:
                raise ServiceError(ua.StatusCodes.BadTooManyOperations)
            return await create(parameters)

        service.create_monitored_items = few
        if named:
            limits = ua.ObjectIds
            for node in (
                limits.Server_ServerCapabilities_OperationLimits_MaxMonitoredItemsPerCall,
                limits.Server_ServerCapabilities_OperationLimits_MaxNodesPerRead,
            ):
                value = ua.DataValue(ua.Variant(most, ua.VariantType.UInt32))
                await read.write_attribute_value(ua.NodeId(node), ua.AttributeIds.Value, value)
        yield server, asked


@pytest.mark.parametrize(
    ("named", "sizes"), [(True, [7] * 5 + [5]), (False, [40, 20, 10, 5, 5, 5, 5, 5, 5, 5, 5])]
)
@pytest.mark.fault(
    47,
    injection="a server that takes 7 nodes at once, and says so or not",
    expectation="requests in pieces it takes, every value is there",
)
async def test_u10_requests_stay_within_what_the_server_takes(
    named: bool,
    sizes: list[int],
) -> None:
    async with narrow(7, named=named) as (server, asked):
        names = {f"m/v{n}": f"v{n}" for n in range(40)}
        async with opcua_driver(server.endpoint, names, keepalive_s=2).open() as session:
            first = await session.read(())
        assert first.changed == {f"m/v{n}": n for n in range(40)}
        assert asked == sizes


async def test_u11_many_values_share_one_subscription_and_one_message() -> None:
    names = {f"m/v{n}": f"v{n}" for n in range(600)}
    async with opcua_server({f"v{n}": 0 for n in range(600)}) as server:
        driver = opcua_driver(server.endpoint, names, publishing_interval_ms=500, keepalive_s=2)
        async with driver.open() as session:
            await session.read(())
            [subscription] = server.subscriptions
            before = subscription._notification_seq  # noqa: SLF001
            for name in names.values():
                await server.set(name, 1)
            changed: dict[str, Value] = {}
            while len(changed) < len(names):
                changed |= (await read_until(session, lambda b: b.changed))[-1].changed
            assert subscription._notification_seq - before <= 2  # noqa: SLF001


@pytest.mark.fault(
    44,
    injection="all packets vanish, three times",
    expectation="noticed each time, a new session each time",
)
async def test_u12_the_watchdog_bites_a_second_time_too() -> None:
    async with opcua_server(VALUES) as server:
        link = await Link("127.0.0.1", server.port).open()
        try:
            endpoint = f"opc.tcp://127.0.0.1:{link.listening}"
            driver: Driver = opcua_driver(endpoint, NAMES, timeout_s=HASTY_S)
            for _ in range(3):
                async with driver.open() as session:
                    await session.read(())
                    link.faults.black_hole = True
                    with pytest.raises(Unreachable):
                        await read_until(session, lambda _: False)
                link.faults.black_hole = False
                await link.cut()
                await until(lambda: not server.connections)
        finally:
            await link.close()


@pytest.mark.fault(
    49,
    injection="the server starts with its namespaces in another order",
    expectation="the same values, found by URI",
)
async def test_u16_a_namespace_that_moved_is_found_again_by_its_uri() -> None:
    async with opcua_server(VALUES) as server:
        driver = opcua_driver(server.endpoint, NAMES)
        async with driver.open() as session:
            await session.read(())
        await server.stop()
        server.uris = ("urn:other", "urn:another", URI)
        await server.start()
        async with driver.open() as session:
            assert (await session.read(())).changed == {"m/run": False, "m/count": 7}
