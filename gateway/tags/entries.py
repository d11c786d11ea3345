"""Rows of a list become tags: pure, row by row.

Promises:

- A row is a tag or a `RowError`; one bad row says nothing about its neighbours.
- An empty cell means the default, a column that is not there means "as it was".
- A row without a usable name gets one from its title or its address, the same each time.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gateway.settings.words import NAME_PATTERN
from gateway.tags import cells, words
from gateway.tags.cells import Cell
from gateway.tags.columns import Row, Sheet
from gateway.tags.messages import RowError, SheetError, sentence

Path = tuple[str, ...]
"""Where in a tag: ``("unit",)``, ``("name", "zh")``."""
Fit = Callable[[str], Any]
"""A cell's text -> the value a setting takes of it."""

MAX_NAME = 40
TEXT_COLUMNS = ("unit", "group")
NUMBER_COLUMNS = ("deadband", "low", "high")
NORMALISED = frozenset({"address", "type", "order", "bit", "scale", "offset"})
_CHINESE = re.compile(r"[\u3400-\u9fff]")
_SIXTEEN_BITS = frozenset({"bool", "int16", "uint16"})


@dataclass(frozen=True, slots=True)
class Target:
    """One equipment that rows may go to."""

    links: Mapping[str, Mapping[str, Fit]]
    """Link -> the settings its protocol has for a tag."""
    default: str | None
    """The link of a row that names none."""


@dataclass(frozen=True, slots=True)
class Assumed:
    """What a person said of the whole list."""

    equipment: str | None = None
    """Whose all rows are, whatever they say."""
    link: str | None = None
    """The link of rows that name none."""
    table: str | None = None
    """The Modbus table of rows that name none."""
    numbers_from: words.From | None = None
    """What bare addresses count from; None: 0 if one of them is 0, else it must be said."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One tag as a row says it."""

    row: int
    equipment: str
    name: str
    says: Mapping[Path, Any]
    """None where the row says "the default"."""
    raw: Mapping[Path, str] = field(default_factory=dict)
    """The cells as written, to tell what the list leaves as it was."""
    role: str | None = None


@dataclass(frozen=True, slots=True)
class Entries:
    """The good rows and why the others are not among them."""

    good: tuple[Entry, ...]
    errors: tuple[RowError, ...]
    counts_from_0: bool = False
    """Nobody said what bare addresses count from, but one of them is 0."""


def entries_of(sheet: Sheet, targets: Mapping[str, Target], assumed: Assumed) -> Entries:
    """Return the tags of a list. ``targets`` are all equipment there is."""
    reader = _Reader(sheet, targets, assumed)
    good: list[Entry] = []
    errors: list[RowError] = []
    seen: dict[tuple[str, str], int] = {}
    for row in sheet.rows:
        try:
            entry = reader.entry(row)
        except SheetError as err:
            errors.append(RowError(row.number, err.text))
            continue
        earlier = seen.setdefault((entry.equipment, entry.name), row.number)
        if earlier == row.number:
            good.append(entry)
        else:
            twice = sentence("same_tag", name=entry.name, line=earlier)
            errors.append(RowError(row.number, twice))
    return Entries(tuple(good), tuple(errors), reader.counts_from_0)


class _Reader:
    """Reads the rows of one sheet."""

    def __init__(self, sheet: Sheet, targets: Mapping[str, Target], assumed: Assumed) -> None:
        self._sheet = sheet
        self._targets = targets
        self._assumed = assumed
        self._derived: set[tuple[str, str]] = set()
        self._first = assumed.numbers_from
        self.counts_from_0 = self._first is None and any(map(self._is_zero, sheet.rows))
        if self.counts_from_0:
            self._first = 0

    def entry(self, row: Row) -> Entry:
        """Return the tag of a row; raises SheetError."""
        equipment = self._assumed.equipment or self._text(row, "equipment")
        if not equipment:
            raise SheetError("which_equipment")
        if equipment not in self._targets:
            raise SheetError("unknown_equipment", name=equipment)
        link, fields = self._link(row, equipment)
        settings = self._settings(row, fields)
        says: dict[Path, Any] = {(key,): value for key, value in settings.items()}
        if link is not None:
            says["link",] = link
        says |= dict(self._common(row))
        titles = {path[1]: str(text) for path, text in says.items() if path[0] == "name" and text}
        name, title = self._name(row, equipment, settings, titles)
        says |= title
        return Entry(
            row=row.number,
            equipment=equipment,
            name=name,
            says=says,
            raw=self._raw(row, says),
            role=words.role_of(self._text(row, "role")),
        )

    def _text(self, row: Row, column: str) -> str:
        return cells.technical(self._sheet.cell(row, column))

    def _link(self, row: Row, equipment: str) -> tuple[str | None, Mapping[str, Fit]]:
        """Return the link a row names or is given, and the settings its tags have."""
        target = self._targets[equipment]
        named = self._text(row, "link") or self._assumed.link
        link = named or target.default
        if link is None:
            raise SheetError("which_link", equipment=equipment)
        if link not in target.links:
            raise SheetError("unknown_link", equipment=equipment, name=link)
        return (None if link == target.default else named), target.links[link]

    def _common(self, row: Row) -> Iterator[tuple[Path, Any]]:
        sheet = self._sheet
        for column in TEXT_COLUMNS:
            if column in sheet.columns:
                yield (column,), cells.prose(sheet.cell(row, column)) or None
        for column in (one for one in NUMBER_COLUMNS if one in sheet.columns):
            yield (column,), _number(sheet.cell(row, column))
        if "publish" in sheet.columns:
            said = self._text(row, "publish")
            yield ("publish",), words.truth(said) if said else None
        for language in ("zh", "en"):
            if f"name_{language}" in sheet.columns:
                text = cells.prose(sheet.cell(row, f"name_{language}"))
                yield ("name", language), text or None
        if text := cells.prose(sheet.cell(row, "name")):
            yield ("name", "zh" if _CHINESE.search(text) else "en"), text

    def _settings(self, row: Row, fields: Mapping[str, Fit]) -> dict[str, Any]:
        """Return the settings of the protocol the row has columns for."""
        texts = {
            column: self._setting(row, column) for column in self._sheet.columns if column in fields
        }
        if texts.get("address") and "bit" in fields:
            self._modbus(row, texts)
        own = next((name for name in ("address", "node") if name in fields), None)
        if own is not None and own in texts and not texts[own]:
            raise SheetError("missing", column=own)
        return {key: fields[key](text) if text else None for key, text in texts.items()}

    def _setting(self, row: Row, column: str) -> str:
        cell = self._sheet.cell(row, column)
        if column in {"scale", "offset"}:
            return cells.number(cell)
        return cells.technical(cell) if column in NORMALISED else cell.text

    def _modbus(self, row: Row, texts: dict[str, str]) -> None:
        """Turn the words of a vendor's list into the driver's."""
        kind = words.type_of(texts.get("type", ""))
        if "type" in texts:
            texts["type"] = kind
        cell = self._sheet.cell(row, "address")
        written = cells.dotted(cell) if kind == "bool" else texts["address"]
        word, bit = words.split_bit(written, was_number=cell.kind == "number")
        texts["address"] = words.spelled(word, self._table(row), self._first)
        if bit:
            texts["address"] += f".{bit}"
            other = texts.pop("bit", "")
            if other not in {"", bit, str(words.bit_number(bit))}:
                raise SheetError("two_bits", one=bit, other=other)
        if (bit or texts.get("bit")) and kind in _SIXTEEN_BITS and "type" in texts:
            texts["type"] = ""  # of the word the bit is in; the tag itself is a bool
        if order := texts.get("order"):
            texts["order"] = words.order_of(order)
            if order != texts["order"] and kind in _SIXTEEN_BITS:
                texts["order"] = ""  # said of every row; one word has no order of words

    def _table(self, row: Row) -> str | None:
        return words.table_of(self._text(row, "table")) or self._assumed.table

    def _is_zero(self, row: Row) -> bool:
        try:
            address = cells.technical(self._sheet.cell(row, "address"))
            table = self._table(row)
        except SheetError:
            return False
        return table is not None and words.is_bare(address, table) and int(address) == 0

    def _name(
        self, row: Row, equipment: str, settings: Mapping[str, Any], titles: Mapping[str, str]
    ) -> tuple[str, Mapping[Path, Any]]:
        """Return the tag's name, and its title where only the list's name for it is one."""
        written = cells.prose(self._sheet.cell(row, "tag"))
        if re.fullmatch(NAME_PATTERN, written):
            return written, {}
        title: dict[Path, Any] = {}
        if written and not titles:
            title["name", "zh" if _CHINESE.search(written) else "en"] = written
        spoken = written or titles.get("en") or next(iter(titles.values()), "")
        name = _slug(spoken) or _slug(_place(settings))
        if not name:
            raise SheetError("missing", column="tag")
        if name[0].isdigit():  # a condition would take it for a number
            name = f"t{name}"[:MAX_NAME]
        return self._unique(equipment, name, settings), title

    def _unique(self, equipment: str, name: str, settings: Mapping[str, Any]) -> str:
        """Return ``name``, with the address where another row has it already."""
        if (equipment, name) in self._derived:
            name = f"{name[: MAX_NAME - 16]}_{_slug(_place(settings))[-15:]}"
        self._derived.add((equipment, name))
        return name

    def _raw(self, row: Row, says: Mapping[Path, Any]) -> Mapping[Path, str]:
        columns = {path: path[0] if len(path) == 1 else "_".join(path) for path in says}
        return {
            path: self._sheet.cell(row, column).text
            for path, column in columns.items()
            if column in self._sheet.columns
        }


def text_of(value: Any) -> str | int | float | bool | None:
    """Return a setting as a cell holds it; `Fit` reads it back."""
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return json.dumps(value, ensure_ascii=False)


def shown(value: Any) -> str:
    """Return a setting as the text of a cell."""
    text = text_of(value)
    if isinstance(text, bool):
        return str(text).lower()
    return "" if text is None else str(text)


def reasons(errors: Sequence[RowError]) -> Mapping[int, str]:
    """Return each bad row's reasons in both languages."""
    found: dict[int, list[str]] = {}
    for error in errors:
        found.setdefault(error.row, []).append(f"{error.text['zh']} / {error.text['en']}")
    return {row: "; ".join(texts) for row, texts in found.items()}


def _number(cell: Cell) -> Any:
    text = cells.number(cell)
    if not text:
        return None
    try:
        return int(text) if re.fullmatch(r"-?\d+", text) else float(text)
    except ValueError:
        raise SheetError("not_number", value=text) from None


def _place(settings: Mapping[str, Any]) -> str:
    parts = (settings.get("address"), settings.get("node"), settings.get("bit"))
    return "_".join(str(part) for part in parts if part is not None)


def _slug(text: str) -> str:
    """Return a tag's name made of a text, empty if there is nothing to make it of."""
    if _CHINESE.search(text):
        return ""
    name = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
    return name[:MAX_NAME].rstrip("_")
