"""OPC UA servers and links that misbehave, seen through to what the journal says."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from drivers.contract import DriverError
from simulators.link import Link
from tests.support.collecting import LONG_S, Collecting, collecting
from tests.support.foreign_opcua import node_opcua
from tests.support.opcua_rig import URI, OpcUaServer, opcua_driver, opcua_server
from tests.support.until import until

pytestmark = pytest.mark.timeout(400)

Record = Callable[[str, object], None]
HOST = "127.0.0.1"
START = 1000
SESSION_S = 5.0
KEEPALIVE_S, TIMEOUT_S = 0.4, 1.0
"""Of a link that notices soon; the defaults are 10 s each."""
MACHINE = """\
equipment: press-07
area: stamping
line: line-1
links:
  plc: {{protocol: opcua, endpoint: "{endpoint}", publishing_interval_ms: 50,
        keepalive_s: {keepalive}, timeout_s: {timeout}, retry_refused_s: 0.2, queue_size: {queue}}}
tags:
  run: {{node: "nsu={uri};s=run"}}
  parts: {{node: "nsu={uri};s=parts"}}
status:
  - {{state: running, when: run}}
counters:
  good: {{tag: parts, kind: good, modulus: 2147483648, max_rate_per_s: 1000}}
"""
VALUES: dict[str, Any] = {"run": True, "parts": START}


def machine(port: int, **changed: Any) -> dict[str, str]:
    settings = {"keepalive": KEEPALIVE_S, "timeout": TIMEOUT_S, "queue": 100}
    endpoint = f"opc.tcp://{HOST}:{port}"
    return {"press-07": MACHINE.format(**settings | changed, endpoint=endpoint, uri=URI)}


async def began(gateway: Collecting) -> None:
    """Wait until the gateway knows what the machine does, and where its counter stands."""
    await gateway.fact("count", anomaly="baseline")
    await gateway.fact("status", state="running")


async def states(gateway: Collecting) -> list[str]:
    """Return what the machine was, up to its running again."""
    async with asyncio.timeout(LONG_S):
        while True:
            told = [str(fact["state"]) for fact in await gateway.facts("status")]
            if len(told) > 2 and told[-1] == "running":
                return told
            await asyncio.sleep(0.01)


@pytest.mark.soak
@pytest.mark.fault(
    41,
    injection="a server of another implementation is killed (kill -9) and started again 1 s later;"
    " 25 parts are made meanwhile",
    expectation="offline from the last good value on, a session in less than 5 s after the restart,"
    " every part counted",
)
@pytest.mark.fault(
    42,
    injection="after its restart the server has the counter's node only 1 s later",
    expectation="the other node lives meanwhile; the counter goes on by itself, exact",
)
async def test_a_killed_server_is_an_offline_time_and_no_lost_part(
    tmp_path: Path, record_property: Record
) -> None:
    async with (
        node_opcua(VALUES) as server,
        collecting(tmp_path, machine(server.port)) as gateway,
    ):
        await began(gateway)
        await asyncio.to_thread(server.stop)
        await gateway.fact("status", state="offline", cause="sample")
        await asyncio.sleep(1.0)
        del server.values["parts"]
        await asyncio.to_thread(server.start)
        began_s = time.monotonic()
        await until(lambda: gateway.poller().stats.online, timeout_s=LONG_S)
        took_s = _since(began_s)
        record_property("seconds from the restart to a session", took_s)
        assert took_s < SESSION_S
        await asyncio.sleep(1.0)
        server.hold("parts", START + 25)
        await gateway.fact("count", total=25)
        # A status whose time is not known is not made up: offline until the link is back.
        assert await states(gateway) == ["offline", "running", "offline", "running"]


def _since(began_s: float) -> float:
    return round(time.monotonic() - began_s, 1)


@pytest.mark.fault(
    44,
    injection="nothing passes for a fifth of the time after which the link is given up (as 5 s"
    " with the defaults), and what was sent arrives then; 40 parts are made meanwhile",
    expectation="the same session, each change in order, none missing",
)
async def test_a_short_cut_loses_no_change(tmp_path: Path) -> None:
    async with held(tmp_path, keepalive=1, timeout=4) as (server, link, gateway):
        link.faults.hold = True
        for part in range(1, 41):
            await server.set("parts", START + part)
            await asyncio.sleep(0.02)
        link.faults.hold = False
        await gateway.fact("count", total=40)
        assert gateway.poller().stats.outages == 0
        counted = [fact["total"] for fact in await gateway.facts("count")]
        assert counted == list(range(41))


@pytest.mark.fault(
    44,
    injection="nothing passes until the link is given up and longer (as 60 s with the defaults);"
    " 40 parts are made meanwhile",
    expectation="offline for that time, a new session, the sum exact",
)
async def test_a_long_cut_is_an_offline_time_and_the_sum_is_exact(tmp_path: Path) -> None:
    async with held(tmp_path) as (server, link, gateway):
        link.faults.hold = True
        await gateway.fact("status", state="offline", cause="sample")
        for part in range(1, 41):
            await server.set("parts", START + part)
        await link.cut()
        link.faults.hold = False
        await gateway.fact("count", total=40)
        assert await states(gateway) == ["offline", "running", "offline", "running"]


@asynccontextmanager
async def held(
    directory: Path, **changed: Any
) -> AsyncIterator[tuple[OpcUaServer, Link, Collecting]]:
    """A server, a link that can be held, and a gateway that has seen the first values."""
    async with opcua_server(VALUES) as server:
        link = await Link(HOST, server.port).open()
        async with collecting(directory, machine(link.listening, **changed)) as gateway:
            await began(gateway)
            yield server, link, gateway
            link.faults.hold = False
        await link.close()


@pytest.mark.parametrize("patient", [True, False])
@pytest.mark.fault(
    45,
    injection="the server's process is stopped (SIGSTOP) for 2.5 s; the link's timeouts are 5 s,"
    " then 1 s",
    expectation="with 5 s the same session and no outage; with 1 s offline, and a new session"
    " when it goes on",
)
async def test_a_stopped_server_is_waited_for_as_long_as_the_timeout(
    patient: bool, tmp_path: Path
) -> None:
    async with node_opcua(VALUES) as server:
        files = machine(server.port, timeout=5 if patient else 1)
        async with collecting(tmp_path, files) as gateway:
            await began(gateway)
            assert server.server is not None
            server.server.freeze()
            try:
                if patient:
                    await asyncio.sleep(2.5)
                else:
                    await gateway.fact("status", state="offline", cause="sample")
            finally:
                server.server.thaw()
            server.hold("parts", START + 3)
            await gateway.fact("count", total=3)
            outages = gateway.poller().stats.outages
            assert outages == 0 if patient else outages >= 1


@pytest.mark.soak
@pytest.mark.fault(
    46,
    injection="60 values in 3.3 s, published every 3 s; the server's queue holds 10",
    expectation="a gap event names what was not observed, the sum is exact",
)
async def test_what_overflows_in_the_server_is_a_gap(
    tmp_path: Path, record_property: Record
) -> None:
    async with node_opcua(VALUES) as server:
        files = machine(server.port, queue=10, keepalive=7)
        often = "publishing_interval_ms: 3000, sampling_interval_ms: 50"
        text = files["press-07"].replace("publishing_interval_ms: 50", often)
        async with collecting(tmp_path, {"press-07": text}) as gateway:
            await began(gateway)
            for part in range(1, 61):
                server.hold("parts", START + part)
                await asyncio.sleep(0.055)  # it samples every 50 ms
            gap = await gateway.fact("gap", reason="not_observed")
            await gateway.fact("count", total=60)
            record_property("changes told of 60", len(await gateway.facts("count")) - 1)
            assert gap["stream"] == "reading:parts"
            assert gap["count"] >= 1


async def opened(endpoint: str, server: OpcUaServer, number: int) -> bool:
    """Whether a session opens and its subscription speaks; raises where it is mute."""
    driver = opcua_driver(endpoint, {"m/parts": "parts"})
    async with driver.open() as session:
        await session.read(())
        await server.set("parts", number)
        async with asyncio.timeout(LONG_S):
            while (await session.read(())).changed.get("m/parts") != number:
                pass
    return True


@dataclass
class Scissors:
    """Cuts a link at the n-th answer."""

    link: Link
    moment: int
    passed: int = 0
    cuts: list[asyncio.Future[None]] = field(default_factory=list)

    def pass_on(self, answer: bytes) -> bytes:
        self.passed += 1
        if self.passed == self.moment:
            self.cuts.append(asyncio.ensure_future(self.link.cut()))
        return b"" if self.passed >= self.moment else answer


async def cut_while_opening(moments: list[int]) -> int:
    """Cut the link at so many answers after the connection; return how often that hit."""
    hits = 0
    async with opcua_server(VALUES) as server, Link(HOST, server.port) as link:
        endpoint = f"opc.tcp://{HOST}:{link.listening}"
        for turn, moment in enumerate(moments):
            scissors = Scissors(link, moment)
            link.faults.corrupt = scissors.pass_on
            try:
                await opened(endpoint, server, 2 * turn)
            except DriverError:
                hits += 1
            await asyncio.gather(*scissors.cuts)
            link.faults.corrupt = None
            assert await opened(endpoint, server, 2 * turn + 1)
    return hits


@pytest.mark.fault(
    43,
    injection="the connection is reset at each of the first 12 answers of a session that opens",
    expectation="an error of the driver, and the next session is live",
)
async def test_no_cut_while_opening_leaves_a_mute_session(record_property: Record) -> None:
    hits = await cut_while_opening(list(range(1, 13)))
    record_property("sessions cut while opening", hits)
    assert hits >= 8


@pytest.mark.soak
@pytest.mark.timeout(900)
@pytest.mark.fault(
    43,
    injection="the same 500 times, at random answers, seeded",
    expectation="0 mute sessions",
)
async def test_five_hundred_cuts_leave_no_mute_session(record_property: Record) -> None:
    dice = random.Random(43)
    hits = await cut_while_opening([dice.randint(1, 14) for _ in range(500)])
    record_property("sessions cut while opening", hits)


@pytest.mark.soak
@pytest.mark.fault(
    47,
    injection="a server of another implementation with 50 nodes for each read and call, and 100"
    " monitored items in all; 150 nodes are configured",
    expectation="every value comes, what has no item is polled",
)
async def test_a_narrow_server_gives_all_of_its_values() -> None:
    values = {f"v{number}": number for number in range(150)}
    limits = {"maxNodesPerRead": 50, "maxMonitoredItemsPerCall": 50}
    capabilities = {"maxMonitoredItems": 100, "operationLimits": limits}
    async with node_opcua(values, capabilities) as server:
        names = {f"m/{name}": name for name in values}
        driver = opcua_driver(server.endpoint, names, poll_interval_ms=100, keepalive_s=2)
        async with driver.open() as session:
            first = await session.read(())
            assert (len(first.changed), first.bad) == (150, {})
            for name in ("v0", "v149"):
                server.hold(name, 1000)
                async with asyncio.timeout(LONG_S):
                    while (await session.read(())).changed.get(f"m/{name}") != 1000:
                        pass


@pytest.mark.soak
@pytest.mark.fault(
    47,
    injection="a server that allows one session, which somebody else has",
    expectation="offline, with a sentence that says what to do; read when the session is free",
)
async def test_a_server_for_one_client_says_so(tmp_path: Path) -> None:
    async with node_opcua(VALUES, {"maxSessions": 1}) as server:
        other = opcua_driver(server.endpoint, {"m/run": "run"})
        async with other.open() as session:
            await session.read(())
            async with collecting(tmp_path / "one", machine(server.port)) as gateway:
                health = await gateway.fact("health", state="offline")
                assert "session limit" in health["error"]["hint"]
        async with collecting(tmp_path / "two", machine(server.port)) as gateway:
            await gateway.fact("status", state="running")


@pytest.mark.fault(
    49,
    injection="the server starts again with its namespaces in another order; 5 parts meanwhile",
    expectation="the same nodes, found by URI; the sum exact",
)
async def test_namespaces_in_another_order_are_the_same_nodes(tmp_path: Path) -> None:
    async with (
        opcua_server(VALUES) as server,
        collecting(tmp_path, machine(server.port)) as gateway,
    ):
        await began(gateway)
        await server.stop()
        await gateway.fact("status", state="offline", cause="sample")
        server.uris = ("urn:other", "urn:another", URI)
        server.values["parts"] = START + 5
        await server.start()
        await gateway.fact("count", total=5)
