"""The promises of `drivers.modbus.wires.listen` and `listener`, with DTUs that dial in."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from drivers.clock import Clock
from drivers.contract import BadReply, Misconfigured, Unreachable
from drivers.modbus.settings_listen import ListenSettings
from drivers.modbus.wire import Request, Wire
from drivers.modbus.wires import listener, wire_of
from drivers.modbus.wires.listen import listener_of
from tests.support.modbus_carriers import DtuDevice
from tests.support.modbus_device import HR
from tests.support.ports import HOST, free_port
from tests.support.until import until


class Site:
    """One listening port of the gateway, its links, and the DTUs that dial in to it."""

    def __init__(self) -> None:
        self.port = free_port()
        self.shared: dict[str, Any] = {}
        self.dtus: list[DtuDevice] = []
        self.wires: list[Wire] = []

    def settings(self, **link: Any) -> ListenSettings:
        return ListenSettings(host=HOST, port=self.port, **link)

    def wire(self, **link: Any) -> Wire:
        wire = wire_of(self.settings(**link), Clock(), self.shared)
        self.wires.append(wire)
        return wire

    async def dtu(self, says: bytes, value: int, **more: Any) -> DtuDevice:
        dtu = DtuDevice(port=self.port, registration=says, **more)
        dtu.put(HR, 0, value)
        self.dtus.append(dtu)
        await dtu.start()
        return dtu

    async def close(self) -> None:
        for wire in self.wires:
            wire.close()
        for dtu in self.dtus:
            await dtu.stop()
        listener_of(self.settings(), self.shared).close()


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    running = Site()
    yield running
    await running.close()


def request(*, timeout_s: float = 5) -> Request:
    return Request(unit=9, table="hr", start=0, count=1, timeout_s=timeout_s)


def text(packet: str) -> dict[str, str]:
    return {"text": packet}


async def test_each_dtu_is_known_by_what_it_says(site: Site) -> None:
    one = site.wire(registration=text("SN1"))
    two = site.wire(registration={"hex": "AA 55", "match": "prefix"})
    await site.dtu(b"\xaa\x55 v1.2", 2)
    await site.dtu(b"SN1", 1)
    await one.open(5)
    await two.open(5)
    assert (await one.ask(request())).answer == b"\x00\x01"
    assert (await two.ask(request())).answer == b"\x00\x02"


async def test_a_dtu_that_says_nothing_is_the_only_one_of_its_port(site: Site) -> None:
    wire = site.wire()
    await site.dtu(b"", 3)
    await wire.open(5)
    assert (await wire.ask(request())).answer == b"\x00\x03"


async def test_frames_of_modbus_tcp_may_come_through_a_dtu(site: Site) -> None:
    wire = site.wire(registration=text("SN1"), framing="tcp")
    await site.dtu(b"SN1", 4, framing="mbap")
    await wire.open(5)
    assert (await wire.ask(request())).answer == b"\x00\x04"


async def test_a_dtu_that_is_not_there_is_missed_with_who_was(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    wire = site.wire(registration=text("SN1"))
    await site.dtu(b"SN7", 7)
    with pytest.raises(Unreachable, match="no DTU with this registration has dialled in"):
        await wire.open(0.01)
    await until(lambda: listener_of(site.settings(), site.shared).last_stranger)
    with pytest.raises(Unreachable, match=r"another one said 'SN7' from 127\.0\.0\.1") as caught:
        await wire.open(0.1)
    assert "target address" in caught.value.hint
    told = [message for message in caplog.messages if "SN7" in message]
    assert len(told) == 1


async def test_a_dtu_may_dial_in_while_nobody_waits(site: Site) -> None:
    wire = site.wire(registration=text("SN1"))
    with pytest.raises(Unreachable):
        await wire.open(0.02)
    dtu = await site.dtu(b"SN1", 5)
    await until(lambda: dtu.connections == 1)
    dtu.say(b"SN1")
    await wire.open(5)
    assert (await wire.ask(request())).answer == b"\x00\x05"


async def test_the_newest_call_counts(site: Site) -> None:
    wire = site.wire(registration=text("SN1"))
    first = await site.dtu(b"SN1", 1)
    await wire.open(5)
    await first.stop()
    await site.dtu(b"SN1", 2)
    await until(lambda: not wire.is_open)
    await wire.open(5)
    assert (await wire.ask(request())).answer == b"\x00\x02"


async def test_a_half_open_call_is_hung_up_on_when_the_dtu_comes_again(site: Site) -> None:
    wire = site.wire(registration=text("SN1"))
    await site.dtu(b"SN1", 1)
    await wire.open(5)
    _, writer = await asyncio.open_connection(HOST, site.port)
    writer.write(b"SN1")
    await until(lambda: not wire.is_open)
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()


@pytest.mark.parametrize("framing", ["rtu", "mbap"])
async def test_heartbeats_are_dropped_wherever_they_come(site: Site, framing: Any) -> None:
    kind = "rtu" if framing == "rtu" else "tcp"
    wire = site.wire(registration=text("SN1"), heartbeat={"hex": "FE 01"}, framing=kind)
    dtu = await site.dtu(b"SN1", 5, framing=framing)
    await wire.open(5)
    beat = b"\xfe\x01"
    dtu.say(beat + beat)
    for lie in (
        lambda _asked, honest: beat + honest,
        lambda _asked, honest: honest + beat,
        lambda _asked, honest: b"SN1" + beat + honest,
    ):
        dtu.lie = lie
        assert (await wire.ask(request())).answer == b"\x00\x05"
    dtu.lie = lambda _asked, _honest: None
    asking = asyncio.create_task(wire.ask(request()))
    asked = len(dtu.asked)
    await until(lambda: len(dtu.asked) > asked)
    for part in (beat[:1], beat[1:], dtu.asked[-1].words(6)):
        dtu.say(part)
        await asyncio.sleep(0.01)
    assert (await asking).answer == b"\x00\x06"
    assert dtu.accepted == 1


async def test_other_bytes_nobody_asked_for_spoil_the_call(site: Site) -> None:
    wire = site.wire(registration=text("SN1"), heartbeat={"hex": "FE 01"})
    dtu = await site.dtu(b"SN1", 5)
    await wire.open(5)
    await wire.ask(request())
    dtu.say(b"\xfe\x02")
    await until(lambda: wire._exchange.is_spoilt)  # type: ignore[attr-defined]  # noqa: SLF001
    with pytest.raises(BadReply) as caught:
        await wire.ask(request())
    assert "heartbeat" in caught.value.hint
    await until(lambda: dtu.accepted == 2)


async def test_who_never_says_who_he_is_is_hung_up_on(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener, "REGISTRATION_S", 0.05)
    wire = site.wire(registration=text("SN1"))
    with pytest.raises(Unreachable):
        await wire.open(0.01)
    reader, writer = await asyncio.open_connection(HOST, site.port)
    async with asyncio.timeout(60):
        with contextlib.suppress(ConnectionError):
            assert await reader.read() == b""
    writer.close()


async def test_registrations_that_cannot_be_told_apart_are_refused(site: Site) -> None:
    site.wire(registration=text("SN1"))
    site.wire(registration=text("SM1"))
    with pytest.raises(Misconfigured, match="'SN12' and 'SN1'"):
        site.wire(registration=text("SN12"))


async def test_a_port_somebody_else_listens_on_is_an_error(site: Site) -> None:
    server = await asyncio.start_server(lambda _r, _w: None, HOST, site.port)
    with pytest.raises(Unreachable) as caught:
        await site.wire(registration=text("SN1")).open(1)
    assert "another program" in caught.value.hint
    server.close()


async def test_closing_the_listener_hangs_up_on_everybody(site: Site) -> None:
    wire = site.wire(registration=text("SN1"))
    dtu = await site.dtu(b"SN1", 5)
    await wire.open(5)
    listener_of(site.settings(), site.shared).close()
    await until(lambda: dtu.connections == 0 and not wire.is_open)
