"""Hosts of a network: all of 127.0.0.0/8 is this machine."""

import asyncio

import pytest

from drivers.modbus.scan_units import Pace
from gateway.commission.sweep import MAX_HOSTS, HostFound, hosts_of, seconds_for, sweep
from gateway.commission.target import NoTarget


async def test_hosts_that_take_a_connection_are_found() -> None:
    server = await asyncio.start_server(lambda _r, w: w.close(), "127.0.0.9", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        found, left = list[HostFound](), list[int]()
        hosts = hosts_of("127.0.0.8/30")
        await sweep(hosts, Pace(10_000), found, left.append, ports=[port])
    assert hosts == ("127.0.0.9", "127.0.0.10")
    assert found == [HostFound("127.0.0.9", (port,))]
    assert sorted(left) == [0, 1]


@pytest.mark.parametrize(
    ("text", "code"),
    [("plant", "no_network"), ("fe80::/64", "no_network"), ("10.0.0.0/8", "big_network")],
)
def test_what_is_not_searched(text: str, code: str) -> None:
    with pytest.raises(NoTarget) as caught:
        hosts_of(text)
    assert caught.value.said.code == code


def test_one_host_is_a_network_too() -> None:
    assert hosts_of("192.168.1.17") == ("192.168.1.17",)
    assert len(hosts_of("192.168.0.0/22")) < MAX_HOSTS


def test_how_long_it_takes_is_known_before() -> None:
    assert seconds_for(254, 10) == pytest.approx(25.9)
