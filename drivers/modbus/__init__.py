"""Modbus, over every transport it has."""

from collections.abc import Mapping, Sequence

from drivers.contract import BadSetting, Driver, Misconfigured, ProtocolSpec, Shared, TagRequest
from drivers.modbus.check import overlaps, problems
from drivers.modbus.doubts import doubts
from drivers.modbus.driver import ModbusDriver
from drivers.modbus.forecast import plan_of
from drivers.modbus.notices import notices
from drivers.modbus.probe import probe, reach
from drivers.modbus.raw import read_raw
from drivers.modbus.settings import (
    AsciiTcpSettings,
    LinkSettings,
    RtuTcpSettings,
    TcpSettings,
    TlsSettings,
    UdpSettings,
    endpoint_of,
)
from drivers.modbus.settings_listen import ListenSettings
from drivers.modbus.settings_serial import AsciiSettings, RtuSettings
from drivers.modbus.tag import TagSettings

__all__ = ["SPEC", "SPECS"]


def create(link: LinkSettings, tags: Sequence[TagRequest], shared: Shared) -> Driver:
    """Return the driver of a link; raises Misconfigured for the first tag that cannot be.

    It also refuses a link that speaks to its line otherwise than another one before.
    """
    _agree(link, shared)
    driver = ModbusDriver(link, tags, shared)
    driver.points()  # checked now, and made again when it connects: most of a site waits
    return driver


def _agree(link: LinkSettings, shared: Shared) -> None:
    """Refuse a link that speaks to its line otherwise than the first one that named it."""
    first = shared.setdefault(f"line {link.bus}", link.line)
    for key, value in link.line.items():
        if first[key] != value:
            refusal = BadSetting(
                "modbus_line_differs",
                "{key} is {value}, and {other} for another link on {bus}",
                "one line speaks in one way: write the same for all its links",
                key=key,
                value=value,
                other=first[key],
                bus=link.bus,
            )
            err = Misconfigured(endpoint_of(link), refusal.problem, refusal.hint)
            err.refusal = refusal
            raise err


def _spec(protocol: str, link_settings: type[LinkSettings]) -> ProtocolSpec:
    return ProtocolSpec(
        protocol=protocol,
        link_settings=link_settings,
        tag_settings=TagSettings,
        create=create,
        endpoint_of=endpoint_of,
        problems=problems,
        overlaps=overlaps,
        notices=notices,
        plan=plan_of,
        reach=reach,
        probe=probe,
        doubts=doubts,
        read_raw=read_raw,
    )


_SETTINGS: Mapping[str, type[LinkSettings]] = {
    "modbus-ascii": AsciiSettings,
    "modbus-ascii-tcp": AsciiTcpSettings,
    "modbus-listen": ListenSettings,
    "modbus-rtu": RtuSettings,
    "modbus-rtu-tcp": RtuTcpSettings,
    "modbus-tcp": TcpSettings,
    "modbus-tls": TlsSettings,
    "modbus-udp": UdpSettings,
}
SPECS = {protocol: _spec(protocol, settings) for protocol, settings in _SETTINGS.items()}
SPEC = SPECS["modbus-tcp"]
