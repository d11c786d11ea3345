"""The PLC families whose device names a link's addresses may use."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from drivers.modbus import families_china as china
from drivers.modbus import families_world as world
from drivers.modbus.devices import DeviceMap, bits, words

Family = Literal[
    "generic",
    "inovance-h3u",
    "inovance-h5u",
    "inovance-am",
    "xinje-xd",
    "xinje-xc",
    "delta-dvp",
    "delta-as",
    "mitsubishi-fx3u",
    "mitsubishi-fx5u",
    "mitsubishi-q",
    "siemens-s7",
    "omron",
    "schneider-m221",
    "schneider-m340",
]

_GENERIC = DeviceMap(
    MappingProxyType(
        {
            "D": (words(0, 65535),),
            "M": (bits("coil", 0, 65535),),
            "X": (bits("di", 0, 65535),),
            "Y": (bits("coil", 0, 65535),),
        }
    ),
    evidence="none",
    source="a way of writing registers and bits, no controller's own",
)
FAMILIES: Mapping[Family, DeviceMap] = MappingProxyType(
    {
        "generic": _GENERIC,
        "inovance-h3u": china.INOVANCE_H3U,
        "inovance-h5u": china.INOVANCE_H5U,
        "inovance-am": china.INOVANCE_AM,
        "xinje-xd": china.XINJE_XD,
        "xinje-xc": china.XINJE_XC,
        "delta-dvp": china.DELTA_DVP,
        "delta-as": china.DELTA_AS,
        "mitsubishi-fx3u": world.MITSUBISHI_FX3U,
        "mitsubishi-fx5u": world.MITSUBISHI_FX5U,
        "mitsubishi-q": world.MITSUBISHI_Q,
        "siemens-s7": world.SIEMENS_S7,
        "omron": world.OMRON,
        "schneider-m221": world.SCHNEIDER,
        "schneider-m340": world.SCHNEIDER,
    }
)
