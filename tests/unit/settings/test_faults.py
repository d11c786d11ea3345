from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.events import FaultText
from gateway.settings.faults import MAX_BYTES, MAX_ROWS, Kind, load, parse
from gateway.settings.problems import Report
from gateway.settings.sources import Source

HEADER = "bit,code,text_zh,text_en,cause_zh,remedy_en,severity,category,stops_machine\n"
ROW = "3,P03,过载,Overload,卡料,Clear it,800,tooling,no\n"
TEXT = FaultText(
    code="P03",
    text={"zh": "过载", "en": "Overload"},
    cause={"zh": "卡料"},
    remedy={"en": "Clear it"},
    severity=800,
    category="tooling",
    stops_machine=False,
)


def read(
    content: str | bytes, kind: Kind = "bits"
) -> tuple[dict[int, FaultText], list[tuple[int, str, str]]]:
    report = Report()
    data = content.encode() if isinstance(content, str) else content
    texts = parse(data, "faults/a.csv", kind, report)
    return texts, [(p.line, p.key, p.code) for p in report.problems]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_row_in_every_encoding(encoding: str) -> None:
    assert read((HEADER + ROW).encode(encoding)) == ({3: TEXT}, [])


def test_what_is_left_out_has_a_default() -> None:
    assert read("bit,text_en\n0,Stop\n") == ({0: FaultText("0", {"en": "Stop"})}, [])
    assert read("code,text_zh\n17,门开\n", "codes") == ({17: FaultText("17", {"zh": "门开"})}, [])


def test_empty_rows_and_spaces_do_not_matter() -> None:
    texts, problems = read('bit,text_en\n\n , \n 0 ," Stop, now "\n')
    assert (texts[0].text, problems) == ({"en": "Stop, now"}, [])


@pytest.mark.parametrize(
    ("word", "stops"), [("是", True), ("否", False), ("NO", False), ("", True)]
)
def test_stops_machine(word: str, stops: bool) -> None:
    texts, problems = read(f"bit,text_en,stops_machine\n0,x,{word}\n")
    assert (texts[0].stops_machine, problems) == (stops, [])


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", (0, "", "empty")),
        ("code,text_en\n1,x\n", (1, "", "csv_columns")),
        ("bit,text\n1,x\n", (1, "text", "csv_unknown_column")),
        ("bit,bit\n1,1\n", (1, "bit", "csv_duplicate")),
        ("bit,text_en\n1,x,y\n", (2, "", "csv_row")),
        ("bit,text_en\n1,x\n,y\n", (3, "bit", "csv_missing")),
        ("bit,text_en\n64,x\n", (2, "bit", "csv_number")),
        ("bit,text_en\n-1,x\n", (2, "bit", "csv_number")),
        ("bit,text_en\n²,x\n", (2, "bit", "csv_number")),
        (f"bit,text_en\n{'9' * 9000},x\n", (2, "bit", "csv_number")),
        ("bit,text_en\n1,x\n1,y\n", (3, "bit", "csv_duplicate")),
        ('bit,text_en\n1,"a\nb"\n1,y\n', (4, "bit", "csv_duplicate")),
        ("bit,text_en,severity\n1,x,0\n", (2, "severity", "csv_number")),
        ("bit,text_en,category\n1,x,none of it\n", (2, "category", "csv_choice")),
        ("bit,text_en,stops_machine\n1,x,maybe\n", (2, "stops_machine", "csv_boolean")),
        (f"bit,text_en\n1,{'x' * 501}\n", (2, "text_en", "too_long")),
        ('bit,text_en\n1,"x\n', (2, "", "csv_broken")),
        (b"bit,text_en\n1,\xff\xff\n", (0, "", "csv_encoding")),
        ("bit,text_en\n1,x\n".encode("utf-16"), (0, "", "csv_encoding")),
        (b" " * (MAX_BYTES + 1), (0, "", "too_big")),
    ],
)
def test_problem(content: str | bytes, problem: tuple[int, str, str]) -> None:
    assert problem in read(content)[1]


def test_a_file_that_cannot_be_opened(tmp_path: Path) -> None:
    report = Report()
    assert load(Source(tmp_path, "faults/a.csv"), "bits", report) == {}
    assert [p.code for p in report.problems] == ["unreadable"]


def test_a_code_of_zero_means_no_fault() -> None:
    assert read("code,text_en\n0,x\n", "codes") == ({}, [(2, "code", "csv_number")])


def test_a_bad_row_does_not_take_the_others_along() -> None:
    texts, problems = read("bit,text_en\n1,a\nx,b\n2,c\n")
    assert set(texts) == {1, 2}
    assert len(problems) == 1


def test_a_row_without_text_is_a_warning() -> None:
    assert read("bit,code\n1,P1\n") == ({1: FaultText("P1")}, [(2, "text_zh", "csv_no_text")])


def test_the_number_of_rows_is_bounded() -> None:
    rows = "".join(f"{i},x\n" for i in range(1, MAX_ROWS + 2))
    _, problems = read("code,text_en\n" + rows, "codes")
    assert problems == [(MAX_ROWS + 2, "", "csv_too_long")]


@given(st.one_of(st.binary(max_size=200), st.text("bit,code\n\r\"';0123 ", max_size=80)))
def test_any_bytes_give_texts_or_problems(content: str | bytes) -> None:
    for kind in ("bits", "codes"):
        read(content, kind)
