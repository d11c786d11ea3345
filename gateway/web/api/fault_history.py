"""The faults of the past, one row an occurrence, also as a table for a spreadsheet."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, fields
from itertools import chain
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel

from gateway.domain.shifts import Span
from gateway.journal.history import Look
from gateway.settings.site import EquipmentConfig
from gateway.web.access.roles import Role
from gateway.web.api.asked import Asked, wrong
from gateway.web.api.guard import Web, needs
from gateway.web.api.machines import Machines
from gateway.web.api.tables import XLSX, csv_stream, table, wall, workbook, xlsx_answer
from gateway.web.context import Context
from gateway.web.facts import PastFault, kept_from, moment, past_faults
from gateway.web.fault_list import FaultItem, told_fault
from gateway.web.journal_source import card_of

router = APIRouter(prefix="/api/v1/faults", tags=["faults"])
MAX_ROWS = 1000
MAX_TABLE = 20_000
"""Of a workbook, which is made as a whole."""
_LEFT_OUT = (
    "还有 {0} 条更早的未列出：请缩小范围，或下载 CSV / "
    "{0} older ones are left out: ask for a shorter time, or take the CSV"
)
_COLUMNS = {
    "raised_at": "发生时间",
    "cleared_at": "恢复时间",
    "duration_s": "持续秒数",
    "equipment": "设备",
    "area": "区域",
    "line": "产线",
    "code": "代码",
    "text_zh": "中文内容",
    "text_en": "英文内容",
    "severity": "严重度",
    "priority": "优先级",
    "stops_machine": "停机",
    "count": "触发次数",
    "acked_by": "确认人",
    "acked_at": "确认时间",
    "comments": "备注",
    "fault_id": "编号",
}
"""Column -> what it is called in Chinese."""
_MOMENTS = {"raised_at", "cleared_at", "acked_at"}


@dataclass(frozen=True, slots=True)
class PastFaultItem(FaultItem):
    """One occurrence, and how long it lasted; null while it does."""

    duration_ms: int | None


class FaultPage(BaseModel):
    """Newest first; ask again with `before` = `next` for older ones."""

    kept_from: str | None
    faults: list[PastFaultItem]
    next: str | None


@dataclass(frozen=True, slots=True)
class Filter:
    """Which of them."""

    code: str | None
    acked_by: str | None
    by: str | None
    text: str
    before: tuple[str, str] | None

    def lets(self, fault: PastFault) -> bool:
        """Whether a fault is wanted."""
        data = fault.data
        return (
            self.code in (None, data["code"])
            and self.acked_by in (None, data.get("acked_by"))
            and (self.by is None or self.by in _doers(fault))
            and (not self.text or any(self.text in one.casefold() for one in _words(fault)))
            and (self.before is None or _place(fault) < self.before)
        )


def _filter(
    code: Annotated[str | None, Query(max_length=80)] = None,
    acked_by: Annotated[str | None, Query(max_length=80)] = None,
    by: Annotated[
        str | None, Query(max_length=80, description="Acknowledged or commented by")
    ] = None,
    text: Annotated[
        str, Query(max_length=80, description="Part of its code, texts or comments")
    ] = "",
    before: Annotated[str | None, Query(max_length=240, description="`next` of a page")] = None,
) -> Filter:
    place = None
    if before is not None:
        at, separator, fault_id = before.partition("~")
        if not separator:
            raise wrong("before", "unknown", {"zh": "不是上一页的 next", "en": "not a page's next"})
        place = (at, fault_id)
    return Filter(code, acked_by, by, text.strip().casefold(), place)


Wanted = Annotated[Filter, Depends(_filter)]


@router.get("/history", **needs(Role.VIEWER, 404, 503))
async def history(
    web: Web,
    span: Asked,
    machines: Machines,
    wanted: Wanted,
    limit: Annotated[int, Query(ge=1, le=MAX_ROWS)] = 100,
) -> FaultPage:
    """Faults that began in the span, newest first."""
    kept, found = await _found(web, span, machines, wanted)
    shown = found[:limit]
    return FaultPage(
        kept_from=kept,
        faults=[past_item(web, one) for one in shown],
        next="~".join(_place(shown[-1])) if len(found) > limit else None,
    )


@router.get("/history.csv", **table(Role.VIEWER, 404, 503))
async def history_table(web: Web, span: Asked, machines: Machines, wanted: Wanted) -> Response:
    """The same as CSV, all of it."""
    _, found = await _found(web, span, machines, wanted)

    async def parts() -> AsyncIterator[list[list[object]]]:
        for start in range(0, len(found), MAX_ROWS):
            yield [_line(past_item(web, one)) for one in found[start : start + MAX_ROWS]]

    return csv_stream("faults.csv", list(_COLUMNS), parts())


@router.get("/history.xlsx", **table(Role.VIEWER, 404, 503, kind=XLSX))
async def history_workbook(web: Web, span: Asked, machines: Machines, wanted: Wanted) -> Response:
    """The same as a workbook for Excel; times are those of the site's wall clock.

    Where there are more than 20,000 the last line says how many older ones were left out.
    """
    _, found = await _found(web, span, machines, wanted)
    zone = ZoneInfo(web.site.gateway.timezone)
    left_out = [[_LEFT_OUT.format(len(found) - MAX_TABLE)]] if len(found) > MAX_TABLE else []

    def filled() -> bytes:
        items = (past_item(web, one) for one in found[:MAX_TABLE])
        rows = (
            [_local(name, value, zone) for name, value in zip(_COLUMNS, _line(one), strict=True)]
            for one in items
        )
        return workbook("faults", [_head(name, zone) for name in _COLUMNS], chain(rows, left_out))

    return xlsx_answer("faults.xlsx", await asyncio.to_thread(filled))


async def _found(
    web: Context, span: Span, machines: Sequence[EquipmentConfig], wanted: Filter
) -> tuple[str | None, list[PastFault]]:
    names = [config.equipment for config in machines]

    def look_for(look: Look) -> tuple[str | None, list[PastFault]]:
        found = [
            fault
            for name in names
            for fault in past_faults(look, name, span)
            if fault.raised_at >= span.begins and wanted.lets(fault)
        ]
        found.sort(key=_place, reverse=True)
        return kept_from(look), found

    return await web.history.look(look_for)


def _place(fault: PastFault) -> tuple[str, str]:
    """Return where a fault stands in the list."""
    return fault.data["raised_at"], fault.data["fault_id"]


def _doers(fault: PastFault) -> set[str | None]:
    """Return who did something about a fault."""
    return {fault.data.get("acked_by"), *(said["by"] for said in fault.comments)}


def _words(fault: PastFault) -> Iterator[str]:
    """Yield all that is written of a fault."""
    yield fault.data["code"]
    yield from fault.data["text"].values()
    yield from (said["comment"] for said in fault.comments)


def past_item(web: Context, fault: PastFault) -> PastFaultItem:
    """Return an occurrence as the API tells it."""
    card = card_of(web.site.equipment[fault.equipment])
    item = told_fault(card, fault.data | {"comments": fault.comments})
    same = {one.name: getattr(item, one.name) for one in fields(item)}
    return PastFaultItem(**same, duration_ms=fault.data["duration_ms"])


def _line(fault: PastFaultItem) -> list[object]:
    duration_s = None if fault.duration_ms is None else fault.duration_ms / 1000
    acked = fault.acked
    return [
        *(fault.raised_at, fault.cleared_at, duration_s, fault.equipment, fault.area, fault.line),
        *(fault.code, fault.text.get("zh"), fault.text.get("en"), fault.severity, fault.priority),
        *(fault.stops_machine, fault.count),
        *((acked.by, acked.at) if acked else (None, None)),
        "; ".join(f"{one.by}: {one.comment}" for one in fault.comments),
        fault.fault_id,
    ]


def _head(name: str, zone: ZoneInfo) -> str:
    return f"{_COLUMNS[name]} {name}" + (f" ({zone})" if name in _MOMENTS else "")


def _local(name: str, value: object, zone: ZoneInfo) -> object:
    return wall(moment(value), zone) if name in _MOMENTS and isinstance(value, str) else value
