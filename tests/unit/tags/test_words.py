import pytest

from gateway.tags import words
from gateway.tags.messages import SheetError


@pytest.mark.parametrize(
    ("written", "ours"),
    [
        ("DINT", "int32"),
        ("REAL", "float32"),
        ("有符号16位", "int16"),
        ("Unsigned 16-bit", "uint16"),
        ("双字", "uint32"),
        ("uint32", "uint32"),
        ("bcd32", "bcd32"),
        ("int8h", "int8h"),
        ("QQQ", "QQQ"),
    ],
)
def test_types(written: str, ours: str) -> None:
    assert words.type_of(written) == ours


@pytest.mark.parametrize(
    ("written", "ours"),
    [
        ("AB CD", "ABCD"),
        ("3-4-1-2", "CDAB"),
        ("大端", "ABCD"),
        ("Little-Endian", "DCBA"),
        ("little endian byte swap", "CDAB"),
        ("hgfedcba", "HGFEDCBA"),
    ],
)
def test_orders(written: str, ours: str) -> None:
    assert words.order_of(written) == ours


@pytest.mark.parametrize(
    ("written", "table"),
    [
        ("03", "hr"),
        ("3", "hr"),
        ("03/06", "hr"),
        ("3,16", "hr"),
        ("Holding Register", "hr"),
        ("保持寄存器", "hr"),
        ("4x", "hr"),
        ("04H", "ir"),
        ("FC 01", "coil"),
        ("离散输入", "di"),
        ("", None),
    ],
)
def test_tables(written: str, table: str | None) -> None:
    assert words.table_of(written) == table


@pytest.mark.parametrize(
    ("address", "table", "first", "spelled"),
    [
        ("100", "hr", 0, "hr:100"),
        ("100", "hr", 1, "hr:99"),
        ("100", None, 0, "100"),
        ("40001", "hr", 1, "40001"),
        ("40001", "ir", 0, "ir:40001"),
        ("0010H", "hr", None, "hr:0x0010"),
        ("0x1f", "ir", None, "ir:0x1f"),
        ("1000h", None, None, "0x1000"),
        ("4x12", None, None, "400012"),
        ("40001-40002", "hr", None, "40001"),
        ("D100~D101", None, None, "D100"),
        ("D100", "hr", None, "D100"),
    ],
)
def test_spelling(address: str, table: str | None, first: words.From | None, spelled: str) -> None:
    assert words.spelled(address, table, first) == spelled


@pytest.mark.parametrize(
    ("address", "first", "code"), [("100", None, "counts_from"), ("0", 1, "below_first")]
)
def test_a_bare_number_is_not_guessed(address: str, first: words.From | None, code: str) -> None:
    with pytest.raises(SheetError) as caught:
        words.spelled(address, "hr", first)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("address", "parts"),
    [
        ("D100.5", ("D100", "5")),
        ("D100.A", ("D100", "A")),
        ("40001:3", ("40001", "3")),
        ("hr:10.15", ("hr:10", "15")),
        ("D7[12]", ("D7", "12")),
        ("D100", ("D100", "")),
        ("hr:10", ("hr:10", "")),
        ("nsu=urn:x;s=A.1", ("nsu=urn:x;s=A.1", "")),
    ],
)
def test_a_bit_behind_its_word(address: str, parts: tuple[str, str]) -> None:
    assert words.split_bit(address) == parts


def test_the_zero_a_number_lost_is_asked_for() -> None:
    with pytest.raises(SheetError) as caught:
        words.split_bit("40001.1", was_number=True)
    assert caught.value.code == "which_bit"
    assert words.split_bit("40001.2", was_number=True) == ("40001", "2")


def test_only_bits_of_words_are_put_together() -> None:
    assert words.bit_of_word("D300.A", None) == ("D300", 10)
    assert words.bit_of_word("hr:5", 3) == ("hr:5", 3)
    assert words.bit_of_word("I0.3", None) is None
    assert words.bit_of_word("D300", None) is None


def test_roles_and_truth() -> None:
    assert words.role_of("运行") == "run"
    assert words.role_of("监视") is None
    assert words.role_of("") is None
    assert words.truth("是") is True
    assert words.truth("No") is False
    for call in (words.role_of, words.truth, words.table_of):
        with pytest.raises(SheetError):
            call("whatever")
