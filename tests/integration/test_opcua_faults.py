"""The OPC UA driver on a link, or before a server, that misbehaves."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from asyncua import ua

from drivers.contract import Driver, DriverError, Session, Unreachable, Value
from simulators.link import Link
from tests.support.opcua_rig import HASTY_S, KEEPALIVE_S, OpcUaServer, opcua_driver, opcua_server
from tests.support.until import until

NAMES = {"m/run": "run", "m/count": "count"}
VALUES: dict[str, Value] = {"run": False, "count": 7}
MARGIN_S = 5.0


@asynccontextmanager
async def plant(**settings: Any) -> AsyncIterator[tuple[OpcUaServer, Link, Driver]]:
    """A server, the link to it, and a driver at the near end."""
    async with opcua_server(VALUES) as server:
        link = await Link("127.0.0.1", server.port).open()
        try:
            endpoint = f"opc.tcp://127.0.0.1:{link.listening}"
            yield server, link, opcua_driver(endpoint, NAMES, **settings)
        finally:
            await link.close()


async def read_on(session: Session) -> None:
    while True:
        await session.read(())


@pytest.mark.fault(
    44,
    injection="all packets vanish, connections stay open",
    expectation="noticed within a keep-alive and a timeout",
)
async def test_a_black_hole_is_noticed_after_a_keepalive_and_a_timeout() -> None:
    async with plant(timeout_s=HASTY_S) as (_, link, driver), driver.open() as session:
        await session.read(())
        link.faults.black_hole = True
        async with asyncio.timeout(KEEPALIVE_S + HASTY_S + MARGIN_S):
            with pytest.raises(Unreachable):
                await read_on(session)


@pytest.mark.fault(
    44,
    injection="the connection is reset",
    expectation="noticed at once",
)
async def test_a_cut_is_noticed_at_once() -> None:
    async with plant(keepalive_s=60) as (_, link, driver), driver.open() as session:
        await session.read(())
        reading = asyncio.create_task(session.read(()))
        await asyncio.sleep(0)
        await link.cut()
        async with asyncio.timeout(MARGIN_S):
            with pytest.raises(Unreachable):
                await reading


@pytest.mark.parametrize("fault", ["slices", "delay"])
async def test_a_slow_link_loses_nothing(fault: str) -> None:
    async with plant() as (server, link, driver):
        link.faults.slices = fault == "slices"
        link.faults.delay_s = 0.1 if fault == "delay" else 0.0
        counts: list[Value] = []
        async with driver.open() as session:
            while not counts or counts[-1] != 17:
                batch = await session.read(())
                batch.committed()
                counts += [batch.changed["m/count"]] if "m/count" in batch.changed else []
                if len(counts) == 1:
                    for count in range(8, 18):
                        await server.set("count", count)
    assert counts == list(range(7, 18))


def flips(seed: int) -> Callable[[bytes], bytes]:
    dice = random.Random(seed)

    def corrupt(data: bytes) -> bytes:
        changed = bytearray(data)
        changed[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
        return bytes(changed)

    return corrupt


@pytest.mark.parametrize("when", ["from the start", "while reading"])
async def test_flipped_bits_raise_nothing_but_driver_errors(when: str) -> None:
    async with plant(timeout_s=HASTY_S) as (server, link, driver):
        for seed in range(15):
            link.faults.corrupt = flips(seed) if when == "from the start" else None
            try:
                async with asyncio.timeout(60), driver.open() as session:
                    for number in range(4):
                        (await session.read(())).committed()
                        link.faults.corrupt = flips(seed)
                        await server.set("count", number)
            except DriverError:
                continue
        link.faults.corrupt = None
        async with driver.open() as session:
            assert (await session.read(())).changed.keys() == NAMES.keys()


async def test_a_subscription_the_server_forgot_is_unreachable() -> None:
    async with plant() as (server, _, driver), driver.open() as session:
        await session.read(())
        await server.forget_subscriptions()
        async with asyncio.timeout(KEEPALIVE_S + MARGIN_S):
            with pytest.raises(Unreachable):
                await read_on(session)


async def test_a_subscription_the_server_ended_is_unreachable() -> None:
    async with plant() as (server, _, driver), driver.open() as session:
        await session.read(())
        await server.end_subscriptions()
        with pytest.raises(Unreachable, match="ended the subscription: BadTimeout"):
            await read_on(session)


async def test_a_node_that_goes_and_comes_back_leaves_the_others_their_values() -> None:
    gone = ua.DataValue(None, ua.StatusCode(ua.StatusCodes.BadNodeIdUnknown))
    async with plant() as (server, _, driver), driver.open() as session:
        await session.read(())
        await server.tell("count", gone)
        batch = await session.read(())
        first_item = max(server.items)
        while max(server.items) == first_item:
            batch = await session.read(())
            assert (batch.changed, batch.bad) == ({}, {"m/count": "missing_node"})
        assert len(server.items) == 2
        await server.set("count", 1)
        while not batch.changed:
            batch = await session.read(())
        assert (batch.changed, batch.bad) == ({"m/count": 1}, {})


@pytest.mark.fault(
    43,
    injection="opening is broken off at 25 moments",
    expectation="no socket and no subscription left",
)
async def test_cancelling_at_any_moment_of_opening_lets_the_socket_go() -> None:
    async with plant() as (server, _, driver):
        outcomes: set[str] = set()

        async def stay() -> None:
            async with driver.open() as session:
                await session.read(())
                outcomes.add("opened")
                await asyncio.Event().wait()

        for step in range(25):
            staying = asyncio.create_task(stay())
            done, _ = await asyncio.wait({staying}, timeout=step * 0.002)
            assert not done
            staying.cancel()
            with pytest.raises(asyncio.CancelledError):
                await staying
            await until(lambda: not server.connections)
        await until(lambda: not server.subscriptions)
