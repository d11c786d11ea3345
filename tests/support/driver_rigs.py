"""Every protocol that has to pass the driver contract suite."""

from collections.abc import Mapping

from tests.support import blueprint_rig, modbus_rig, opcua_rig, replay_rig
from tests.support.rig import RigFactory

BLUEPRINT = "blueprint"
"""The driver to copy ships no protocol, but what it shows must be right."""

RIGS: Mapping[str, RigFactory] = {
    "modbus-tcp": modbus_rig.RIG,
    "opcua": opcua_rig.RIG,
    "replay": replay_rig.RIG,
    BLUEPRINT: blueprint_rig.RIG,
}
