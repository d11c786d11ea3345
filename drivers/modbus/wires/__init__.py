"""One table: what an operator set on a link, and the transport it asks for."""

from collections.abc import Callable, Mapping

from drivers.contract import Shared
from drivers.modbus.client import TcpWire
from drivers.modbus.clock import Clock
from drivers.modbus.fast import FastWire
from drivers.modbus.frames import Mbap
from drivers.modbus.pipeline import Depth
from drivers.modbus.settings import LinkSettings, TcpSettings
from drivers.modbus.wire import Wire

WireOf = Callable[[LinkSettings, Clock, Shared], Wire]


def _tcp(link: LinkSettings, clock: Clock, _shared: Shared) -> Wire:
    assert isinstance(link, TcpSettings)  # noqa: S101 -- by the table below
    if link.client == "fast":
        return FastWire(link.host, link.port, Mbap(), Depth(link.pipeline), mono_s=clock.mono_s)
    return TcpWire(link.host, link.port, mono_s=clock.mono_s)


WIRES: Mapping[type[LinkSettings], WireOf] = {TcpSettings: _tcp}


def wire_of(link: LinkSettings, clock: Clock, shared: Shared) -> Wire:
    """Return the closed wire of a link; it does nothing before it is opened.

    ``shared`` is what the links of its protocol have in common: see `ProtocolSpec`.
    """
    return WIRES[type(link)](link, clock, shared)
