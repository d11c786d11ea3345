"""Which hosts of a network take a connection on the ports of Modbus TCP and OPC UA.

- Not more hosts a second are begun with than the rate allows, and each port is tried once.
- Nothing is sent over a connection; it is closed at once.
- What was found is in the list that was given at every moment, also when it is cancelled.
"""

import asyncio
import ipaddress
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from drivers.modbus.scan_units import Pace
from gateway.commission.network import SHORT_S, open_ports
from gateway.commission.target import NoTarget

PORTS = (502, 4840)
MAX_HOSTS = 1024
_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class HostFound:
    """A host that takes a connection."""

    host: str
    ports: tuple[int, ...]


Tell = Callable[[int], None]
"""Called after each host with how many are left."""


def hosts_of(text: str) -> tuple[str, ...]:
    """Return the hosts of ``192.168.1.0/24``; raises NoTarget for none or too many."""
    try:
        network = ipaddress.IPv4Network(text, strict=False)
    except ValueError:
        raise NoTarget("no_network", text=text) from None
    if network.num_addresses > MAX_HOSTS:
        raise NoTarget("big_network", text=text, limit=MAX_HOSTS)
    return tuple(map(str, network.hosts()))


def seconds_for(hosts: int, rate: float) -> float:
    """Return how long it takes at most."""
    return max(hosts / rate, hosts / _AT_ONCE * SHORT_S) + SHORT_S


async def sweep(
    hosts: Sequence[str],
    pace: Pace,
    found: list[HostFound],
    tell: Tell,
    *,
    ports: Sequence[int] = PORTS,
) -> None:
    """Try the ports of each host."""
    free = asyncio.Semaphore(_AT_ONCE)
    left = len(hosts)

    async def look(host: str) -> None:
        nonlocal left
        try:
            if answering := await open_ports(host, ports):
                found.append(HostFound(host, answering))
        finally:
            free.release()
        left -= 1
        tell(left)

    async with asyncio.TaskGroup() as looking:
        for host in hosts:
            await free.acquire()
            await pace.turn()
            looking.create_task(look(host), name=f"sweep[{host}]")
