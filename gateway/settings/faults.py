"""Fault dictionaries: a table from a bit or a code to what people need to know.

- A CSV with a header, as a spreadsheet writes it (UTF-8 with or without a byte order
  mark, or GB18030), and a workbook (.xlsx) with the same rows give the same texts.
- The header is in English or in Chinese.
- A row that is wrong is a problem with its line; the others count.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, get_args

from gateway.domain.events import FaultText
from gateway.domain.vocabulary import ReasonCategory, Text
from gateway.settings import fault_workbook
from gateway.settings.problems import Place, Prose, Report
from gateway.settings.sources import Source

Kind = Literal["bits", "codes"]
_Line = tuple[Place, Sequence[str]]

COLUMNS = (
    "bit",
    "code",
    "text_zh",
    "text_en",
    "cause_zh",
    "cause_en",
    "remedy_zh",
    "remedy_en",
    "severity",
    "category",
    "stops_machine",
)
CHINESE: Mapping[str, str] = {
    "位": "bit",
    "位号": "bit",
    "报警位": "bit",
    "代码": "code",
    "故障代码": "code",
    "报警代码": "code",
    "中文": "text_zh",
    "文字": "text_zh",
    "故障文字": "text_zh",
    "报警内容": "text_zh",
    "英文": "text_en",
    "英文文字": "text_en",
    "原因": "cause_zh",
    "英文原因": "cause_en",
    "处理": "remedy_zh",
    "处理方法": "remedy_zh",
    "英文处理方法": "remedy_en",
    "严重度": "severity",
    "类别": "category",
    "停机": "stops_machine",
    "是否停机": "stops_machine",
}
"""Chinese names of the columns."""
WORKBOOK_SUFFIX = ".xlsx"
MAX_BYTES = 1_000_000
MAX_ROWS = 5000
MAX_TEXT = 500
MAX_CODE = 2**63 - 1
DEFAULT_SEVERITY = 500

_KEY_COLUMN: Mapping[Kind, str] = {"bits": "bit", "codes": "code"}
_KEY_RANGE: Mapping[Kind, tuple[int, int]] = {"bits": (0, 63), "codes": (1, MAX_CODE)}
_TRUTH = {
    **dict.fromkeys(("yes", "true", "1", "是", ""), True),
    **dict.fromkeys(("no", "false", "0", "否"), False),
}
_CATEGORIES: tuple[str, ...] = get_args(ReasonCategory)


def load(source: Source, kind: Kind, report: Report) -> dict[int, FaultText]:
    """Return the dictionary in a file: bit number or code -> text."""
    try:
        with source.path.open("rb") as file:
            content = file.read(max(MAX_BYTES, fault_workbook.MAX_BYTES) + 1)
    except OSError as err:
        report.add("unreadable", Place(source.label), reason=err.strerror or str(err))
        return {}
    return parse(content, source.label, kind, report)


def parse(content: bytes, name: str, kind: Kind, report: Report) -> dict[int, FaultText]:
    """Turn the bytes of a dictionary into texts; ``name`` is how problems call the file."""
    before = len(report)
    if name.lower().endswith(WORKBOOK_SUFFIX):
        table = iter(fault_workbook.rows(content, name, MAX_ROWS + 2, report))
    else:
        table = _csv_rows(content, name, report)
    rows = _bounded(table, report)
    place, header = next(rows, (Place(name), []))
    header = [CHINESE.get(column, column.lower()) for column in header]
    if not header:
        if len(report) == before:
            report.add("empty", place)
    elif _header_fits(header, kind, place, report):
        return _texts(rows, header, kind, report)
    return {}


def _csv_rows(content: bytes, name: str, report: Report) -> Iterator[_Line]:
    text = _decoded(content, Place(name), report)
    if text is not None:
        yield from _rows(csv.reader(io.StringIO(text, newline=""), strict=True), name, report)


def _bounded(rows: Iterable[_Line], report: Report) -> Iterator[_Line]:
    for count, (place, cells) in enumerate(rows):
        if count > MAX_ROWS:
            report.add("csv_too_long", place, limit=MAX_ROWS)
            return
        yield place, cells


def _texts(
    rows: Iterable[_Line], header: Sequence[str], kind: Kind, report: Report
) -> dict[int, FaultText]:
    texts: dict[int, FaultText] = {}
    lines: dict[int, int] = {}
    column = _KEY_COLUMN[kind]
    for place, cells in rows:
        if len(cells) != len(header):
            report.add("csv_row", place, count=len(cells), expected=len(header))
            continue
        row = _Row(dict(zip(header, cells, strict=True)), place, report)
        key = row.key(kind)
        if key in lines:
            report.add("csv_duplicate", place, (column,), column=column, value=key, line=lines[key])
        elif key is not None:
            texts[key], lines[key] = row.text(key), place.line
    return texts


def _decoded(content: bytes, whole: Place, report: Report) -> str | None:
    if len(content) > MAX_BYTES:
        report.add("too_big", whole, limit=MAX_BYTES)
        return None
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    report.add("csv_encoding", whole)
    return None


def _rows(lines: Any, name: str, report: Report) -> Iterator[_Line]:
    """Yield each row that holds anything, with the line it begins in."""
    while True:
        place = Place(name, lines.line_num + 1)
        try:
            cells = next(lines, None)
        except csv.Error as err:
            report.add("csv_broken", place, reason=Prose(err))
            return
        if cells is None:
            return
        if not any(cell.strip() for cell in cells):
            continue
        yield place, [cell.strip() for cell in cells]


def _header_fits(header: Sequence[str], kind: Kind, place: Place, report: Report) -> bool:
    known = Prose(", ".join(COLUMNS))
    before = len(report)
    for column in header:
        if column not in COLUMNS:
            report.add("csv_unknown_column", place, (column,), name=column, known=known)
        elif header.count(column) > 1:
            report.add(
                "csv_duplicate", place, (column,), column="column", value=column, line=place.line
            )
    if _KEY_COLUMN[kind] not in header:
        report.add("csv_columns", place, names=_KEY_COLUMN[kind], known=known)
    return len(report) == before


class _Row:
    """One row; every getter reports what is wrong with its column."""

    def __init__(self, cells: Mapping[str, str], place: Place, report: Report) -> None:
        self._cells = cells
        self._place = place
        self._report = report

    def key(self, kind: Kind) -> int | None:
        """Return the bit or the code this row is about."""
        column = _KEY_COLUMN[kind]
        if not self._cells[column]:
            self._report.add("csv_missing", self._place, (column,), column=column)
            return None
        return self._number(column, *_KEY_RANGE[kind])

    def text(self, key: int) -> FaultText:
        """Return the rest of the row."""
        text = self._texts("text")
        if not text:
            self._report.add("csv_no_text", self._place, ("text_zh",))
        severity = DEFAULT_SEVERITY
        if self._cells.get("severity"):
            severity = self._number("severity", 1, 1000) or severity
        return FaultText(
            code=self._cells.get("code") or str(key),
            text=text,
            cause=self._texts("cause"),
            remedy=self._texts("remedy"),
            severity=severity,
            category=self._category(),
            stops_machine=self._truth("stops_machine"),
        )

    def _number(self, column: str, low: int, high: int) -> int | None:
        value = self._cells[column]
        digits = value.isascii() and value.isdigit() and len(value) <= len(str(high))
        if digits and low <= int(value) <= high:
            return int(value)
        self._report.add(
            "csv_number", self._place, (column,), column=column, value=value, low=low, high=high
        )
        return None

    def _texts(self, name: str) -> Text:
        texts = {}
        for language in ("zh", "en"):
            column = f"{name}_{language}"
            value = self._cells.get(column, "")
            if len(value) > MAX_TEXT:
                self._report.add("too_long", self._place, (column,), limit=MAX_TEXT)
            elif value:
                texts[language] = value
        return texts

    def _category(self) -> ReasonCategory:
        value = self._cells.get("category", "")
        for category in get_args(ReasonCategory):
            if category == value:
                found: ReasonCategory = category
                return found
        if value:
            choices = Prose(", ".join(_CATEGORIES))
            self._report.add("csv_choice", self._place, ("category",), value=value, choices=choices)
        return "equipment"

    def _truth(self, column: str) -> bool:
        value = self._cells.get(column, "")
        if value.lower() in _TRUTH:
            return _TRUTH[value.lower()]
        self._report.add("csv_boolean", self._place, (column,), column=column, value=value)
        return True
