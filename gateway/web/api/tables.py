"""Tables for spreadsheets: workbooks, and CSV with a byte order mark, so that Excel reads Chinese.

No cell is ever taken for a formula.
"""

import csv
import io
import re
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import Response
from fastapi.responses import StreamingResponse

from gateway.web.access.roles import Role
from gateway.web.api.guard import needs

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_CSV = "text/csv; charset=utf-8"
_BOM = "\ufeff"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_WIDTH = 18


def table(role: Role, *more: int, kind: str = "text/csv") -> dict[str, Any]:
    """Return what the decorator of a route that answers a table is given."""
    given = needs(role, *more)
    given["responses"][200] = {"content": {kind: {}}, "description": "A table"}
    return given | {"response_class": Response}


def wall(at: datetime, zone: ZoneInfo) -> datetime:
    """Return what the clock on the wall of the site showed, to the second: for a spreadsheet."""
    return at.astimezone(zone).replace(tzinfo=None, microsecond=0)


def csv_answer(name: str, head: Sequence[str], rows: Iterable[Sequence[Any]]) -> Response:
    """Return a table to download."""
    content = _BOM + _lines([head]) + _lines(rows)
    return Response(content, media_type=_CSV, headers=_download(name))


def csv_stream(
    name: str, head: Sequence[str], parts: AsyncIterator[Iterable[Sequence[Any]]]
) -> StreamingResponse:
    """Return a table to download that may be long: it is sent part by part, and all of it."""

    async def lines() -> AsyncIterator[str]:
        yield _BOM + _lines([head])
        async for part in parts:
            yield _lines(part)

    return StreamingResponse(lines(), media_type=_CSV, headers=_download(name))


def _lines(rows: Iterable[Sequence[Any]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue()


def _download(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"'}


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value


def workbook(title: str, head: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """Return a workbook of one sheet: numbers and moments as such, all else as text."""
    from openpyxl import Workbook  # noqa: PLC0415 - only who wants a workbook pays for it
    from openpyxl.utils import get_column_letter  # noqa: PLC0415 - as above

    book = Workbook(write_only=True)
    sheet: Any = book.create_sheet(title)
    sheet.freeze_panes = "A2"
    for column in range(1, len(head) + 1):
        sheet.column_dimensions[get_column_letter(column)].width = _WIDTH
    sheet.append(list(_typed(sheet, head, bold=True)))
    for row in rows:
        sheet.append(list(_typed(sheet, row)))
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def xlsx_answer(name: str, content: bytes) -> Response:
    """Return a workbook to download."""
    return Response(content, media_type=XLSX, headers=_download(name))


def _typed(sheet: Any, row: Iterable[Any], *, bold: bool = False) -> Iterator[object]:
    from openpyxl.cell import WriteOnlyCell  # noqa: PLC0415 - as above
    from openpyxl.styles import Font  # noqa: PLC0415 - as above

    for value in row:
        if isinstance(value, datetime):
            cell = WriteOnlyCell(sheet, value)
            cell.number_format = "yyyy-mm-dd hh:mm:ss"
            yield cell
        elif isinstance(value, str):
            cell = WriteOnlyCell(sheet, _CONTROL.sub("\N{REPLACEMENT CHARACTER}", value))
            cell.data_type = "s"
            if bold:
                cell.font = Font(bold=True)
            yield cell
        else:
            yield value
