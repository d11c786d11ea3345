"""The OPC UA driver against a real server: asyncua's own, on a free port."""

import asyncio
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta

import pytest
from asyncua import ua

from drivers.contract import Batch, Session, Unreachable, Value
from tests.support.opcua_rig import OpcUaServer, opcua_driver, opcua_server

NAMES = {"m/run": "run", "m/count": "count"}
VALUES: dict[str, Value] = {"run": False, "count": 7}


def connected(server: OpcUaServer) -> AbstractAsyncContextManager[Session]:
    return opcua_driver(server.endpoint, NAMES).open()


async def read_until(session: Session, wanted: Callable[[Batch], object]) -> list[Batch]:
    """Read and commit batches up to the first that is ``wanted``; return them all."""
    batches: list[Batch] = []
    async with asyncio.timeout(60):
        while True:
            batch = await session.read(())
            batches.append(batch)
            batch.committed()
            if wanted(batch):
                return batches


async def test_the_first_batch_lists_every_tag_and_then_what_changes() -> None:
    async with opcua_server(VALUES) as server, connected(server) as session:
        first = await session.read(())
        assert first.changed == {"m/run": False, "m/count": 7}
        assert first.bad == {}
        assert first.covers == frozenset(NAMES)
        assert first.source_times.keys() == NAMES.keys()
        await server.set("count", 8)
        *_, changed = await read_until(session, lambda b: b.changed)
        assert changed.changed == {"m/count": 8}
        assert changed.covers is first.covers


async def test_all_changes_within_one_interval_arrive_in_order() -> None:
    async with opcua_server(VALUES) as server:
        driver = opcua_driver(server.endpoint, NAMES, publishing_interval_ms=200)
        async with driver.open() as session:
            await session.read(())
            for count in range(8, 58):
                await server.set("count", count)
                if count == 20:
                    await server.set("run", value=True)
                if count == 40:
                    await server.set("run", value=False)
            batches = await read_until(session, lambda b: b.changed.get("m/count") == 57)
    assert [b.changed["m/count"] for b in batches if "m/count" in b.changed] == list(range(8, 58))
    assert [b.changed["m/run"] for b in batches if "m/run" in b.changed] == [True, False]


@pytest.mark.fault(
    41,
    injection="the server stops and starts again",
    expectation="noticed at once; the next session has all values",
)
async def test_a_restarted_server_ends_the_session_at_once_and_serves_the_next() -> None:
    async with opcua_server(VALUES) as server:
        driver = opcua_driver(server.endpoint, NAMES, keepalive_s=60, timeout_s=60)
        async with driver.open() as session:
            await session.read(())
            reading = asyncio.create_task(session.read(()))
            await server.stop()
            async with asyncio.timeout(5):
                with pytest.raises(Unreachable):
                    await reading
        with pytest.raises(Unreachable, match="is the OPC UA server started"):
            async with driver.open():
                pass
        await server.start()
        async with driver.open() as session:
            assert (await session.read(())).changed == {"m/run": False, "m/count": 7}


async def test_a_node_that_appears_late_comes_alive_beside_the_others() -> None:
    async with opcua_server(VALUES) as server:
        driver = opcua_driver(server.endpoint, NAMES | {"m/late": "late"})
        async with driver.open() as session:
            first = await session.read(())
            assert first.bad == {"m/late": "missing_node"}
            assert first.changed == {"m/run": False, "m/count": 7}
            await server.add("late", 5)
            batches = await read_until(session, lambda b: "m/late" in b.changed)
            assert batches[-1].changed == {"m/late": 5}
            assert batches[-1].bad == {}
            assert all(not b.changed for b in batches[:-1])
            await server.set("late", 6)
            *_, last = await read_until(session, lambda b: b.changed)
            assert last.changed == {"m/late": 6}


async def test_the_server_keeps_a_message_until_its_last_batch_is_committed() -> None:
    async with opcua_server(VALUES) as server, connected(server) as session:

        def kept() -> int:
            return len(server.subscriptions[0]._not_acknowledged_results)  # noqa: SLF001

        first = await session.read(())
        await session.read(())  # a sign of life: the server heard from us again
        assert kept() == 1
        await server.set("count", 8)
        await server.set("count", 9)
        batches: list[Batch] = []
        while len(batches) < 2:
            batch = await session.read(())
            batches += [batch] if batch.changed else []
        assert [b.changed["m/count"] for b in batches] == [8, 9]
        first.committed()
        batches[0].committed()
        await session.read(())
        assert kept() == 1
        batches[1].committed()
        await session.read(())
        await session.read(())
        assert kept() == 0


async def test_a_cancelled_read_loses_nothing() -> None:
    async with opcua_server(VALUES) as server:
        driver = opcua_driver(server.endpoint, NAMES, publishing_interval_ms=100)
        async with driver.open() as session:
            await read_until(session, lambda b: b.changed)
            seen: list[Value] = []
            for count in range(8, 28):
                await server.set("count", count)
                try:
                    async with asyncio.timeout(0.02):
                        seen += (await session.read(())).changed.values()
                except TimeoutError:
                    continue
            seen += [
                value
                for batch in await read_until(session, lambda b: b.changed.get("m/count") == 27)
                for value in batch.changed.values()
            ]
    assert seen == list(range(8, 28))


@pytest.mark.parametrize(
    ("told", "cause"),
    [
        (ua.DataValue(None, ua.StatusCode(ua.StatusCodes.BadNotConnected)), "not_connected"),
        (
            ua.DataValue(None, ua.StatusCode(ua.StatusCodes.BadSensorFailure)),
            "bad_status:0x808C0000",
        ),
        (ua.DataValue(ua.Variant([1, 2], ua.VariantType.Int64)), "type_mismatch"),
    ],
)
async def test_a_bad_value_has_its_cause_and_the_others_live_on(
    told: ua.DataValue, cause: str
) -> None:
    async with opcua_server(VALUES) as server, connected(server) as session:
        await session.read(())
        await server.tell("count", told)
        *_, fallen = await read_until(session, lambda b: b.bad)
        assert fallen.bad == {"m/count": cause}
        await server.set("run", value=True)
        *_, later = await read_until(session, lambda b: b.changed)
        assert later.changed == {"m/run": True}
        assert later.bad == {"m/count": cause}
        await server.set("count", 9)
        *_, risen = await read_until(session, lambda b: b.changed)
        assert (risen.changed, risen.bad) == ({"m/count": 9}, {})


async def test_a_text_that_is_no_utf_8_is_bad_and_the_others_live_on() -> None:
    names = {"m/name": "name", "m/run": "run"}
    async with opcua_server({"name": "A-77", "run": False}) as server:
        driver = opcua_driver(server.endpoint, names)
        async with driver.open() as session:
            await session.read(())
            sent = "急停".encode("gb18030").decode(errors="surrogateescape")
            await server.set("name", sent)
            *_, fallen = await read_until(session, lambda b: b.bad or b.changed)
            assert (fallen.changed, fallen.bad) == ({}, {"m/name": "invalid_value"})
            await server.set("run", value=True)
            *_, later = await read_until(session, lambda b: b.changed)
            assert later.changed == {"m/run": True}


async def test_a_text_with_a_language_is_its_text() -> None:
    async with opcua_server({"note": ua.LocalizedText("门已打开", "zh")}) as server:
        driver = opcua_driver(server.endpoint, {"m/note": "note"})
        async with driver.open() as session:
            assert (await session.read(())).changed == {"m/note": "门已打开"}


@pytest.mark.fault(
    46,
    injection="a value with the overflow bit",
    expectation="marked as overflowed",
)
async def test_what_the_server_calls_uncertain_or_overflowed_is_marked() -> None:
    uncertain = ua.StatusCode(ua.StatusCodes.UncertainLastUsableValue)
    overflowed = ua.StatusCode(0x0480)
    async with opcua_server(VALUES) as server, connected(server) as session:
        await session.read(())
        await server.tell("count", ua.DataValue(ua.Variant(8, ua.VariantType.Int64), uncertain))
        *_, batch = await read_until(session, lambda b: b.changed)
        assert batch.changed == {"m/count": 8}
        assert batch.uncertain == frozenset({"m/count"})
        await server.tell("count", ua.DataValue(ua.Variant(9, ua.VariantType.Int64), overflowed))
        *_, batch = await read_until(session, lambda b: b.changed)
        assert (batch.changed, batch.overflowed) == ({"m/count": 9}, {"m/count": 1})
        assert not batch.uncertain


async def test_a_trusted_clock_dates_each_change() -> None:
    async with opcua_server(VALUES) as server:
        driver = opcua_driver(
            server.endpoint, NAMES, device_clock="trust", publishing_interval_ms=200
        )
        async with driver.open() as session:
            batches = await read_until(session, lambda b: b.changed)
            stamps = [batches[-1].read_at + timedelta(microseconds=n) for n in (100, 200, 300)]
            for count, stamp in enumerate(stamps, start=8):
                value = ua.Variant(count, ua.VariantType.Int64)
                await server.tell("count", ua.DataValue(value, SourceTimestamp=stamp))
            batches += await read_until(session, lambda b: b.changed.get("m/count") == 10)
    dated = [b for b in batches if b.changed.get("m/count") in {8, 9, 10}]
    assert [b.read_at for b in dated] == stamps
    assert {b.time_quality for b in dated} == {"device"}
    assert dated[2].mono_s - dated[0].mono_s == pytest.approx(0.0002)
    assert [b.mono_s for b in batches] == sorted(b.mono_s for b in batches)


async def test_the_channel_is_renewed_before_it_expires() -> None:
    hours = 0.0
    async with opcua_server(VALUES) as server:
        driver = opcua_driver(
            server.endpoint, NAMES, monotonic=lambda: time.monotonic() + hours * 3600
        )
        async with driver.open() as session:
            await session.read(())
            [first] = server.channel_tokens
            hours = 0.7
            await session.read(())
            assert server.channel_tokens == [first]
            hours = 0.8
            await server.set("count", 8)
            await read_until(session, lambda b: b.changed)
            assert server.channel_tokens == [first + 1]


async def test_leaving_ends_the_subscription_on_the_server() -> None:
    async with opcua_server(VALUES) as server:
        async with connected(server) as session:
            await session.read(())
            assert len(server.subscriptions) == 1
        assert server.subscriptions == []
