from datetime import date, datetime, time

import pytest

from gateway.tags.cells import Cell, cell_of, dotted, number, prose, technical
from gateway.tags.messages import SheetError


@pytest.mark.parametrize(
    ("value", "number_format", "text"),
    [
        (40001.0, "General", "40001"),
        (1.0, "00000", "00001"),
        (40011.0, "0.0", "40011.0"),
        (40001.1, "0.00", "40001.10"),
        (40001.3, "General", "40001.3"),
        (1e5, "0.00E+00", "100000"),
        (True, "General", "true"),
        (" D100 ", "@", "D100"),
        (None, "General", ""),
    ],
)
def test_a_cell_of_a_workbook_as_text(value: object, number_format: str, text: str) -> None:
    assert cell_of(value, number_format).text == text


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("40001.0", "40001"),
        ("４０００１", "40001"),
        ("　Ｄ１００　", "D100"),
        ("D\u00a0100", "D 100"),
        ("0001", "0001"),
        ("hr:100", "hr:100"),
    ],
)
def test_what_only_looks_different_reads_the_same(written: str, read: str) -> None:
    assert technical(Cell(written)) == read


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        (cell_of(date(2026, 1, 2)), "became_date"),
        (cell_of(datetime(2026, 1, 2)), "became_date"),  # noqa: DTZ001 - as a workbook gives it
        (cell_of(time(10, 1)), "became_date"),
        (Cell("1月2日"), "became_date"),
        (Cell("2026/1/2"), "became_date"),
        (Cell("2-Jan"), "became_date"),
        (Cell("4.00E+05"), "scientific"),
        (Cell("1E+05"), "scientific"),
        (cell_of("#REF!", is_error=True), "formula_error"),
    ],
)
def test_what_a_spreadsheet_damaged_is_named(cell: Cell, code: str) -> None:
    with pytest.raises(SheetError) as caught:
        dotted(cell)
    assert caught.value.code == code
    assert set(caught.value.text) == {"zh", "en"}


def test_a_scale_may_be_small_and_a_full_width_minus_is_one() -> None:
    assert number(Cell("1E-05")) == "1E-05"
    assert number(Cell("－２０")) == "-20"
    assert number(Cell("\u22120.5")) == "-0.5"


def test_prose_keeps_its_signs() -> None:
    assert prose(Cell("　主轴\n温度 ℃ ")) == "主轴 温度 ℃"
