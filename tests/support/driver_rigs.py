"""Every protocol, and every other hand's server, that has to pass the driver contract suite."""

from collections.abc import Mapping

from tests.support import (
    blueprint_rig,
    foreign_modbus,
    foreign_opcua,
    modbus_rig,
    opcua_rig,
    replay_rig,
)
from tests.support.modbus_line_rig import rig_of
from tests.support.rig import RigFactory

BLUEPRINT = "blueprint"
"""The driver to copy ships no protocol, but what it shows must be right."""
OPCUA_POLLED = "opcua-polled"
"""No protocol of its own: the other way of `opcua`."""

RIGS: Mapping[str, RigFactory] = {
    "modbus-tcp": rig_of("modbus-tcp"),
    "modbus-tcp, fast": rig_of("modbus-tcp, fast"),
    "modbus-tcp, fast, pipelined": rig_of("modbus-tcp, fast, pipelined"),
    "modbus-rtu-tcp, fast": rig_of("modbus-rtu-tcp, fast"),
    "modbus-rtu-tcp": rig_of("modbus-rtu-tcp"),
    "modbus-ascii-tcp": rig_of("modbus-ascii-tcp"),
    "modbus-tls": rig_of("modbus-tls"),
    "modbus-udp": rig_of("modbus-udp"),
    "modbus-rtu": rig_of("modbus-rtu"),
    "modbus-ascii": rig_of("modbus-ascii"),
    "modbus-listen": rig_of("modbus-listen"),
    "opcua": opcua_rig.RIG,
    OPCUA_POLLED: opcua_rig.POLLED,
    "replay": replay_rig.RIG,
    BLUEPRINT: blueprint_rig.RIG,
    "modbus-tcp, pymodbus": modbus_rig.rig_of("pymodbus"),
    "modbus-tcp, pymodbus, fast": modbus_rig.rig_of("fast"),
    **foreign_modbus.RIGS,
    **foreign_opcua.RIGS,
}
