"""One table: what an operator set on a link, and the transport it asks for."""

from functools import singledispatch

from drivers.clock import Clock
from drivers.contract import Shared
from drivers.modbus.client import TcpWire
from drivers.modbus.errors import GATEWAY_HINTS
from drivers.modbus.fast import FastWire
from drivers.modbus.frames import Mbap, OneByOne
from drivers.modbus.framing import ASCII, RTU
from drivers.modbus.pipeline import Depth
from drivers.modbus.settings import (
    AsciiTcpSettings,
    LinkSettings,
    RtuTcpSettings,
    TcpSettings,
    TlsSettings,
    UdpSettings,
)
from drivers.modbus.settings_listen import ListenSettings
from drivers.modbus.settings_serial import SerialSettings
from drivers.modbus.wire import Wire
from drivers.modbus.wires.listen import ListenWire, listener_of
from drivers.modbus.wires.serial import SerialWire
from drivers.modbus.wires.tls import TlsWire
from drivers.modbus.wires.udp import UdpWire

_MBAP = Mbap()


@singledispatch
def wire_of(link: LinkSettings, clock: Clock, shared: Shared) -> Wire:
    """Return the closed wire of a link; it does nothing before it is opened.

    ``shared`` is what the links of its protocol have in common: see `ProtocolSpec`.
    """
    raise NotImplementedError(type(link), clock, shared)


@wire_of.register
def _(link: TcpSettings, clock: Clock, _shared: Shared) -> Wire:
    if link.client == "fast":
        return FastWire(link.host, link.port, _MBAP, Depth(link.pipeline), mono_s=clock.mono_s)
    return TcpWire(link.host, link.port, mono_s=clock.mono_s)


@wire_of.register
def _(link: RtuTcpSettings, clock: Clock, _shared: Shared) -> Wire:
    if link.client == "fast":
        return FastWire(
            link.host,
            link.port,
            OneByOne(RTU),
            Depth("off"),
            mono_s=clock.mono_s,
            hints=GATEWAY_HINTS,
        )
    return TcpWire(link.host, link.port, mono_s=clock.mono_s, framing=RTU, hints=GATEWAY_HINTS)


@wire_of.register
def _(link: AsciiTcpSettings, clock: Clock, _shared: Shared) -> Wire:
    return TcpWire(link.host, link.port, mono_s=clock.mono_s, framing=ASCII, hints=GATEWAY_HINTS)


@wire_of.register
def _(link: TlsSettings, clock: Clock, _shared: Shared) -> Wire:
    return TlsWire(link, mono_s=clock.mono_s)


@wire_of.register
def _(link: UdpSettings, clock: Clock, _shared: Shared) -> Wire:
    return UdpWire(link.host, link.port, mono_s=clock.mono_s)


@wire_of.register
def _(link: SerialSettings, clock: Clock, _shared: Shared) -> Wire:
    return SerialWire(link, mono_s=clock.mono_s)


@wire_of.register
def _(link: ListenSettings, clock: Clock, shared: Shared) -> Wire:
    return ListenWire(link, listener_of(link, shared), mono_s=clock.mono_s)
