"""Tag lists as bytes: CSV as spreadsheets write it, and workbooks.

Promises:

- UTF-8 with or without a mark, UTF-16 with one, and GB18030 are told apart; so are comma,
  semicolon and tab.
- What is written reads back the same, and no cell of it is a formula.
- Size, unpacked size, rows and columns are bounded before anything is believed.
"""

import csv
import io
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal

from gateway.settings.workbook import BROKEN, opened, unpacked_bytes, visible
from gateway.tags.cells import Cell, cell_of, clean
from gateway.tags.columns import LOOK_ROWS, Row
from gateway.tags.messages import SheetError

Encoding = Literal["auto", "utf-8", "gb18030"]
Form = Literal["csv", "xlsx"]
Value = str | int | float | bool | None

MAX_BYTES = 10_000_000
MAX_UNPACKED_BYTES = 100_000_000
MAX_ROWS = 20_000
MAX_COLUMNS = 100
MAX_EMPTY_ROWS = 1000
"""Nobody looks for more below so many empty ones."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "'")
_DELIMITERS = ",;\t"
_QUOTED = re.compile(r'"[^"]*"')
_TO_QUOTE = re.compile(r'[",;\t\r\n]')
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class Grid:
    """The rows of a file, empty ones left out, and how it was written."""

    rows: tuple[Row, ...]
    written: str
    """The encoding of a CSV, the name of a workbook's sheet."""


def form_of(name: str) -> Form:
    """Return which kind of file a name promises; raises SheetError."""
    if name.lower().endswith(".xlsx"):
        return "xlsx"
    if name.lower().endswith((".csv", ".txt", ".tsv")):
        return "csv"
    raise SheetError("kind_of_file")


def read(content: bytes, form: Form, encoding: Encoding = "auto") -> Grid:
    """Return the rows of a file; raises SheetError for what is no list at all."""
    if len(content) > MAX_BYTES:
        raise SheetError("too_big", limit=MAX_BYTES)
    found = _workbook(content) if form == "xlsx" else _csv(content, encoding)
    if len(found.rows) > MAX_ROWS:
        raise SheetError("too_many_rows", limit=MAX_ROWS)
    return found


def write(rows: Sequence[Sequence[Value]], form: Form) -> bytes:
    """Return the first row as a header and the others as a file."""
    return _write_workbook(rows) if form == "xlsx" else _write_csv(rows)


def _csv(content: bytes, encoding: Encoding) -> Grid:
    text, written = _decoded(content, encoding)
    head = [line for line in text.splitlines() if line.strip()][:LOOK_ROWS]
    bare = _QUOTED.sub("", "\n".join(head))
    delimiter = max(_DELIMITERS, key=bare.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        return Grid(tuple(islice(_csv_rows(reader), MAX_ROWS + 1)), written)
    except csv.Error as err:
        raise SheetError("broken", reason=err) from err


def _csv_rows(reader: Any) -> Iterator[Row]:
    for cells in reader:
        row = Row(reader.line_num, [Cell(_unquoted(clean(text))) for text in cells[:MAX_COLUMNS]])
        if any(row.cells):
            yield row


def _decoded(content: bytes, encoding: Encoding) -> tuple[str, str]:
    if encoding == "auto" and content.startswith(_UTF16_MARKS):
        tries = ["utf-16"]
    else:
        tries = ["utf-8-sig", "gb18030"] if encoding == "auto" else [encoding]
    for name in tries:
        try:
            text = content.decode("utf-8-sig" if name == "utf-8" else name)
        except UnicodeDecodeError:
            continue
        return text, name.removesuffix("-sig")
    raise SheetError("not_text")


def _unquoted(text: str) -> str:
    """Take away the mark that keeps a text from being a formula."""
    return text[1:] if text.startswith("'") and text[1:2] in _FORMULA and text[1:] else text


def _workbook(content: bytes) -> Grid:
    try:
        return _sheet(content)
    except SheetError:
        raise
    except BROKEN as err:
        raise SheetError("broken", reason=err) from err


def _has_formulas(content: bytes) -> bool:
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        sheets = [name for name in packed.namelist() if "worksheets/" in name]
        return any(re.search(rb"<f[ >]", packed.read(name)) for name in sheets)


def _sheet(content: bytes) -> Grid:
    if unpacked_bytes(content) > MAX_UNPACKED_BYTES:
        raise SheetError("too_big", limit=MAX_UNPACKED_BYTES)
    formulas: dict[tuple[int, int], Cell] = {}
    if _has_formulas(content):
        with opened(content, results=False) as book:
            formulas = dict(_formulas(_first(book)))
    with opened(content) as book:
        sheet = _first(book)
        rows = _workbook_rows(sheet, formulas)
        return Grid(tuple(islice(rows, MAX_ROWS + 1)), str(sheet.title))


def _first(book: Any) -> Any:
    """Return the first visible sheet."""
    shown = visible(book)
    if not shown:
        raise SheetError("no_rows")
    return shown[0]


def _formulas(sheet: Any) -> Iterator[tuple[tuple[int, int], Cell]]:
    for cells in sheet.iter_rows(max_col=MAX_COLUMNS, max_row=MAX_ROWS):
        for cell in cells:
            if getattr(cell, "data_type", "") == "f":
                yield (cell.row, cell.column), Cell(str(cell.value), "formula")


def _workbook_rows(sheet: Any, formulas: Mapping[tuple[int, int], Cell]) -> Iterator[Row]:
    """Yield the rows; a formula stands where it has no result."""
    empty = 0
    for number, cells in enumerate(sheet.iter_rows(max_col=MAX_COLUMNS), start=1):
        found = [
            _cell(cell) or formulas.get((number, column), Cell())
            for column, cell in enumerate(cells, start=1)
        ]
        row = Row(number, _trimmed(found))
        if any(row.cells):
            empty = 0
            yield row
        elif (empty := empty + 1) > MAX_EMPTY_ROWS:
            return


def _trimmed(cells: list[Cell]) -> list[Cell]:
    while cells and not cells[-1]:
        cells.pop()
    return cells


def _cell(cell: Any) -> Cell:
    shown = getattr(cell, "number_format", "General")
    return cell_of(cell.value, shown, is_error=getattr(cell, "data_type", "") == "e")


def _write_csv(rows: Sequence[Sequence[Value]]) -> bytes:
    lines = [",".join(_quoted(_safe(value)) for value in row) or '""' for row in rows]
    return "".join(f"{line}\r\n" for line in lines).encode("utf-8-sig")


def _quoted(cell: str) -> str:
    """Quote a cell also where it holds what other programs write between cells (RFC 4180, 2)."""
    return '"' + cell.replace('"', '""') + '"' if _TO_QUOTE.search(cell) else cell


def _safe(value: Value) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return "" if value is None else str(value)


def _storable(value: Value) -> Value:
    """Return a value as a workbook keeps it whole: of a float it holds 16 digits."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and float(f"{value:.16g}") != value:
        return repr(value)
    return value


def _write_workbook(rows: Sequence[Sequence[Value]]) -> bytes:
    from openpyxl import Workbook  # noqa: PLC0415 - only who has a workbook pays for it
    from openpyxl.styles import Font  # noqa: PLC0415

    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = "tags"
    for number, row in enumerate(rows, start=1):
        for column, value in enumerate(map(_storable, row), start=1):
            cell = sheet.cell(number, column)
            cell.value = value
            if isinstance(value, str):
                cell.data_type = "s"  # a text that begins with "=" is no formula
                cell.number_format = "@"
            cell.font = Font(bold=number == 1)
    sheet.freeze_panes = "A2"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
