"""Protocol name to driver. A driver is imported when its protocol is first asked for.

A package outside this project joins with an entry point in the group `GROUP`: the name
is the protocol, the value ``package.module`` of a module that has ``SPEC``, or ``SPECS``
by protocol, or ``package.module:name`` of a ProtocolSpec.
"""

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from types import MappingProxyType, ModuleType

from drivers.contract import ProtocolSpec

GROUP = "millgate.drivers"

_BUILT_IN = MappingProxyType(
    {
        "modbus-ascii": "drivers.modbus",
        "modbus-ascii-tcp": "drivers.modbus",
        "modbus-listen": "drivers.modbus",
        "modbus-rtu": "drivers.modbus",
        "modbus-rtu-tcp": "drivers.modbus",
        "modbus-tcp": "drivers.modbus",
        "modbus-tls": "drivers.modbus",
        "modbus-udp": "drivers.modbus",
        "opcua": "drivers.opcua",
        "replay": "drivers.replay",
    }
)


class UnknownProtocol(LookupError):
    """Nobody speaks this protocol; says who is there."""

    def __init__(self, protocol: str, known: tuple[str, ...]) -> None:
        """Keep both, so that the caller can suggest the nearest."""
        super().__init__(f"unknown protocol {protocol!r}; known are {', '.join(known)}")
        self.protocol = protocol
        self.known = known


def protocols() -> tuple[str, ...]:
    """Return the names of all protocols, sorted; imports no driver."""
    return tuple(sorted({*_BUILT_IN, *(point.name for point in entry_points(group=GROUP))}))


@cache
def spec(protocol: str) -> ProtocolSpec:
    """Return what a protocol's driver offers; raises UnknownProtocol.

    What ships with the product cannot be replaced from outside.
    """
    if protocol in _BUILT_IN:
        return _spec_in(import_module(_BUILT_IN[protocol]), protocol)
    for point in entry_points(group=GROUP, name=protocol):
        return _spec_in(point.load(), protocol)
    raise UnknownProtocol(protocol, protocols())


def _spec_in(found: object, protocol: str) -> ProtocolSpec:
    offered = _offered(found, protocol) if isinstance(found, ModuleType) else found
    if not isinstance(offered, ProtocolSpec):
        raise TypeError(f"the driver for {protocol!r} offers no ProtocolSpec")
    return offered


def _offered(module: ModuleType, protocol: str) -> object:
    specs: Mapping[str, object] = getattr(module, "SPECS", {})
    return specs.get(protocol, getattr(module, "SPEC", None))
