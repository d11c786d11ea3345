import pytest

from gateway.tags.cells import Cell
from gateway.tags.columns import COLUMNS, Row, column_of, sheet_of
from gateway.tags.messages import SheetError

FIELDS = ("address", "type", "order", "bit", "scale", "offset", "length_bytes")


def rows(*lines: str) -> list[Row]:
    return [
        Row(number, [Cell(text) for text in line.split(",")])
        for number, line in enumerate(lines, start=1)
        if line.strip(",")
    ]


@pytest.mark.parametrize(
    ("header", "column"),
    [
        ("地址", "address"),
        ("寄存器地址(十进制)", "address"),
        ("Address (dec)", "address"),
        ("PLC 地址", "address"),
        ("地址 address", "address"),
        ("Data_Type", "type"),
        ("数据类型", "type"),
        ("Byte Order", "order"),
        ("字节序", "order"),
        ("倍率", "scale"),
        ("单位", "unit"),
        ("名称/Name", "name"),
        ("length_bytes", "length_bytes"),
        ("文件行号 row", "row"),
        ("序号", None),
        ("No.", None),
    ],
)
def test_vendors_names_of_columns(header: str, column: str | None) -> None:
    assert column_of(header, FIELDS) == column


def test_no_name_means_two_columns() -> None:
    for column, others in COLUMNS.items():
        for other in others:
            assert column_of(other, FIELDS) == column


def test_a_title_and_empty_rows_above_the_header_are_no_harm() -> None:
    sheet = sheet_of(rows("7号冲床点表,,", ",,", "名称,地址,类型", "运行,M1,BOOL"), FIELDS)
    assert sheet.columns == {"name": 0, "address": 1, "type": 2}
    assert [row.number for row in sheet.rows] == [4]


def test_below_merged_cells_the_header_is_what_stands_above() -> None:
    sheet = sheet_of(rows("名称,通讯参数,,备注", ",地址,类型,", "运行,M1,BOOL,x"), FIELDS)
    assert sheet.columns == {"name": 0, "address": 1, "type": 2, "remark": 3}


def test_an_unknown_column_is_named_and_no_harm() -> None:
    sheet = sheet_of(rows("序号,地址,颜色", "1,D1,red"), FIELDS)
    assert sheet.unknown == ("序号", "颜色")


def test_of_two_columns_of_names_the_first_counts() -> None:
    sheet = sheet_of(rows("名称,描述,地址", "a,b,D1"), FIELDS)
    assert sheet.columns["name"] == 0
    assert sheet.unknown == ("描述",)


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        (("just,text", "and,more"), "no_header"),
        (("名称,类型", "a,b"), "no_header"),
        (("名称,地址",), "no_rows"),
        (("地址,寄存器", "1,2"), "same_column"),
    ],
)
def test_what_is_no_list_is_said(lines: tuple[str, ...], code: str) -> None:
    with pytest.raises(SheetError) as caught:
        sheet_of(rows(*lines), FIELDS)
    assert caught.value.code == code
