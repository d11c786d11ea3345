"""Device names of Inovance, Xinje and Delta controllers."""

from types import MappingProxyType

from drivers.modbus.devices import DeviceMap, Run, bits, words

_LAST_X = 0o1777
_MODULES = 0o11777  # 16 expansion modules of 64 points

INOVANCE_H3U = DeviceMap(
    MappingProxyType(
        {
            "M": (bits("coil", 0, 7679), bits("coil", 0x1F40, 8511, first=8000)),
            "SM": (bits("coil", 0x2400, 1023),),
            "S": (bits("coil", 0xE000, 4095),),
            "X": (bits("coil", 0xF800, 0o377, octal=True),),
            "Y": (bits("coil", 0xFC00, 0o377, octal=True),),
            "D": (words(0, 8511),),
            "SD": (words(0x2400, 1023),),
            "R": (words(0x3000, 32767),),
            "T": (bits("coil", 0xF000, 511), words(0xF000, 511)),
            "C": (
                bits("coil", 0xF400, 255),
                words(0xF400, 199),
                Run("hr", 0xF700, 200, 255, pitch=32, default="int32"),
            ),
        }
    ),
    evidence="code",
    source="HslCommunication, InovanceHelper (H3U); limits as the H3U's memory",
)
INOVANCE_H5U = DeviceMap(
    MappingProxyType(
        {
            "D": (words(0, 7999),),
            "R": (words(0x3000, 32767),),
            "M": (bits("coil", 0, 7999),),
            "B": (bits("coil", 0x3000, 32767),),
            "S": (bits("coil", 0xE000, 4095),),
            "X": (bits("coil", 0xF800, _LAST_X, octal=True),),
            "Y": (bits("coil", 0xFC00, _LAST_X, octal=True),),
        }
    ),
    evidence="code",
    source="HslCommunication, InovanceHelper (H5U, Easy); limits as the H5U's memory",
)
# IEC names: %QX0.3 is bit 3 of output byte 0; memory is counted in bytes by MX, in words by
# MW, in double words by MD, all over the same registers.
INOVANCE_AM = DeviceMap(
    MappingProxyType(
        {
            "QX": (Run("coil", 0, 0, 8191, pitch=8, dotted=True),),
            "IX": (Run("di", 0, 0, 8191, pitch=8, dotted=True),),
            "MX": (Run("hr", 0, 0, 131071, pitch=8, dotted=True),),
            "MW": (words(0, 65535),),
            "MD": (Run("hr", 0, 0, 32767, pitch=32, default="uint32"),),
        }
    ),
    evidence="code",
    source="HslCommunication, InovanceHelper (AM400 to AM800)",
)
# Words: XD series user manual, Modbus addresses of components (pages 231 and 254), gaps of
# the expansion modules included. The manual of XMP has the inputs in the coils too.
XINJE_XD = DeviceMap(
    MappingProxyType(
        {
            "M": (bits("coil", 0, 20479),),
            "X": (
                bits("coil", 0x5000, 0o377, octal=True),
                bits("coil", 0x5100, _MODULES, first=0o10000, octal=True),
                bits("coil", 0x58D0, 0o20077, first=0o20000, octal=True),
            ),
            "Y": (
                bits("coil", 0x6000, 0o377, octal=True),
                bits("coil", 0x6100, _MODULES, first=0o10000, octal=True),
                bits("coil", 0x68D0, 0o20077, first=0o20000, octal=True),
            ),
            "S": (bits("coil", 0x7000, 8191),),
            "SM": (bits("coil", 0x9000, 4095),),
            "T": (bits("coil", 0xA000, 4095),),
            "C": (bits("coil", 0xB000, 4095),),
            "ET": (bits("coil", 0xC000, 39),),
            "SEM": (bits("coil", 0xC080, 127),),
            "HM": (bits("coil", 0xC100, 6143),),
            "HS": (bits("coil", 0xD900, 999),),
            "HT": (bits("coil", 0xE100, 1023),),
            "HC": (bits("coil", 0xE500, 1023),),
            "HSC": (bits("coil", 0xE900, 39),),
            "D": (words(0, 20479),),
            "ID": (
                words(0x5000, 99),
                words(0x5100, 11599, first=10000),
                words(0x58D0, 20099, first=20000),
            ),
            "QD": (
                words(0x6000, 99),
                words(0x6100, 11599, first=10000),
                words(0x68D0, 20099, first=20000),
            ),
            "SD": (words(0x7000, 4095),),
            "TD": (words(0x8000, 4095),),
            "CD": (words(0x9000, 4095),),
            "ETD": (words(0xA000, 39),),
            "HD": (words(0xA080, 6143),),
            "HSD": (words(0xB880, 1023),),
            "HTD": (words(0xBC80, 1023),),
            "HCD": (words(0xC080, 1023),),
            "HSCD": (words(0xC480, 39),),
            "FD": (words(0xC4C0, 8191),),
            "SFD": (words(0xE4C0, 4095),),
            "FS": (words(0xF4C0, 47),),
        }
    ),
    evidence="manual",
    source="Xinje XD series user manual, pages 231 and 254 (words, Y); other bits: clients",
    doubts=MappingProxyType(
        dict.fromkeys(
            ("X", "M", "S", "T", "C", "ET", "SEM", "HM", "HS", "HT", "HC", "HSC"),
            "from the source of clients",
        )
        | {"SM": "not found in a manual", "D": "from the source of clients"}
    ),
)
XINJE_XC = DeviceMap(
    MappingProxyType(
        {
            "M": (bits("coil", 0, 7999), bits("coil", 0x6000, 8511, first=8000)),
            "X": (bits("coil", 0x4000, 0o1037, octal=True),),
            "Y": (bits("coil", 0x4800, 0o1037, octal=True),),
            "S": (bits("coil", 0x5000, 1023),),
            "T": (bits("coil", 0x6400, 618),),
            "C": (bits("coil", 0x6C00, 634),),
            "D": (words(0, 7999), words(0x4000, 8511, first=8000)),
            "TD": (words(0x3000, 618),),
            "CD": (words(0x3800, 634),),
            "FD": (words(0x4800, 7999), words(0x6800, 8511, first=8000)),
            "ED": (words(0x7000, 4095),),
        }
    ),
    evidence="manual",
    source="Xinje XMP series operating manual, 3-4-3 (bits); words: clients",
    doubts=MappingProxyType(
        dict.fromkeys(("D", "TD", "CD", "FD", "ED"), "from the source of clients")
    ),
)
# C200 and up are 32 bits wide at addresses one apart: what a request for more than one of
# them brings is nowhere said.
DELTA_DVP = DeviceMap(
    MappingProxyType(
        {
            "S": (bits("coil", 0, 1023),),
            "X": (bits("di", 0x0400, 0o377, octal=True),),
            "Y": (bits("coil", 0x0500, 0o377, octal=True),),
            "M": (bits("coil", 0x0800, 1535), bits("coil", 0xB000, 4095, first=1536)),
            "T": (bits("coil", 0x0600, 255), words(0x0600, 255)),
            "C": (
                bits("coil", 0x0E00, 255),
                words(0x0E00, 199),
                Run("hr", 0x0EC8, 200, 255, default="int32"),
            ),
            "D": (words(0x1000, 4095), words(0x9000, 9999, first=4096)),
        }
    ),
    evidence="manual",
    source="Delta DVP-ES2/EX2/SS2/SA2/SX2/SE operation manual, 4.4 PLC Device Address",
    doubts=MappingProxyType(
        {
            "D": "from an older manual up to D1311 and from the source of clients",
            "C": "the values of C200 and up are from the source of clients",
        }
    ),
)
DELTA_AS = DeviceMap(
    MappingProxyType(
        {
            "M": (bits("coil", 0, 8191),),
            "SM": (bits("coil", 0x4000, 4095),),
            "S": (bits("coil", 0x5000, 2047),),
            "X": (Run("di", 0x6000, 0, 63, pitch=16, dotted=True), Run("ir", 0x8000, 0, 63)),
            "Y": (Run("coil", 0xA000, 0, 63, pitch=16, dotted=True), words(0xA000, 63)),
            "T": (bits("coil", 0xE000, 511), words(0xE000, 511)),
            "C": (bits("coil", 0xF000, 511), words(0xF000, 511)),
            "HC": (bits("coil", 0xFC00, 255),),
            "D": (words(0, 29999),),
            "SR": (words(0xC000, 2047),),
            "E": (words(0xFE00, 14),),
        }
    ),
    evidence="code",
    source="HslCommunication, DeltaASHelper; limits as the AS300's memory",
)
