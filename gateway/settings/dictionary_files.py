"""The data dictionary as a file that people open: Excel, CSV, Markdown.

- A text from a configuration never becomes a formula: what begins like one is quoted.
- CSV begins with a byte order mark, without which Excel shows no Chinese.
"""

import csv
import io
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from gateway.settings.dictionary_rows import COLUMNS, KINDS, Row, tables

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""How a cell begins that a spreadsheet would compute."""
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_MAX_WIDTH = 60


def as_csv(found: Iterable[Row]) -> bytes:
    """Return one table with all columns, UTF-8 with a byte order mark."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(_heads(COLUMNS))
    for row in found:
        writer.writerow([_quoted(cell) for cell in row.cells()])
    return text.getvalue().encode("utf-8-sig")


def as_markdown(found: Iterable[Row]) -> bytes:
    """Return one section for each kind."""
    lines: list[str] = []
    for kind, (columns, cells) in tables(found).items():
        lines += [f"## {KINDS[kind]['zh']} · {KINDS[kind]['en']}", ""]
        lines += [_markdown(_heads(columns)), _markdown(["---"] * len(columns))]
        lines += [_markdown(line) for line in cells]
        lines.append("")
    return "\n".join(lines).encode()


def as_xlsx(found: Iterable[Row]) -> bytes:
    """Return a workbook with one sheet for each kind."""
    from openpyxl import Workbook  # noqa: PLC0415 - only who wants a workbook pays for it

    book = Workbook()
    book.remove(book.worksheets[0])
    for kind, (columns, cells) in tables(found).items():
        sheet = book.create_sheet(f"{KINDS[kind]['zh']} {KINDS[kind]['en']}")
        _fill(sheet, [_heads(columns), *cells])
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


WRITERS: Mapping[str, Callable[[Iterable[Row]], bytes]] = {
    "xlsx": as_xlsx,
    "csv": as_csv,
    "md": as_markdown,
}


def _heads(columns: Iterable[str]) -> list[str]:
    return [f"{COLUMNS[key]['zh']} {COLUMNS[key]['en']}" for key in columns]


def _quoted(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA) else text


def _markdown(cells: Sequence[str]) -> str:
    shown = (re.sub(r"\s+", " ", cell).replace("\\", "\\\\") for cell in cells)
    escaped = (re.sub(r"([|<`*_\[\]])", r"\\\1", cell) for cell in shown)
    return f"| {' | '.join(escaped)} |"


def _fill(sheet: "Worksheet", lines: Sequence[Sequence[str]]) -> None:
    from openpyxl.styles import Font  # noqa: PLC0415 - as above
    from openpyxl.utils import get_column_letter  # noqa: PLC0415 - as above

    for number, line in enumerate(lines, 1):
        for column, text in enumerate(line, 1):
            cell = sheet.cell(number, column)
            cell.value = _quoted(_CONTROL.sub("\N{REPLACEMENT CHARACTER}", text))
            cell.data_type = "s"
            if number == 1:
                cell.font = Font(bold=True)
    for column in range(1, len(lines[0]) + 1):
        width = max(len(line[column - 1]) for line in lines) * 2
        sheet.column_dimensions[get_column_letter(column)].width = min(width, _MAX_WIDTH)
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = sheet.dimensions
