import io
import zipfile
from contextlib import suppress
from datetime import date

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from gateway.tags.files import Encoding, Form, Value, form_of, read, write
from gateway.tags.messages import SheetError

TEXTS = st.text(
    st.characters(exclude_categories=["C", "Z"], max_codepoint=0xFFFF), min_size=1, max_size=20
)


def texts(content: bytes, form: Form, encoding: Encoding = "auto") -> list[list[str]]:
    return [[cell.text for cell in row.cells] for row in read(content, form, encoding).rows]


def workbook(*rows: list[object], formats: dict[str, str] | None = None) -> bytes:
    book = Workbook()
    sheet = book.worksheets[0]
    for row in rows:
        sheet.append(row)
    for place, number_format in (formats or {}).items():
        sheet[place].number_format = number_format
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_encodings_and_delimiters_are_told_apart(encoding: str, delimiter: str) -> None:
    content = "名称,地址,单位\r\n主轴转速,D100,r/min\r\n".replace(",", delimiter).encode(encoding)
    grid = read(content, "csv")
    assert [cell.text for cell in grid.rows[1].cells] == ["主轴转速", "D100", "r/min"]
    assert grid.written == encoding.removesuffix("-sig")


def test_an_encoding_may_be_said() -> None:
    assert texts("名称,地址".encode("gb18030"), "csv", "gb18030") == [["名称", "地址"]]
    with pytest.raises(SheetError):
        read("名称,地址".encode("gb18030"), "csv", "utf-8")


def test_rows_keep_the_numbers_the_spreadsheet_shows() -> None:
    assert [row.number for row in read(b"a,b\n,\n\nc,d\n", "csv").rows] == [1, 4]
    assert [row.number for row in read(workbook(["a"], [], ["c"]), "xlsx").rows] == [1, 3]


def test_a_workbook_keeps_shown_zeros_and_names_dates() -> None:
    content = workbook(["a"], [1], [date(2026, 1, 2)], formats={"A2": "00000"})
    rows = read(content, "xlsx").rows
    assert [rows[1].cells[0].text, rows[2].cells[0].kind] == ["00001", "date"]


def test_a_formula_without_a_result_is_told_from_an_empty_cell() -> None:
    cells = read(workbook(["a", "=40000+12", "c"]), "xlsx").rows[0].cells
    assert [(cell.text, cell.kind) for cell in cells] == [
        ("a", "text"),
        ("=40000+12", "formula"),
        ("c", "text"),
    ]


def test_only_the_first_visible_sheet_is_read() -> None:
    book = Workbook()
    book.worksheets[0].append(["hidden"])
    book.worksheets[0].sheet_state = "hidden"
    book.create_sheet("shown").append(["seen"])
    out = io.BytesIO()
    book.save(out)
    assert read(out.getvalue(), "xlsx").written == "shown"
    assert texts(out.getvalue(), "xlsx") == [["seen"]]


@pytest.mark.parametrize("form", ["csv", "xlsx"])
@settings(max_examples=40, deadline=None)
@given(row=st.lists(TEXTS, min_size=1, max_size=5))
@example(row=[";"])
@example(row=["a;;", "x,b"])
def test_what_is_written_reads_back(form: Form, row: list[str]) -> None:
    header = [f"h{number}" for number in range(len(row))]
    assert texts(write([header, row], form), form)[1] == row


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "'=x"])
def test_no_cell_is_a_formula(text: str) -> None:
    rows: list[list[Value]] = [["a"], [text]]
    assert write(rows, "csv").decode("utf-8-sig").splitlines()[1].startswith("'")
    assert texts(write(rows, "csv"), "csv")[1] == [text]
    assert texts(write(rows, "xlsx"), "xlsx")[1] == [text]
    sheet = zipfile.ZipFile(io.BytesIO(write(rows, "xlsx"))).read("xl/worksheets/sheet1.xml")
    assert b"<f>" not in sheet


@given(st.binary(max_size=200))
def test_whatever_the_bytes_are_it_is_a_grid_or_a_sentence(content: bytes) -> None:
    for form in ("csv", "xlsx"):
        with suppress(SheetError):
            read(content, form)


def test_a_bomb_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.tags.files.MAX_UNPACKED_BYTES", 100)
    with pytest.raises(SheetError) as caught:
        read(workbook(["a"]), "xlsx")
    assert caught.value.code == "too_big"


def test_too_many_rows_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.tags.files.MAX_ROWS", 2)
    with pytest.raises(SheetError) as caught:
        read(b"a\nb\nc\n", "csv")
    assert caught.value.code == "too_many_rows"


def test_the_name_says_the_form() -> None:
    assert [form_of(name) for name in ("A.XLSX", "b.csv", "c.txt")] == ["xlsx", "csv", "csv"]
    with pytest.raises(SheetError):
        form_of("d.xls")
