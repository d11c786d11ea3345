"""What a spreadsheet does to what people write, healed where that is certain.

Promises:

- Full-width digits, letters and odd spaces read as plain ones.
- A number whose zeros only the cell's format shows keeps them; ``40001.0`` is ``40001``.
- What a spreadsheet made ambiguous (a date, a rounded ``4.00E+05``, ``40001.1`` that may
  have been ``40001.10``) is refused with its name, never guessed.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import Literal

from gateway.tags.messages import SheetError

Kind = Literal["text", "number", "date", "error", "formula"]

_ZEROS = re.compile(r"0{2,}")
_DECIMALS = re.compile(r"0+\.(0+)")
_SCIENTIFIC = re.compile(r"[-+]?\d+(\.\d+)?[eE][-+]\d+")
_UNSEEN = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u200b-\u200f\ufeff\ud800-\udfff]"
)
_WHOLE = re.compile(r"([-+]?\d+)\.0*")
_DATES = re.compile(
    r"\d{1,2}月\d{1,2}日|\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}日?|\d{1,2}/\d{1,2}/\d{2,4}"
    r"|\d{1,2}-(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"
    r"|(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)-\d{1,2}",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell as text, and what the spreadsheet took it for."""

    text: str = ""
    kind: Kind = "text"

    def __bool__(self) -> bool:
        """Say whether it holds anything."""
        return bool(self.text)


EMPTY = Cell()


def cell_of(value: object, number_format: str = "General", *, is_error: bool = False) -> Cell:
    """Return a workbook's value as a cell; ``number_format`` is how it is shown there."""
    if value is None:
        return EMPTY
    if is_error:
        return Cell(str(value), "error")
    if isinstance(value, bool):
        return Cell(str(value).lower())
    if isinstance(value, int | float):
        return Cell(_number(value, number_format), "number")
    if isinstance(value, date | time | timedelta):
        return Cell(str(value), "date")
    return Cell(clean(str(value)))


def clean(text: str) -> str:
    """Return a text without what no eye can see and no file should hold."""
    return _UNSEEN.sub("", text).strip()


def plain(text: str) -> str:
    """Return a name, an address or a number without what only looks different."""
    return " ".join(unicodedata.normalize("NFKC", text).split())


def prose(cell: Cell) -> str:
    """Return a text for people on one line; raises SheetError for a formula gone wrong."""
    _refuse_formula(cell)
    return " ".join(cell.text.replace("\u3000", " ").split())


def technical(cell: Cell) -> str:
    """Return a name or a keyword; raises SheetError for what cannot be one."""
    return whole(dotted(cell))


def dotted(cell: Cell) -> str:
    """Return an address, where ``.0`` may be a bit; raises SheetError."""
    _refuse_damage(cell)
    text = plain(cell.text)
    if _SCIENTIFIC.fullmatch(text):
        raise SheetError("scientific", value=text)
    return text


def number(cell: Cell) -> str:
    """Return a number as text; raises SheetError for what a spreadsheet turned into a date."""
    _refuse_damage(cell)
    return whole(plain(cell.text).replace("\u2212", "-"))


def whole(text: str) -> str:
    """Return ``40001.0`` as ``40001``, anything else as it is."""
    found = _WHOLE.fullmatch(text)
    return found[1] if found else text


def _refuse_formula(cell: Cell) -> None:
    if cell.kind == "formula":
        raise SheetError("formula_unknown", value=cell.text)
    if cell.kind == "error":
        raise SheetError("formula_error", value=cell.text)


def _refuse_damage(cell: Cell) -> None:
    _refuse_formula(cell)
    if cell.kind == "date" or _DATES.fullmatch(plain(cell.text)):
        raise SheetError("became_date", value=cell.text)


def _number(value: float, number_format: str) -> str:
    if found := _DECIMALS.fullmatch(number_format):
        shown = f"{value:.{len(found[1])}f}"
        if float(shown) == value:
            return shown
    if not float(value).is_integer():
        return repr(value)
    text = str(int(value))
    found = _ZEROS.fullmatch(number_format)
    return text.zfill(len(found[0])) if found else text
