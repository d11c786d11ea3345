"""The way to a host, on the one network every test has."""

import asyncio
import socket
from collections.abc import AsyncIterator
from ipaddress import IPv4Interface
from pathlib import Path

import pytest

from drivers.probed import Said
from gateway.commission import network
from gateway.commission.network import advice, connect, is_known, open_ports, resolve, way_to
from tests.support.ports import free_port

ARP = """\
IP address       HW type     Flags       HW address            Mask     Device
192.168.1.17     0x1         0x2         00:1b:1b:aa:bb:cc     *        eth0
192.168.1.18     0x1         0x0         00:00:00:00:00:00     *        eth0
"""


@pytest.fixture
async def listening() -> AsyncIterator[int]:
    server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
    async with server:
        yield int(server.sockets[0].getsockname()[1])


async def test_a_port_that_takes_a_connection(listening: int) -> None:
    assert await connect("127.0.0.1", listening, 1.0) is None


async def test_a_port_where_nothing_listens() -> None:
    cause = await connect("127.0.0.1", free_port(), 1.0)
    assert cause is not None
    assert cause.code == "refused"


async def test_a_host_that_says_nothing() -> None:
    with socket.socket() as deaf:  # full at once: the system answers no more
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        port = deaf.getsockname()[1]
        first = [await asyncio.open_connection("127.0.0.1", port) for _ in range(1)]
        cause = await connect("127.0.0.1", port, 0.2)
        for _, writer in first:
            writer.transport.abort()
    assert cause == Said("timed_out", {"seconds": "0.2"})


async def test_names_are_resolved() -> None:
    assert "127.0.0.1" in await resolve("127.0.0.1")
    with pytest.raises(socket.gaierror):
        await resolve("no-such-host.invalid")


async def test_of_a_few_ports_those_that_answer_are_told(listening: int) -> None:
    assert await open_ports("127.0.0.1", [free_port(), listening]) == (listening,)


async def test_after_a_refusal_the_ports_that_answer_come_first(
    listening: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(network, "KNOWN_PORTS", {listening: "Modbus TCP"})
    said = await advice("127.0.0.1", free_port(), Said("refused"))
    assert [one.code for one in said] == ["port_answers", "try_server_on"]
    assert said[0].fields == {"ports": f"{listening} (Modbus TCP)"}


async def test_a_host_with_other_services_is_perhaps_another_device(
    listening: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(network, "KNOWN_PORTS", {free_port(): "Modbus TCP"})
    monkeypatch.setattr(network, "OTHER_PORTS", (listening,))
    said = await advice("127.0.0.1", free_port(), Said("refused"))
    assert [one.code for one in said] == ["host_answers", "try_server_on"]


async def test_after_a_silence_the_way_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "way_to", lambda _host: Said("not_on_the_cable"))
    said = await advice("192.0.2.1", 502, Said("timed_out"))
    assert [one.code for one in said] == ["not_on_the_cable", "try_cable"]


def test_a_host_of_no_network_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "interfaces", lambda: (_eth0("10.0.0.5/24"),))
    assert way_to("192.168.1.17") == Said(
        "other_subnet", {"host": "192.168.1.17", "own": "eth0 10.0.0.5/24"}
    )


@pytest.mark.parametrize(("known", "code"), [(True, "on_the_cable"), (False, "not_on_the_cable")])
def test_a_host_of_our_own_network(known: bool, code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "interfaces", lambda: (_eth0("192.168.1.5/24"),))
    monkeypatch.setattr(network, "is_known", lambda _address: known)
    said = way_to("192.168.1.17")
    assert said is not None
    assert said.code == code
    assert said.fields["interface"] == "eth0"


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "no-such-host.invalid"])
async def test_where_nothing_is_known_nothing_is_claimed(host: str) -> None:
    assert await asyncio.to_thread(way_to, host) is None
    said = await advice(host, 502, Said("timed_out"))
    assert [one.code for one in said] == ["try_cable"]


def test_who_answered_to_an_address(tmp_path: Path) -> None:
    arp = tmp_path / "arp"
    arp.write_text(ARP, encoding="ascii")
    assert is_known("192.168.1.17", arp)
    assert not is_known("192.168.1.18", arp)
    assert not is_known("192.168.1.19", arp)
    assert not is_known("192.168.1.17", tmp_path / "none")


def test_our_own_interfaces_are_no_loopback() -> None:
    assert all(not one.address.is_loopback for one in network.interfaces())


def _eth0(address: str) -> network.Interface:
    return network.Interface("eth0", IPv4Interface(address))
