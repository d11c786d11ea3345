"""``millgate scan --network``: which hosts of a network may be machines.

- Nobody is looked for before a person agreed: a search may alarm those who watch a network.
- Ctrl-C ends it and prints what was found so far.
- The exit code is 0 if a host was found, else 1.
"""

import asyncio
import sys
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address
from typing import TextIO

import orjson

from drivers.modbus.scan_units import Pace
from gateway.cli.probe import said_in_both
from gateway.cli.say import refuse, say
from gateway.commission.network import KNOWN_PORTS
from gateway.commission.sweep import HostFound, hosts_of, seconds_for, sweep
from gateway.commission.target import NoTarget

_YES = frozenset({"y", "yes", "是"})


def run(
    network: str,
    *,
    rate: float,
    yes: bool = False,
    as_json: bool = False,
    ask: Callable[[str], str] = input,
    out: TextIO | None = None,
) -> int:
    """Search a network once a person agreed; return the exit code."""
    try:
        hosts = hosts_of(network)
    except NoTarget as err:
        return refuse(*said_in_both(err.said))
    most_s = seconds_for(len(hosts), rate)
    say(
        f"{len(hosts)} 个地址，端口 502 和 4840：最多约 {most_s:.0f} 秒；IT 的监测可能会报警",
        f"{len(hosts)} addresses, ports 502 and 4840: {most_s:.0f} s at most; those who watch the"
        " network may see an alarm",
        out=sys.stderr,
    )
    if not yes and not _agreed(ask):
        return refuse("没有扫描", "nothing was looked for")
    found: list[HostFound] = []
    try:
        asyncio.run(sweep(hosts, Pace(rate), found, lambda _left: None))
    except KeyboardInterrupt:
        say("中断；以下是目前找到的", "interrupted; this was found so far", out=sys.stderr)
    _show(sorted(found, key=lambda one: IPv4Address(one.host)), out or sys.stdout, as_json=as_json)
    return 0 if found else 1


def _agreed(ask: Callable[[str], str]) -> bool:
    try:
        return ask("继续吗？ / go on? [y/N] ").strip().lower() in _YES
    except EOFError:  # nobody is there to be asked
        return False


def _show(found: Sequence[HostFound], stream: TextIO, *, as_json: bool) -> None:
    if as_json:
        stream.write(orjson.dumps({"hosts": found}).decode() + "\n")
        return
    for one in found:
        ports = ", ".join(f"{port} ({KNOWN_PORTS.get(port, '?')})" for port in one.ports)
        stream.write(f"{one.host:15}  {ports}\n")
    if not found:
        stream.write("没有找到 / nothing found\n")
