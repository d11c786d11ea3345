import csv
import io
import zipfile

import pytest
from openpyxl import load_workbook

from gateway.settings.dictionary_files import as_csv, as_markdown, as_xlsx
from gateway.settings.dictionary_rows import COLUMNS, Row

EVIL = ["=1+1", '+cmd|"/c calc"!A1', "-2+3", "@SUM(A1)", "\t=1", "\r=1"]
ROWS = [
    Row(kind="equipment", equipment="press-07", text_zh="7号冲床", text_en="Press 07"),
    *(Row(kind="tag", equipment="press-07", code=str(n), text_zh=t) for n, t in enumerate(EVIL)),
]


def test_csv_is_read_back_and_shows_chinese_in_excel() -> None:
    content = as_csv(ROWS)
    assert content.startswith(b"\xef\xbb\xbf")
    lines = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    assert len(lines[0]) == len(COLUMNS)
    assert lines[0][1] == "设备 equipment"
    assert lines[1][:4] == ["equipment", "press-07", "", "7号冲床"]
    assert [line[3] for line in lines[2:]] == [f"'{text}" for text in EVIL]


def test_no_cell_of_a_workbook_is_a_formula() -> None:
    content = as_xlsx([*ROWS, Row(kind="fault", code="bell\x07", text_en="a\nb")])
    book = load_workbook(io.BytesIO(content))
    assert book.sheetnames == ["设备 Equipment", "点位 Tags", "故障 Faults"]
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert {cell.data_type for cell in cells} <= {"s", "n"}
    assert all(cell.value is None for cell in cells if cell.data_type == "n")
    shown = [str(cell.value) for cell in cells if cell.value is not None]
    assert not [text for text in shown if text.startswith(("=", "+", "-", "@"))]
    assert "'=1+1" in shown
    assert "bell\N{REPLACEMENT CHARACTER}" in shown
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        assert b"<f>" not in parts.read("xl/worksheets/sheet2.xml")


@pytest.mark.parametrize(
    ("text", "shown"), [("a|b", "a\\|b"), ("<b>", "\\<b>"), ("a\nb", "a b"), ("[x](y)", "\\[x\\]")]
)
def test_markdown_keeps_its_table(text: str, shown: str) -> None:
    lines = as_markdown([Row(kind="tag", code=text)]).decode().splitlines()
    assert lines[0] == "## 点位 · Tags"
    assert lines[-1].startswith(f"| {shown}")
    assert lines[-1].replace("\\|", "").count("|") == 2
