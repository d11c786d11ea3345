"""Device names of Mitsubishi, Siemens, Omron and Schneider controllers.

Where a controller assigns its devices by parameters, the names here are its default, and
a link says its own assignment under ``devices``.
"""

from types import MappingProxyType

from drivers.modbus.devices import DeviceMap, Run, bits, words

_LAST_OCTAL = 0o1777

MITSUBISHI_FX3U = DeviceMap(
    MappingProxyType(
        {
            "M": (bits("coil", 0, 7679), bits("coil", 0x1E00, 8511, first=8000)),
            "S": (bits("coil", 0x2000, 4095),),
            "TS": (bits("coil", 0x3000, 511),),
            "CS": (bits("coil", 0x3200, 255),),
            "Y": (bits("coil", 0x3300, 0o377, octal=True),),
            "X": (bits("di", 0x3400, 0o377, octal=True),),
            "D": (words(0, 7999), words(0x1F40, 8511, first=8000)),
            "R": (words(0x2140, 32767),),
            "TN": (words(0xA140, 511),),
            "CN": (
                words(0xA340, 199),
                Run("hr", 0xA408, 200, 255, pitch=32, default="int32"),
            ),
        }
    ),
    evidence="manual",
    source="FX3U MODBUS Serial Communication Edition, 9.3 (default values of the bit devices)",
    doubts=MappingProxyType(
        dict.fromkeys(("D", "R", "TN", "CN"), "the manual's page of word devices was not read")
    ),
)
MITSUBISHI_FX5U = DeviceMap(
    MappingProxyType(
        {
            "D": (words(0, 7999),),
            "M": (bits("coil", 0x2000, 7679),),
            "X": (bits("di", 0, _LAST_OCTAL, octal=True),),
            "Y": (bits("coil", 0, _LAST_OCTAL, octal=True),),
        }
    ),
    evidence="none",
    source="initial device assignment of the FX5; the site's own is a parameter of the PLC",
)
# X, Y, B, W and their special kin are numbered in hex. Where they lie is a parameter of the
# Modbus module, so that the map has their kind and number base only: nothing is assigned.
_ASSIGNED_LATER = -1
MITSUBISHI_Q = DeviceMap(
    MappingProxyType(
        {
            **{name: (Run("coil", 0, 0, _ASSIGNED_LATER, base=16),) for name in ("Y", "B", "SB")},
            **{name: (Run("coil", 0, 0, _ASSIGNED_LATER),) for name in ("M", "L", "S", "SM", "F")},
            "X": (Run("di", 0, 0, _ASSIGNED_LATER, base=16),),
            **{name: (Run("hr", 0, 0, _ASSIGNED_LATER, base=16),) for name in ("W", "SW")},
            **{name: (words(0, _ASSIGNED_LATER),) for name in ("D", "R", "ZR", "SD", "TN", "CN")},
        }
    ),
    evidence="none",
    source="QJ71MB91, QJ71MT91, L and iQ-R: MODBUS device assignment parameter, up to 16 blocks",
)
# MB_HOLD_REG is a data block with standard access: byte 0 is the high byte of register 0.
SIEMENS_S7 = DeviceMap(
    MappingProxyType(
        {
            "I": (Run("di", 0, 0, 8191, pitch=8, dotted=True),),
            "Q": (Run("coil", 0, 0, 8191, pitch=8, dotted=True),),
            "DBX": (Run("hr", 0, 0, 131071, pitch=8, dotted=True, high_first=True),),
            "DBW": (Run("hr", 0, 0, 131070, pitch=8),),
            "DBD": (Run("hr", 0, 0, 131068, pitch=8, default="uint32"),),
        }
    ),
    evidence="code",
    source="S7-1200 and S7-1500 with MB_SERVER: tutorials and clients",
)
OMRON = DeviceMap(
    MappingProxyType(
        {
            "D": (words(0, 32767),),
            "CIO": (Run("coil", 0, 0, 4095, pitch=16, dotted=True),),
        }
    ),
    evidence="none",
    source="no source: Modbus is a program or an option board there; see the site's own",
)
# %MD5 and %MF5 begin at %MW5.
SCHNEIDER = DeviceMap(
    MappingProxyType(
        {
            "M": (bits("coil", 0, 65535),),
            "MW": (words(0, 65535),),
            "MD": (Run("hr", 0, 0, 65534, default="int32"),),
            "MF": (Run("hr", 0, 0, 65534, default="float32"),),
        }
    ),
    evidence="none",
    source="widely quoted for M221 and M340; no manual read",
)
