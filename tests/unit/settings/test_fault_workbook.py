import io
import random
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook
from openpyxl.worksheet.datavalidation import DataValidation

from gateway.domain.events import FaultText
from gateway.settings import fault_workbook
from gateway.settings.faults import CHINESE, COLUMNS, MAX_ROWS, Kind, load, parse
from gateway.settings.problems import Report
from gateway.settings.sources import Source

HEADER = ["bit", "code", "text_zh", "text_en", "severity", "category", "stops_machine"]
ROW = [3, "P03", "过载", "Overload", 800, "tooling", False]
TEXT = FaultText(
    code="P03",
    text={"zh": "过载", "en": "Overload"},
    severity=800,
    category="tooling",
    stops_machine=False,
)
Rows = Sequence[Sequence[object]]


def workbook(rows: Rows, change: Callable[[Workbook], object] = lambda _: None) -> bytes:
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = "报警"
    for row in rows:
        sheet.append(list(row))
    change(book)
    saved = io.BytesIO()
    book.save(saved)
    return saved.getvalue()


def read(
    content: bytes, kind: Kind = "bits"
) -> tuple[dict[int, FaultText], list[tuple[str, int, str, str]]]:
    report = Report()
    texts = parse(content, "faults/a.xlsx", kind, report)
    return texts, [(p.file, p.line, p.key, p.code) for p in report.problems]


def test_a_workbook_gives_the_same_as_its_csv() -> None:
    csv = "bit,code,text_zh,text_en,severity,category,stops_machine\n"
    csv += "3,P03,过载,Overload,800,tooling,false\n"
    assert read(workbook([HEADER, ROW])) == (
        parse(csv.encode(), "a.csv", "bits", Report()),
        [],
    )
    assert read(workbook([HEADER, ROW])) == ({3: TEXT}, [])


def test_a_chinese_header() -> None:
    header = ["位号", "代码", "中文", "英文", "严重度", "类别", "是否停机"]
    assert read(workbook([header, [3, "P03", "过载", "Overload", 800, "tooling", "否"]])) == (
        {3: TEXT},
        [],
    )
    assert set(CHINESE.values()) == set(COLUMNS)


def test_numbers_as_a_spreadsheet_keeps_them() -> None:
    assert read(workbook([["code", "text_en", None], [17.0, " Door ", None]]), "codes") == (
        {17: FaultText("17", {"en": "Door"})},
        [],
    )


def test_a_problem_names_the_sheet_and_the_row() -> None:
    rows: Rows = [
        HEADER,
        [],
        ["x", *ROW[1:]],
        ROW,
        [4, *ROW[1:], None, "right of it"],
        [None, "P1"],
    ]
    texts, problems = read(workbook(rows))
    assert texts == {3: TEXT}
    assert problems == [
        ("faults/a.xlsx[报警]", 3, "bit", "csv_number"),
        ("faults/a.xlsx[报警]", 5, "", "xlsx_beyond"),
        ("faults/a.xlsx[报警]", 6, "bit", "csv_missing"),
    ]


def test_a_sheet_that_is_not_read_is_named() -> None:
    def more(book: Workbook) -> None:
        book.create_sheet("empty")
        book.create_sheet("说明").append(["read me"])

    assert read(workbook([HEADER, ROW], more)) == (
        {3: TEXT},
        [("faults/a.xlsx", 0, "", "xlsx_other_sheets")],
    )


def test_a_hidden_sheet_is_passed_over() -> None:
    def hide(book: Workbook) -> None:
        book.worksheets[0].sheet_state = "hidden"
        book.create_sheet("shown").append(["code", "text_en"])

    assert read(workbook([HEADER, ROW], hide), "codes") == ({}, [])


def test_a_workbook_without_anything() -> None:
    assert read(workbook([])) == ({}, [("faults/a.xlsx", 0, "", "empty")])


def test_what_decorates_a_workbook_does_not_matter() -> None:
    def decorate(book: Workbook) -> None:
        validation = DataValidation(type="list", formula1='"yes,no"')
        book.worksheets[0].add_data_validation(validation)
        validation.add("G2:G9")
        book.worksheets[0]["B2"].hyperlink = "https://example.com"

    assert read(workbook([HEADER, ROW], decorate)) == ({3: TEXT}, [])


def test_the_number_of_rows_is_bounded() -> None:
    rows: Rows = [["code", "text_en"], *([i, "x"] for i in range(1, MAX_ROWS + 2))]
    texts, problems = read(workbook(rows), "codes")
    assert len(texts) == MAX_ROWS
    assert problems == [("faults/a.xlsx[报警]", MAX_ROWS + 2, "", "csv_too_long")]


def test_columns_too_far_to_the_right_are_not_read() -> None:
    header = ["bit", "text_en", *[None] * fault_workbook.MAX_COLUMNS, "far"]
    assert read(workbook([header, [1, "x"]])) == ({1: FaultText("1", {"en": "x"})}, [])


def packed(parts: dict[str, bytes]) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in parts.items():
            file.writestr(name, content)
    return archive.getvalue()


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "xlsx_broken"),
        (b"bit,text_en\n1,x\n", "xlsx_broken"),
        (bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600), "xlsx_broken"),  # .xls, or a password
        (packed({"a": b"x"}), "xlsx_broken"),
        (packed({"a": bytes(fault_workbook.MAX_UNPACKED_BYTES + 1)}), "xlsx_unpacked"),
        (b" " * (fault_workbook.MAX_BYTES + 1), "too_big"),
    ],
)
def test_what_is_no_workbook(content: bytes, problem: str) -> None:
    assert read(content) == ({}, [("faults/a.xlsx", 0, "", problem)])


def parts_of(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        return {name: file.read(name) for name in file.namelist()}


GOOD_PARTS = parts_of(workbook([HEADER, ROW]))


@pytest.mark.parametrize("part", sorted(GOOD_PARTS))
@pytest.mark.parametrize("content", [None, b"", b"<", b"<a/>", b"<a><b/></a>"])
def test_a_part_that_is_missing_or_wrong_raises_nothing(part: str, content: bytes | None) -> None:
    parts = {name: GOOD_PARTS[name] for name in GOOD_PARTS if name != part}
    read(packed(parts if content is None else parts | {part: content}))


@given(st.sampled_from(sorted(GOOD_PARTS)), st.integers(0, 2**32), st.integers(1, 40))
def test_a_damaged_part_raises_nothing(part: str, seed: int, times: int) -> None:
    chance, content = random.Random(seed), bytearray(GOOD_PARTS[part])
    for _ in range(times):
        content[chance.randrange(len(content))] = chance.choice(b'<>"/ 019aZ&\x00\xff')
    read(packed(GOOD_PARTS | {part: bytes(content)}))


@given(st.integers(0, 2**32), st.integers(1, 8))
def test_a_damaged_file_raises_nothing(seed: int, times: int) -> None:
    chance, content = random.Random(seed), bytearray(packed(GOOD_PARTS))
    for _ in range(times):
        content[chance.randrange(len(content))] = chance.randrange(256)
    read(bytes(content))


def test_an_entity_bomb_raises_nothing() -> None:
    bomb = b'<!DOCTYPE b [<!ENTITY a "' + b"x" * 1000 + b'">'
    bomb += b"".join(b'<!ENTITY %c "%s">' % (98 + i, b"&%c;" % (97 + i) * 50) for i in range(6))
    read(packed(GOOD_PARTS | {"xl/sharedStrings.xml": bomb + b"]><b>&g;</b>"}))


def test_a_row_number_beyond_the_format_ends_the_sheet() -> None:
    sheet = GOOD_PARTS["xl/worksheets/sheet1.xml"].replace(b'<row r="2"', b'<row r="999999999"')
    read(packed(GOOD_PARTS | {"xl/worksheets/sheet1.xml": sheet}))


def test_a_file(tmp_path: Path) -> None:
    (tmp_path / "A.XLSX").write_bytes(workbook([HEADER, ROW]))
    report = Report()
    assert load(Source(tmp_path / "A.XLSX", "faults/A.XLSX"), "bits", report) == {3: TEXT}
    assert report.problems == []
