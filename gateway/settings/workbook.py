"""Workbooks of strangers: opened within bounds, and what goes wrong with them."""

import io
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from openpyxl.workbook import Workbook

BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    LookupError,
    SyntaxError,  # of the XML
    ValueError,
    TypeError,
    AttributeError,
    NotImplementedError,  # a packing method that zipfile does not know
    RuntimeError,  # encrypted parts
)
"""What zipfile, the XML parser and openpyxl raise on a file that is no workbook."""


def unpacked_bytes(content: bytes) -> int:
    """Return what a workbook says it unpacks to; raises one of `BROKEN`."""
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        return sum(part.file_size for part in packed.infolist())


@contextmanager
def opened(content: bytes, *, results: bool = True) -> Iterator["Workbook"]:
    """Open a workbook for reading row by row; raises one of `BROKEN`, here or in the block.

    ``results``: formulas give what they came to when it was saved, else their text.
    """
    from openpyxl import load_workbook  # noqa: PLC0415 - only who has a workbook pays for it

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of styles nobody looks at here
        book = load_workbook(
            io.BytesIO(content), read_only=True, data_only=results, keep_links=False
        )
        with closing(book):
            yield book


def visible(book: "Workbook") -> list[Any]:
    """Return the sheets people see, as large as they really are."""
    shown: list[Any] = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
    for sheet in shown:
        sheet.reset_dimensions()  # the size a file states is often wrong
    return shown
