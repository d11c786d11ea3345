"""Fault dictionaries in a workbook: the first visible sheet as rows of text.

- A workbook gives the same rows as the CSV that a spreadsheet saves of it.
- Size, unpacked size, rows and columns are bounded before anything is believed.
- Whatever a file holds, it is rows or problems; problems name the sheet and its row.
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from gateway.settings.problems import Place, Prose, Report
from gateway.settings.workbook import BROKEN, opened, unpacked_bytes, visible

if TYPE_CHECKING:
    from openpyxl.workbook import Workbook

MAX_BYTES = 2_000_000
MAX_UNPACKED_BYTES = 50_000_000
MAX_COLUMNS = 32
MAX_SHEET_ROWS = 100_000
"""Nobody looks for a dictionary further down, and a file may name any row it likes."""
_LOOK_ROWS = 20
"""So far down a sheet that is not read is looked at for content."""


def rows(
    content: bytes, name: str, limit: int, report: Report
) -> Sequence[tuple[Place, Sequence[str]]]:
    """Return the first ``limit`` rows that hold anything, as wide as the first of them.

    Raises nothing; a broken workbook is a problem and has no rows.
    """
    if len(content) > MAX_BYTES:
        report.add("too_big", Place(name), limit=MAX_BYTES)
        return ()
    try:
        return list(islice(_rows(content, name, report), limit))
    except BROKEN as err:
        report.add("xlsx_broken", Place(name), reason=Prose(err))
        return ()


def _rows(content: bytes, name: str, report: Report) -> Iterator[tuple[Place, Sequence[str]]]:
    if unpacked_bytes(content) > MAX_UNPACKED_BYTES:
        report.add("xlsx_unpacked", Place(name), limit=MAX_UNPACKED_BYTES)
        return
    with opened(content) as book:
        sheet = _sheet(book, name, report)
        if sheet is not None:
            yield from _rows_of(sheet, name, report)


def _sheet(book: "Workbook", name: str, report: Report) -> Any:
    """Return the first visible sheet; others that hold something are named."""
    shown = visible(book)
    if not shown:
        report.add("empty", Place(name))
        return None
    sheet, *others = shown
    left = [other.title for other in others if any(map(_filled, _cells(other, _LOOK_ROWS)))]
    if left:
        report.add("xlsx_other_sheets", Place(name), used=sheet.title, names=", ".join(left))
    return sheet


def _rows_of(sheet: Any, name: str, report: Report) -> Iterator[tuple[Place, Sequence[str]]]:
    width = 0
    for number, cells in enumerate(_cells(sheet, MAX_SHEET_ROWS), start=1):
        if not _filled(cells):
            continue
        place = Place(f"{name}[{sheet.title}]", number)
        width = width or max(i for i, cell in enumerate(cells, start=1) if cell)
        if _filled(cells[width:]):
            report.add("xlsx_beyond", place, count=width)
            continue
        yield place, [*cells[:width], *[""] * (width - len(cells))]


def _cells(sheet: Any, max_row: int) -> Iterator[Sequence[str]]:
    for row in sheet.iter_rows(max_row=max_row, max_col=MAX_COLUMNS, values_only=True):
        yield [_text(value) for value in row]


def _filled(cells: Sequence[str]) -> bool:
    return any(cells)


def _text(value: object) -> str:
    """A cell as a CSV of the sheet would hold it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()
