"""What subscriptions, stamps and missing nodes are like with an OPC UA server of another hand."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from drivers.contract import Batch, Misconfigured, Session, Unreachable
from tests.support.foreign_opcua import ENCRYPTED, NodeOpcUa, node_opcua
from tests.support.opcua_rig import opcua_driver
from tests.support.opcua_secure import secure_driver

NAMES: Mapping[str, str] = {"m/run": "run", "m/count": "count"}


@pytest.fixture
async def server() -> AsyncIterator[NodeOpcUa]:
    async with node_opcua({"run": False, "count": 7}) as running:
        yield running


async def read_until(session: Session, wanted: Callable[[Batch], object]) -> list[Batch]:
    """Read and commit batches up to the first that is ``wanted``; return them all."""
    batches: list[Batch] = []
    async with asyncio.timeout(60):
        while not batches or not wanted(batches[-1]):
            batches.append(await session.read(()))
            batches[-1].committed()
    return batches


def _in_milliseconds(at: datetime) -> datetime:
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


async def test_changes_arrive_in_order_and_none_twice(server: NodeOpcUa) -> None:
    async with opcua_driver(server.endpoint, NAMES).open() as session:
        batches = await read_until(session, lambda batch: batch.changed)
        for count in range(8, 20):
            server.hold("count", count)
            batches += await read_until(session, lambda batch: batch.changed)
    counts = [batch.changed["m/count"] for batch in batches if "m/count" in batch.changed]
    assert counts == list(range(7, 20))


async def test_every_change_bears_the_servers_stamp(server: NodeOpcUa) -> None:
    stamp = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=2)
    async with opcua_driver(server.endpoint, NAMES).open() as session:
        await read_until(session, lambda batch: batch.changed)
        server.hold("count", 8, stamp)
        *_, changed = await read_until(session, lambda batch: batch.changed)
    assert changed.source_times == {"m/count": stamp}
    assert changed.time_quality == "gateway"


async def test_a_trusted_clock_dates_a_change(server: NodeOpcUa) -> None:
    driver = opcua_driver(server.endpoint, NAMES, device_clock="trust")
    async with driver.open() as session:
        *_, first = await read_until(session, lambda batch: batch.changed)
        stamp = _in_milliseconds(first.read_at) + timedelta(milliseconds=2)
        server.hold("count", 8, stamp)
        *_, changed = await read_until(session, lambda batch: batch.changed)
    assert changed.read_at == stamp
    assert changed.time_quality == "device"


@pytest.mark.parametrize("mode", ["subscribe", "poll"])
@pytest.mark.fault(
    42,
    injection="a node is missing at the start, appears, and goes again, on a server of "
    "another implementation",
    expectation="bad by name while it is missing, live when it is there, the others untouched",
)
async def test_a_node_that_appears_late_comes_alive_and_one_that_goes_is_bad(
    mode: str, server: NodeOpcUa
) -> None:
    names = {**NAMES, "m/late": "late"}
    driver = opcua_driver(server.endpoint, names, mode=mode, poll_interval_ms=100, supervise_s=0.2)
    async with driver.open() as session:
        *_, first = await read_until(session, lambda batch: batch.bad)
        assert first.bad == {"m/late": "missing_node"}
        server.hold("late", "here")
        *_, alive = await read_until(session, lambda batch: "m/late" in batch.changed)
        assert alive.changed["m/late"] == "here"
        server.lose("late")
        *_, gone = await read_until(session, lambda batch: "m/late" in batch.bad)
        assert gone.bad == {"m/late": "missing_node"}
        server.hold("count", 8)
        *_, calm = await read_until(session, lambda batch: "m/count" in batch.changed)
        assert calm.changed == {"m/count": 8}


@pytest.mark.fault(
    41,
    injection="a server of another implementation is killed and started with other values",
    expectation="noticed; the new session begins with what holds now (how soon, and the offline"
    " time that is told, the long test judges)",
)
async def test_a_restart_is_noticed_and_values_of_meanwhile_come_first(
    server: NodeOpcUa,
) -> None:
    driver = opcua_driver(server.endpoint, NAMES)
    async with driver.open() as session:
        await read_until(session, lambda batch: batch.changed)
        server.stop()
        with pytest.raises(Unreachable):
            await read_until(session, lambda _: False)
    server.values["count"] = 100
    server.start()
    async with driver.open() as session:
        *_, first = await read_until(session, lambda batch: "m/count" in batch.changed)
    assert first.changed["m/count"] == 100


async def test_an_encrypted_link_wants_a_person_to_trust_the_server_first(
    server: NodeOpcUa, tmp_path: Path
) -> None:
    driver = secure_driver(tmp_path, server.endpoint, NAMES, **ENCRYPTED)
    with pytest.raises(Misconfigured) as caught:
        async with driver.open():
            pytest.fail("opened without trust")
    assert caught.value.refusal is not None
    assert caught.value.refusal.code == "opcua_untrusted"
    await server.trusted_by(tmp_path)
    async with driver.open() as session:
        *_, first = await read_until(session, lambda batch: batch.changed)
    assert first.changed == {"m/run": False, "m/count": 7}


async def test_a_policy_the_server_lacks_is_refused_with_those_it_has(
    server: NodeOpcUa, tmp_path: Path
) -> None:
    await server.trusted_by(tmp_path)
    security = {"policy": "aes256-sha256-rsapss", "mode": "sign_and_encrypt"}
    with pytest.raises(Misconfigured) as caught:
        async with secure_driver(tmp_path, server.endpoint, NAMES, security=security).open():
            pytest.fail("opened under a policy it does not offer")
    assert "it offers: none, basic256sha256 sign_and_encrypt" in str(caught.value)
