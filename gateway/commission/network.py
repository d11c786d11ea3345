"""The way to a host: its address, its port, and what this machine knows of the way.

- Nothing is sent but the opening of TCP connections, which are closed at once.
- What is found out beside a failure is for advice: it may be wrong and nothing rests on it.
"""

import asyncio
import errno
import fcntl
import ipaddress
import socket
import struct
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from drivers.probed import Said

KNOWN_PORTS = {502: "Modbus TCP", 503: "Modbus TCP", 802: "Modbus TLS", 4840: "OPC UA"}
OTHER_PORTS = (102, 80, 443)
SHORT_S = 0.5
"""How long somebody is waited for who need not be there."""
_ARP = Path("/proc/net/arp")
_SIOCGIFADDR, _SIOCGIFNETMASK = 0x8915, 0x891B  # linux/sockios.h
_NAME_BYTES = 16
_ADDRESS_AT = slice(20, 24)
_COMPLETE = 0x2  # linux/if_arp.h, ATF_COM
_CAUSES = {
    errno.ECONNREFUSED: "refused",
    errno.ECONNRESET: "reset",
    errno.EHOSTUNREACH: "unreachable",
    errno.ENETUNREACH: "unreachable",
    errno.ETIMEDOUT: "timed_out",
}


@dataclass(frozen=True, slots=True)
class Interface:
    """One network interface of this machine."""

    name: str
    address: ipaddress.IPv4Interface


async def resolve(host: str) -> tuple[str, ...]:
    """Return the addresses of a host; raises OSError."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(address[0]) for *_, address in found))


async def connect(host: str, port: int, timeout_s: float) -> Said | None:
    """Open a connection and close it; return why it did not come about."""
    try:
        async with asyncio.timeout(timeout_s):
            _, writer = await asyncio.open_connection(host, port)
    except TimeoutError:
        return Said("timed_out", {"seconds": f"{timeout_s:g}"})
    except OSError as err:
        code = _CAUSES.get(err.errno or 0, "not_connected")
        return Said(code, {"port": port, "reason": err.strerror or str(err)})
    writer.transport.abort()
    return None


async def open_ports(host: str, ports: Sequence[int]) -> tuple[int, ...]:
    """Return which of a few ports take a connection."""
    tried = await asyncio.gather(*(connect(host, port, SHORT_S) for port in ports))
    return tuple(port for port, cause in zip(ports, tried, strict=True) if cause is None)


async def advice(host: str, port: int, cause: Said) -> tuple[Said, ...]:
    """Return what to try after a connection did not come about, the likeliest first."""
    if cause.code in {"refused", "reset"}:
        return await _other_ports(host, port)
    way = await asyncio.to_thread(way_to, host)
    if way is None:
        return (Said("try_cable"),)
    there = await _other_ports(host, port) if way.code == "on_the_cable" else ()
    return (way, *there, Said("try_cable"))


async def _other_ports(host: str, port: int) -> tuple[Said, ...]:
    ports = [other for other in (*KNOWN_PORTS, *OTHER_PORTS) if other != port]
    found = await open_ports(host, ports)
    ours = [f"{other} ({KNOWN_PORTS[other]})" for other in found if other in KNOWN_PORTS]
    said = [Said("port_answers", {"ports": ", ".join(ours)})] if ours else []
    others = [str(other) for other in found if other not in KNOWN_PORTS]
    if others and not ours:
        said.append(Said("host_answers", {"ports": ", ".join(others)}))
    return (*said, Said("try_server_on", {"port": port}))


def way_to(host: str) -> Said | None:
    """Return what this machine knows of the way to a host that does not answer.

    None where it knows nothing: beyond IPv4, and of itself.
    """
    try:
        address = ipaddress.IPv4Address(socket.gethostbyname(host))
    except (OSError, ValueError):
        return None
    if address.is_loopback:
        return None
    own = interfaces()
    near = next((one for one in own if address in one.address.network), None)
    if near is None:
        shown = ", ".join(f"{one.name} {one.address}" for one in own) or "-"
        return Said("other_subnet", {"host": host, "own": shown})
    code = "on_the_cable" if is_known(str(address)) else "not_on_the_cable"
    return Said(code, {"host": host, "interface": near.name, "own": near.address})


def is_known(address: str, arp: Path = _ARP) -> bool:
    """Say whether somebody answered to that address on the cable (ARP)."""
    with suppress(OSError, ValueError, IndexError):
        for line in arp.read_text(encoding="ascii").splitlines()[1:]:
            words = line.split()
            if words[0] == address:
                return bool(int(words[2], 16) & _COMPLETE)
    return False


def interfaces() -> tuple[Interface, ...]:
    """Return the interfaces with an IPv4 address, loopback left out."""
    found = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        for _, name in socket.if_nameindex():
            with suppress(OSError):
                address, mask = (_ask(asking, name, what) for what in _ASKED)
                one = ipaddress.IPv4Interface(f"{address}/{mask}")
                if not one.is_loopback:
                    found.append(Interface(name, one))
    return tuple(found)


_ASKED = (_SIOCGIFADDR, _SIOCGIFNETMASK)


def _ask(asking: socket.socket, name: str, what: int) -> str:
    packed = struct.pack("256s", name.encode()[: _NAME_BYTES - 1])
    return socket.inet_ntoa(fcntl.ioctl(asking.fileno(), what, packed)[_ADDRESS_AT])
