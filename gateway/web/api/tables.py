"""Tables for spreadsheets: CSV with a byte order mark, so that Excel reads Chinese."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

from fastapi import Response

from gateway.web.access.roles import Role
from gateway.web.api.guard import needs

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_CSV = "text/csv; charset=utf-8"


def table(role: Role, *more: int) -> dict[str, Any]:
    """Return what the decorator of a route that answers CSV is given."""
    given = needs(role, *more)
    given["responses"][200] = {"content": {"text/csv": {}}, "description": "A table"}
    return given | {"response_class": Response}


def csv_answer(name: str, head: Sequence[str], rows: Iterable[Sequence[Any]]) -> Response:
    """Return a table to download; no cell is taken for a formula."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(head)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return Response(
        "\ufeff" + text.getvalue(),
        media_type=_CSV,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value
