"""The tags of a site as a list that a spreadsheet can hold."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from gateway.tags.entries import text_of
from gateway.tags.files import Form, Value, write
from gateway.tags.messages import SheetError
from gateway.tags.site_files import EquipmentSource, equipment_of

HEADERS: Mapping[str, str] = {
    "equipment": "设备 equipment",
    "tag": "点位 tag",
    "name_zh": "中文名称 name_zh",
    "name_en": "英文名称 name_en",
    "link": "连接 link",
    "address": "地址 address",
    "node": "节点 node",
    "type": "数据类型 type",
    "order": "字节序 order",
    "bit": "位 bit",
    "scale": "比例 scale",
    "offset": "偏移 offset",
    "unit": "单位 unit",
    "group": "组 group",
    "deadband": "死区 deadband",
    "low": "下限 low",
    "high": "上限 high",
    "publish": "发布 publish",
}
ALWAYS = frozenset({"tag", "name_zh", "name_en"})


def export(directory: Path, form: Form, equipment: str | None = None) -> bytes:
    """Return every tag of one equipment or of all; raises SheetError for an unknown one."""
    known = equipment_of(directory)
    if equipment is not None and equipment not in known:
        raise SheetError("unknown_equipment", name=equipment)
    chosen = [one for code, one in sorted(known.items()) if equipment in {None, code}]
    return write(list(table(chosen, whose=equipment is None)), form)


def table(equipment: Iterable[EquipmentSource], *, whose: bool) -> Iterable[Sequence[Value]]:
    """Yield the header and a row for each tag; a column nobody uses is left out.

    ``whose`` adds the column that says which equipment a tag belongs to.
    """
    rows = [
        {**({"equipment": one.code} if whose else {}), "tag": name, **_cells(tag)}
        for one in equipment
        for name, tag in one.tags().items()
    ]
    used = {column for row in rows for column in row} | ALWAYS
    columns = [column for column in HEADERS if column in used]
    columns += sorted(used - set(columns))
    yield [HEADERS.get(column, column) for column in columns]
    for row in rows:
        yield [row.get(column) for column in columns]


def _cells(tag: Mapping[str, object]) -> dict[str, Value]:
    name = tag.get("name")
    titles = name if isinstance(name, Mapping) else {}
    return {
        **{f"name_{language}": str(text) for language, text in titles.items()},
        **{key: text_of(value) for key, value in tag.items() if key != "name"},
    }
