from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.contract import BadSetting
from drivers.modbus.address import Address, Family, Table, parse, show

FAMILIES: tuple[Family, ...] = get_args(Family)
TABLES: tuple[Table, ...] = ("coil", "di", "ir", "hr")


@pytest.mark.parametrize(
    ("written", "place"),
    [
        (40001, ("hr", 0)),
        ("40001", ("hr", 0)),
        ("49999", ("hr", 9998)),
        (400001, ("hr", 0)),
        ("465536", ("hr", 65535)),
        (30010, ("ir", 9)),
        ("10001", ("di", 0)),
        ("00005", ("coil", 4)),
        ("000005", ("coil", 4)),
        ("hr:0", ("hr", 0)),
        ("HR:100", ("hr", 100)),
        ("ir:0x10", ("ir", 16)),
        ("coil:3", ("coil", 3)),
        ("di:65535", ("di", 65535)),
        ("0x1000", ("hr", 4096)),
        ("D100", ("hr", 100)),
        ("d100", ("hr", 100)),
        ("M100", ("coil", 100)),
        (" M100 ", ("coil", 100)),
        ("X17", ("di", 17)),
        ("Y17", ("coil", 17)),
    ],
)
def test_every_notation_means_one_place(written: str | int, place: tuple[Table, int]) -> None:
    assert parse(written) == Address(*place)


@pytest.mark.parametrize(
    ("family", "written", "place"),
    [
        ("inovance-h5u", "D200", ("hr", 200)),
        ("inovance-h5u", "M100", ("coil", 100)),
        ("inovance-h5u", "R10", ("hr", 0x300A)),
        ("inovance-h5u", "X17", ("coil", 0xF80F)),
        ("inovance-h5u", "Y20", ("coil", 0xFC10)),
        ("mitsubishi-fx5u", "M0", ("coil", 0x2000)),
        ("mitsubishi-fx5u", "X17", ("di", 0o17)),
        ("mitsubishi-fx5u", "Y17", ("coil", 0o17)),
        ("delta-dvp", "D0", ("hr", 0x1000)),
        ("delta-dvp", "D4095", ("hr", 0x1FFF)),
        ("delta-dvp", "D4096", ("hr", 0x9000)),
        ("delta-dvp", "M1535", ("coil", 0x0DFF)),
        ("delta-dvp", "M1536", ("coil", 0xB000)),
        ("delta-dvp", "X20", ("di", 0x0410)),
        ("delta-dvp", "Y377", ("coil", 0x05FF)),
    ],
)
def test_a_family_counts_as_its_manual_does(
    family: Family, written: str, place: tuple[Table, int]
) -> None:
    assert parse(written, family) == Address(*place)


@pytest.mark.parametrize(
    ("family", "written", "problem", "hint"),
    [
        ("generic", 100, "does not say which table", "hr:100"),
        ("generic", 100, "does not say which table", "40100"),
        ("generic", "20001", "begins with 2", "4xxxx holding"),
        ("generic", "40000", "count from 1", "40001"),
        ("generic", "465537", "beyond the last address", "65535"),
        ("generic", "hr:65536", "beyond the last address", "65535"),
        ("generic", "0x10000", "beyond the last address", "65535"),
        ("generic", "mr:5", "no Modbus table", "hr (holding)"),
        ("generic", "Q5", "no Q devices", "D, M, X, Y"),
        ("generic", "hr", "not a Modbus address", "hr:100"),
        ("generic", "", "not a Modbus address", "hr:100"),
        ("generic", "-1", "not a Modbus address", "hr:100"),
        ("generic", "40001.16", "there is no bit 16", ".0 to .15"),
        ("generic", "40001.G", "there is no bit G", ".0 to .15"),
        ("generic", "hr:1.", "not a Modbus address", "40101"),
        ("generic", "00001.5", "has no bits", "leave out"),
        ("generic", "M5.3", "has no bits", "leave out"),
        ("generic", "D１０", "not a Modbus address", "D100"),
        ("inovance-h5u", "X18", "octal", "after X7 comes X10"),
        ("inovance-h5u", "D8000", "out of range", "D7999"),
        ("delta-dvp", "Y400", "out of range", "Y377"),
    ],
)
def test_an_error_says_what_is_wrong_and_what_would_be_right(
    family: Family, written: str | int, problem: str, hint: str
) -> None:
    with pytest.raises(BadSetting) as caught:
        parse(written, family)
    assert problem in caught.value.problem
    assert hint in caught.value.hint


def test_show_gives_both_forms() -> None:
    assert show("hr", 100) == "40101 (hr:100)"
    assert show("coil", 4) == "00005 (coil:4)"
    assert show("hr", 9998) == "49999 (hr:9998)"
    assert show("hr", 9999) == "410000 (hr:9999)"
    assert show("di", 65535) == "165536 (di:65535)"


@given(st.sampled_from(TABLES), st.integers(0, 65535))
def test_what_is_shown_reads_back(table: Table, offset: int) -> None:
    reference, _, short = show(table, offset).partition(" ")
    assert parse(reference) == parse(short.strip("()")) == Address(table, offset)


@given(st.one_of(st.text(max_size=12), st.integers()), st.sampled_from(FAMILIES))
def test_anything_else_is_refused_in_words(written: str | int, family: Family) -> None:
    try:
        found = parse(written, family)
    except BadSetting as err:
        right = bool(err.problem and err.hint)
    else:
        right = found.table in TABLES and 0 <= found.offset <= 65535
    assert right
