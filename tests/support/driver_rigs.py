"""Every protocol that has to pass the driver contract suite."""

from collections.abc import Mapping

from tests.support import modbus_rig, opcua_rig
from tests.support.rig import RigFactory

RIGS: Mapping[str, RigFactory] = {
    "modbus-tcp": modbus_rig.RIG,
    "opcua": opcua_rig.RIG,
}
