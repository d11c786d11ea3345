"""The data dictionary as rows: every name and code of a site, in both languages.

One row each for an equipment, a tag, a counter, a fault, a state, a topic; the columns are
the same for all, and empty where they say nothing.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from gateway.domain.events import FaultText
from gateway.domain.vocabulary import Text
from gateway.settings.dictionary import STATE_TEXTS
from gateway.settings.site import EquipmentConfig, Site

Kind = Literal["equipment", "tag", "counter", "fault", "state", "topic"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the dictionary."""

    kind: Kind
    equipment: str = ""
    code: str = ""
    """Name of the tag or counter, code of the fault, state, name of the message."""
    text_zh: str = ""
    text_en: str = ""
    unit: str = ""
    type: str = ""
    """How a tag is read, what a counter counts."""
    group: str = ""
    tag: str = ""
    """Where a counter or a fault comes from."""
    number: str = ""
    """Bit or code in the tag; the number of a state."""
    severity: str = ""
    category: str = ""
    stops_machine: str = ""
    cause_zh: str = ""
    cause_en: str = ""
    remedy_zh: str = ""
    remedy_en: str = ""
    topic: str = ""

    def cells(self) -> list[str]:
        """Return the values in the order of `COLUMNS`."""
        return [getattr(self, key) for key in COLUMNS]


COLUMNS: Mapping[str, Text] = {
    "kind": {"zh": "类别", "en": "kind"},
    "equipment": {"zh": "设备", "en": "equipment"},
    "code": {"zh": "编号", "en": "code"},
    "text_zh": {"zh": "中文", "en": "Chinese"},
    "text_en": {"zh": "英文", "en": "English"},
    "unit": {"zh": "单位", "en": "unit"},
    "type": {"zh": "类型", "en": "type"},
    "group": {"zh": "点位组", "en": "tag group"},
    "tag": {"zh": "点位", "en": "tag"},
    "number": {"zh": "数值", "en": "number"},
    "severity": {"zh": "严重度", "en": "severity"},
    "category": {"zh": "原因类别", "en": "category"},
    "stops_machine": {"zh": "停机", "en": "stops machine"},
    "cause_zh": {"zh": "原因(中文)", "en": "cause (Chinese)"},
    "cause_en": {"zh": "原因(英文)", "en": "cause (English)"},
    "remedy_zh": {"zh": "处理(中文)", "en": "remedy (Chinese)"},
    "remedy_en": {"zh": "处理(英文)", "en": "remedy (English)"},
    "topic": {"zh": "主题", "en": "topic"},
}
"""In the order of `Row`."""

KINDS: Mapping[Kind, Text] = {
    "equipment": {"zh": "设备", "en": "Equipment"},
    "tag": {"zh": "点位", "en": "Tags"},
    "counter": {"zh": "计数器", "en": "Counters"},
    "fault": {"zh": "故障", "en": "Faults"},
    "state": {"zh": "状态", "en": "States"},
    "topic": {"zh": "主题", "en": "Topics"},
}


def rows(site: Site, topics: Mapping[str, Mapping[str, str]]) -> list[Row]:
    """Return the dictionary of a site; ``topics`` is equipment -> message -> topic."""
    types = {
        request.key: str(getattr(request.settings, "type", ""))
        for link in site.links.values()
        for request in link.tags
    }
    found = [_equipment(one) for one in site.equipment.values()]
    for one in site.equipment.values():
        found += _tags(one, types)
        found += _counters(one)
        found += _faults(one)
    found += _states()
    for equipment, messages in topics.items():
        found += [
            Row(kind="topic", equipment=equipment, code=name, topic=topic)
            for name, topic in messages.items()
        ]
    order = list(KINDS)
    return sorted(found, key=lambda row: order.index(row.kind))


def _equipment(one: EquipmentConfig) -> Row:
    return Row(
        kind="equipment",
        equipment=one.equipment,
        code=f"{one.area}/{one.line}",
        text_zh=one.name.get("zh", ""),
        text_en=one.name.get("en", ""),
        type=one.stage,
    )


def _tags(one: EquipmentConfig, types: Mapping[str, str]) -> Iterator[Row]:
    for name, tag in one.rules.tags.items():
        yield Row(
            kind="tag",
            equipment=one.equipment,
            code=name,
            text_zh=tag.text.get("zh", ""),
            text_en=tag.text.get("en", ""),
            unit=tag.unit,
            type=types.get(f"{one.equipment}/{name}", ""),
            group=tag.group,
        )


def _counters(one: EquipmentConfig) -> Iterator[Row]:
    for counter in one.rules.counters:
        yield Row(
            kind="counter",
            equipment=one.equipment,
            code=counter.name,
            unit=counter.unit,
            type=counter.kind,
            tag=counter.tag,
        )


def _faults(one: EquipmentConfig) -> Iterator[Row]:
    for rule in one.rules.faults:
        for number, fault in sorted(rule.texts.items()):
            yield _fault(one.equipment, rule.tag, number, fault)


def _fault(equipment: str, tag: str, number: int, fault: FaultText) -> Row:
    return Row(
        kind="fault",
        equipment=equipment,
        code=fault.code,
        text_zh=fault.text.get("zh", ""),
        text_en=fault.text.get("en", ""),
        tag=tag,
        number=str(number),
        severity=str(fault.severity),
        category=fault.category,
        stops_machine="yes" if fault.stops_machine else "no",
        cause_zh=fault.cause.get("zh", ""),
        cause_en=fault.cause.get("en", ""),
        remedy_zh=fault.remedy.get("zh", ""),
        remedy_en=fault.remedy.get("en", ""),
    )


def _states() -> Iterator[Row]:
    for state, text in STATE_TEXTS.items():
        yield Row(
            kind="state",
            code=state.value,
            text_zh=text["zh"],
            text_en=text["en"],
            number=str(state.code),
        )


def tables(found: Iterable[Row]) -> dict[Kind, tuple[list[str], list[list[str]]]]:
    """Return kind -> (columns, lines), without the columns that say nothing there."""
    result: dict[Kind, tuple[list[str], list[list[str]]]] = {}
    listed = list(found)
    for kind in KINDS:
        own = [row for row in listed if row.kind == kind]
        used = [key for key in COLUMNS if key != "kind" and any(getattr(r, key) for r in own)]
        if own:
            result[kind] = used, [[getattr(row, key) for key in used] for row in own]
    return result
