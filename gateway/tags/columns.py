"""Which column of a tag list says what, by the many names vendors give them.

Promises:

- Columns come in any order; a title, a merged or a two-line header above them is no harm.
- A column nobody knows is kept and named, never a reason to refuse the list.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gateway.tags.cells import Cell
from gateway.tags.messages import SheetError

LOOK_ROWS = 20
"""So far down the header is looked for."""

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "equipment": ("设备", "设备编号", "设备名称", "machine", "device"),
    "tag": ("点位", "点位名", "点名", "标签", "标签名", "变量", "变量名", "测点", "tagname",
            "tagid", "variable", "point", "pointname", "key", "symbol"),
    "name": ("名称", "描述", "说明", "注释", "中文名", "中文描述", "信号名称", "参数名称",
             "寄存器名称", "数据名称", "内容", "description", "desc", "comment",
             "title", "signal", "parameter", "label", "registername"),
    "name_zh": ("中文名称", "namezh", "chinese"),
    "name_en": ("英文名", "英文名称", "英文描述", "nameen", "english"),
    "link": ("连接", "通道", "链路", "channel"),
    "address": ("地址", "寄存器地址", "寄存器", "通讯地址", "通信地址", "modbus地址", "plc地址",
                "软元件", "元件", "地址号", "偏移地址", "首地址", "起始地址", "addr", "register",
                "registeraddress", "modbusaddress", "reg", "offsetaddress", "startaddress"),
    "node": ("节点", "节点号", "节点id", "nodeid"),
    "table": ("功能码", "寄存器类型", "数据区", "区", "存储区", "功能", "读功能码", "function",
              "functioncode", "fc", "registertype", "area", "objecttype", "tabletype"),
    "type": ("数据类型", "类型", "格式", "数据格式", "datatype", "format", "dtype", "valuetype"),
    "order": ("字节序", "字序", "字节顺序", "字节次序", "高低位", "byteorder", "wordorder",
              "endian", "endianness", "swap"),
    "bit": ("位", "位号", "bit位", "比特", "bitnumber", "bitno"),
    "scale": ("比例", "系数", "倍率", "比例系数", "缩放", "换算系数", "factor", "multiplier",
              "gain", "ratio", "scaling", "分辨率"),
    "offset": ("偏移", "偏移量", "偏置", "bias"),
    "unit": ("单位", "工程单位", "units", "engineeringunit", "eu", "uom"),
    "group": ("组", "分组", "采集组", "轮询组", "pollgroup", "taggroup"),
    "deadband": ("死区", "变化死区", "deadzone", "hysteresis"),
    "low": ("下限", "低限", "lowlimit", "lowerlimit"),
    "high": ("上限", "高限", "highlimit", "upperlimit"),
    "publish": ("发布", "是否发布", "上报", "是否上报", "published"),
    "role": ("用途", "作用", "功能角色", "usage", "purpose"),
    "remark": ("备注", "备考", "remarks", "note", "notes", "memo"),
    "error": ("错误", "错误原因", "errors", "reason"),
    "row": ("行", "行号", "文件行号", "rowno"),
}  # fmt: skip
"""Column -> other names of it; each also goes by its own."""
KEPT = frozenset({"remark"})
"""Known, and of no meaning here."""
OURS = frozenset({"error", "row"})
"""What an earlier answer of ours added."""
FIRST_COUNTS = frozenset({"name", "remark", "error", "row"})
"""Columns vendors give several of; the others of them are unknown."""
_TELLING = frozenset({"address", "node"})
_ASIDE = re.compile(r"[((\[【<].*?[))\]】>]")


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a file; ``number`` counts from 1 as the spreadsheet shows it."""

    number: int
    cells: Sequence[Cell]

    def at(self, index: int) -> Cell:
        """Return the cell of a column; an empty one beyond the last."""
        return self.cells[index] if index < len(self.cells) else Cell()


@dataclass(frozen=True, slots=True)
class Sheet:
    """A list with its header understood."""

    headers: tuple[str, ...]
    columns: Mapping[str, int]
    """Column -> where it stands."""
    rows: tuple[Row, ...]
    unknown: tuple[str, ...]
    """Headers nobody knows."""

    def cell(self, row: Row, column: str) -> Cell:
        """Return what a row says in a column; an empty cell where there is none."""
        index = self.columns.get(column)
        return Cell() if index is None else row.at(index)


def column_of(header: str, fields: Iterable[str]) -> str | None:
    """Return which column a header names; ``fields`` are the settings of the protocols.

    A header in two languages (``地址 address``) goes by the first of them that is known.
    """
    known = _names(fields)
    for text in (header, _ASIDE.sub(" ", header)):
        for part in (text, *reversed(re.split(r"[\s/|,,;;]+", text))):
            if found := known.get(_bare(part)):
                return found
    return None


def sheet_of(rows: Sequence[Row], fields: Iterable[str]) -> Sheet:
    """Return the list below the header of a file; raises SheetError if there is none."""
    names = tuple(fields)
    best, score = -1, 0
    for index in range(min(LOOK_ROWS, len(rows))):
        found = _columns(_header(rows, index), names)
        if len(found) > score and _TELLING & found.keys():
            best, score = index, len(found)
    if best < 0:
        raise SheetError("no_header")
    headers = _header(rows, best)
    columns = _columns(headers, names)
    body = tuple(row for row in rows[best + 1 :] if any(row.cells))
    if not body:
        raise SheetError("no_rows")
    used = {index for at in columns.values() for index in at}
    unknown = tuple(h for i, h in enumerate(headers) if h and i not in used)
    return Sheet(headers, {c: _one(c, at, headers) for c, at in columns.items()}, body, unknown)


def _one(column: str, at: Sequence[int], headers: Sequence[str]) -> int:
    if len(at) > 1:
        raise SheetError("same_column", name=column, headers=", ".join(headers[i] for i in at))
    return at[0]


def _header(rows: Sequence[Row], index: int) -> tuple[str, ...]:
    """Return a row's texts; where it is empty, as below a merged cell, those above it."""
    width = max(len(row.cells) for row in rows[: index + 1])
    above = [row for row in rows[:index] if sum(map(bool, row.cells)) > 1]
    found = []
    for column in range(width):
        stack = [rows[index].at(column), *(row.at(column) for row in reversed(above))]
        found.append(next((cell.text for cell in stack if cell), ""))
    return tuple(found)


def _columns(headers: Sequence[str], fields: Sequence[str]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for index, header in enumerate(headers):
        column = column_of(header, fields) if header else None
        if column is not None:
            found.setdefault(column, []).append(index)
    return {c: at[:1] if c in FIRST_COUNTS else at for c, at in found.items()}


def _names(fields: Iterable[str]) -> dict[str, str]:
    names = {_bare(other): column for column, others in COLUMNS.items() for other in others}
    return {**names, **{_bare(own): own for own in (*COLUMNS, *fields)}}


def _bare(text: str) -> str:
    return re.sub(r"[\s_\-.::*]+", "", unicodedata.normalize("NFKC", text)).lower()
