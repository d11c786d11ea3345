"""Every address conversion of every family, at both ends of each of its runs.

The vectors are written apart from the maps: from the manuals and from the test data of
clients that are in use.
"""

from itertools import pairwise
from typing import get_args

import pytest

from drivers.contract import BadSetting
from drivers.modbus.address import Address, parse
from drivers.modbus.devices import Kind, Run
from drivers.modbus.families import FAMILIES, Family
from drivers.modbus.references import BIT_TABLES

VECTORS: dict[Family, str] = {
    "inovance-h3u": """
        M0 coil 0 | M7679 coil 7679 | M8000 coil 0x1F40 | M8511 coil 0x213F
        SM0 coil 0x2400 | SM1023 coil 0x27FF | S0 coil 0xE000 | S4095 coil 0xEFFF
        X0 coil 0xF800 | X17 coil 0xF80F | X377 coil 0xF8FF | Y0 coil 0xFC00 | Y10 coil 0xFC08
        D0 hr 0 | D8511 hr 8511 | SD0 hr 0x2400 | R0 hr 0x3000 | R32767 hr 0xAFFF
    """,
    "inovance-h5u": """
        M0 coil 0 | M7999 coil 7999 | B0 coil 0x3000 | B32767 coil 0xAFFF | S0 coil 0xE000
        X0 coil 0xF800 | X1777 coil 0xFBFF | Y0 coil 0xFC00 | Y1777 coil 0xFFFF
        D0 hr 0 | D7999 hr 7999 | R0 hr 0x3000 | R32767 hr 0xAFFF
    """,
    "inovance-am": """
        QX0.0 coil 0 | QX1.7 coil 15 | %QX2.3 coil 19 | IX0.1 di 1 | %IX10.0 di 80
        MW0 hr 0 | %MW100 hr 100 | MW65535 hr 65535
    """,
    "xinje-xd": """
        M0 coil 0 | M20479 coil 0x4FFF | X0 coil 0x5000 | X17 coil 20495 | X10000 coil 0x5100
        X20000 coil 22736 | Y0 coil 0x6000 | Y10 coil 0x6008 | Y20 coil 0x6010 | Y10000 coil 24832
        S0 coil 0x7000 | SM0 coil 0x9000 | T0 coil 0xA000 | C0 coil 0xB000 | HM0 coil 0xC100
        D0 hr 0 | D20479 hr 20479 | ID0 hr 0x5000 | QD11400 hr 0x6678 | QD11599 hr 26431
        QD20000 hr 26832 | QD20099 hr 26931 | SD0 hr 0x7000 | SD4095 hr 32767 | TD0 hr 0x8000
        TD4095 hr 36863 | CD0 hr 0x9000 | CD4095 hr 40959 | ETD39 hr 40999 | HD0 hr 0xA080
        HD6143 hr 47231 | HSD0 hr 0xB880 | HSD1023 hr 48255 | HTD0 hr 48256 | HCD1023 hr 0xC47F
        HSCD39 hr 50343 | FD0 hr 50368 | FD8191 hr 58559 | SFD0 hr 58560 | FS0 hr 62656
    """,
    "xinje-xc": """
        M0 coil 0 | M7999 coil 0x1F3F | M8000 coil 0x6000 | M8511 coil 25087 | X0 coil 0x4000
        X1037 coil 16927 | Y1037 coil 18975 | S1023 coil 21503 | T618 coil 26218 | C634 coil 28282
        D0 hr 0 | D8000 hr 0x4000 | TD0 hr 0x3000 | CD0 hr 0x3800 | FD0 hr 0x4800
    """,
    "delta-dvp": """
        S0 coil 0 | S1023 coil 0x3FF | X0 di 0x400 | X377 di 0x4FF | Y0 coil 0x500 | Y377 coil 0x5FF
        M0 coil 0x800 | M1535 coil 0xDFF | M1536 coil 0xB000 | M4095 coil 0xB9FF
        D0 hr 0x1000 | D4095 hr 0x1FFF | D4096 hr 0x9000
    """,
    "delta-as": """
        M0 coil 0 | M8191 coil 0x1FFF | SM0 coil 0x4000 | S0 coil 0x5000 | X0.0 di 0x6000
        X1.3 di 0x6013 | X63.15 di 0x63FF | Y0.0 coil 0xA000 | HC0 coil 0xFC00 | D0 hr 0
        D29999 hr 29999 | SR0 hr 0xC000 | E14 hr 0xFE0E
    """,
    "mitsubishi-fx3u": """
        M0 coil 0 | M7679 coil 0x1DFF | M8000 coil 0x1E00 | M8511 coil 0x1FFF | S0 coil 0x2000
        S4095 coil 0x2FFF | TS0 coil 0x3000 | TS511 coil 0x31FF | CS0 coil 0x3200
        CS255 coil 0x32FF | Y0 coil 0x3300 | Y377 coil 0x33FF | X0 di 0x3400 | X377 di 0x34FF
        D0 hr 0 | D7999 hr 0x1F3F | D8000 hr 0x1F40 | D8511 hr 0x213F | R0 hr 0x2140
        R32767 hr 0xA13F | TN511 hr 0xA33F | CN199 hr 0xA407
    """,
    "mitsubishi-fx5u": """
        D0 hr 0 | D7999 hr 7999 | M0 coil 0x2000 | M7679 coil 0x3DFF | X17 di 15 | Y17 coil 15
    """,
    "mitsubishi-q": "",
    "siemens-s7": """
        I0.0 di 0 | I1.7 di 15 | %I2.0 di 16 | Q0.5 coil 5 | Q10.0 coil 80
        DBW0 hr 0 | DBW2 hr 1 | DBW131070 hr 65535
    """,
    "omron": "D0 hr 0 | D100 hr 100 | CIO0.0 coil 0 | CIO1.05 coil 21 | CIO100.15 coil 1615",
    "schneider-m221": "%M0 coil 0 | %M100 coil 100 | %MW0 hr 0 | %MW100 hr 100",
    "schneider-m340": "%M5 coil 5 | %MW65535 hr 65535",
    "generic": "D0 hr 0 | M5 coil 5 | X10 di 10 | Y10 coil 10",
}
ROWS = [
    (family, *vector.split())
    for family, text in VECTORS.items()
    for line in text.strip().splitlines()
    for vector in line.split("|")
    if vector.strip()
]


@pytest.mark.parametrize(("family", "written", "table", "offset"), ROWS)
def test_a_device_lies_where_its_manual_says(
    family: Family, written: str, table: str, offset: str
) -> None:
    found = parse(written, family)
    assert (found.table, found.offset, found.bit) == (table, int(offset, 0), None)


def test_every_family_has_vectors() -> None:
    assert set(VECTORS) == set(get_args(Family)) == set(FAMILIES)


@pytest.mark.parametrize(
    ("family", "written", "contact", "value"),
    [
        ("inovance-h3u", "T511", ("coil", 0xF1FF), ("hr", 0xF1FF)),
        ("inovance-h3u", "C199", ("coil", 0xF4C7), ("hr", 0xF4C7)),
        ("inovance-h3u", "C200", ("coil", 0xF4C8), ("hr", 0xF700, None, "int32")),
        ("inovance-h3u", "C201", ("coil", 0xF4C9), ("hr", 0xF702, None, "int32")),
        ("inovance-h3u", "C255", ("coil", 0xF4FF), ("hr", 0xF76E, None, "int32")),
        ("delta-dvp", "T255", ("coil", 0x06FF), ("hr", 0x06FF)),
        ("delta-dvp", "C199", ("coil", 0x0EC7), ("hr", 0x0EC7)),
        ("delta-dvp", "C200", ("coil", 0x0EC8), ("hr", 0x0EC8, None, "int32")),
        ("delta-as", "T0", ("coil", 0xE000), ("hr", 0xE000)),
        ("delta-as", "C511", ("coil", 0xF1FF), ("hr", 0xF1FF)),
    ],
)
def test_a_timer_or_counter_is_a_contact_and_a_value(
    family: Family, written: str, contact: tuple[str, int], value: tuple[str, int]
) -> None:
    assert parse(written, family, wants="bit") == Address(*contact)  # type: ignore[arg-type]
    assert parse(written, family, wants="word") == Address(*value)  # type: ignore[arg-type]
    with pytest.raises(BadSetting, match="a contact and a value"):
        parse(written, family)


@pytest.mark.parametrize(
    ("family", "written", "found"),
    [
        ("generic", "D0.4", Address("hr", 0, 4)),
        ("generic", "D0.15", Address("hr", 0, 15)),
        ("generic", "D0.A", Address("hr", 0, 10)),
        ("generic", "hr:100.3", Address("hr", 100, 3)),
        ("generic", "40101.3", Address("hr", 100, 3)),
        ("generic", "30001.0", Address("ir", 0, 0)),
        ("inovance-am", "MX0.0", Address("hr", 0, 0)),
        ("inovance-am", "%MX1.0", Address("hr", 0, 8)),
        ("inovance-am", "MX2.7", Address("hr", 1, 7)),
        ("inovance-am", "MW2.9", Address("hr", 2, 9)),
        ("inovance-am", "MD3", Address("hr", 6, None, "uint32")),
        ("siemens-s7", "DBX0.0", Address("hr", 0, 8)),
        ("siemens-s7", "DBX1.0", Address("hr", 0, 0)),
        ("siemens-s7", "DBX3.7", Address("hr", 1, 7)),
        ("siemens-s7", "DBD4", Address("hr", 2, None, "uint32")),
        ("schneider-m340", "%MW5:X3", Address("hr", 5, 3)),
        ("schneider-m340", "%MD5", Address("hr", 5, None, "int32")),
        ("schneider-m340", "%MF6", Address("hr", 6, None, "float32")),
        ("mitsubishi-fx3u", "CN201", Address("hr", 0xA40A, None, "int32")),
    ],
)
def test_bits_of_words_and_devices_wider_than_one(
    family: Family, written: str, found: Address
) -> None:
    assert parse(written, family) == found


@pytest.mark.parametrize(
    ("family", "written", "says"),
    [
        ("inovance-h3u", "M7680", "M0 .. M7679, M8000 .. M8511"),
        ("inovance-h3u", "X400", "X0 .. X377"),
        ("inovance-h3u", "X8", "octal"),
        ("inovance-h5u", "D8000", "D0 .. D7999"),
        ("xinje-xd", "X400", "X0 .. X377, X10000 .. X11777, X20000 .. X20077"),
        ("xinje-xd", "HD6144", "HD0 .. HD6143"),
        ("xinje-xd", "Y19", "octal"),
        ("xinje-xc", "X1040", "X0 .. X1037"),
        ("delta-dvp", "S1024", "S0 .. S1023"),
        ("delta-as", "X0", "is a contact and a value"),
        ("delta-as", "X64.0", "X0 .. X63"),
        ("siemens-s7", "I0", "say which: I0.0 .. I0.7"),
        ("siemens-s7", "I0.8", "bits 0 to 7"),
        ("siemens-s7", "DBW1", "in the middle of a register"),
        ("siemens-s7", "DBD6.3", "wider than one register"),
        ("mitsubishi-q", "D0", "a parameter of the mitsubishi-q"),
        ("mitsubishi-q", "X1F", "a parameter of the mitsubishi-q"),
        ("mitsubishi-fx3u", "CN255.1", "wider than one register"),
        ("generic", "HD0", "no HD devices"),
        ("omron", "CIO1.16", "no bit 16"),
    ],
)
def test_what_a_family_does_not_have_is_refused(family: Family, written: str, says: str) -> None:
    with pytest.raises(BadSetting) as caught:
        parse(written, family)
    assert says in str(caught.value)


def spans(kind: Kind, runs: list[Run]) -> list[tuple[str, int, int]]:
    """Return the addresses each run takes, first and last, in bits for bit tables."""
    found = []
    for run in runs:
        if run.kind == kind and run.last >= run.first:
            first, _ = run.place(run.first)
            last, _ = run.place(run.last, run.bits - 1 if run.dotted else 0)
            found.append((run.table, first, last))
    return sorted(found)


@pytest.mark.parametrize("family", get_args(Family))
def test_no_two_names_of_bits_lie_at_one_place_and_all_exist(family: Family) -> None:
    runs = [run for runs in FAMILIES[family].names.values() for run in runs]
    taken = [span for span in spans("bit", runs) if span[0] in BIT_TABLES]
    for one, other in pairwise(taken):
        assert one[0] != other[0] or one[2] < other[1] or family == "generic"
    for _, first, last in [*taken, *spans("word", runs)]:
        assert 0 <= first <= last <= 65535


@pytest.mark.parametrize("family", get_args(Family))
def test_every_map_says_where_it_is_from(family: Family) -> None:
    devices = FAMILIES[family]
    assert devices.evidence in {"manual", "code", "none"}
    assert devices.source
    assert set(devices.doubts) <= set(devices.names)
