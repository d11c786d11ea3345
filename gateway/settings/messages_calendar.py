"""Sentences about ``shifts.yaml`` and about usage."""

from collections.abc import Mapping

from gateway.settings.message import Message

CALENDAR: Mapping[str, Message] = {
    "bad_clock": Message(
        "没有这个时刻",
        "there is no such time of day",
        "写成 HH:MM，如 06:00",
        "write HH:MM, such as 06:00",
    ),
    "bad_date": Message(
        "没有这个日期",
        "there is no such date",
        "写成 YYYY-MM-DD，如 2026-10-01",
        "write YYYY-MM-DD, such as 2026-10-01",
    ),
    "unknown_shift": Message(
        "没有班次“{name}”", "there is no shift '{name}'", "可用：{known}", "known: {known}"
    ),
    "shifts_overlap": Message(
        "班次“{name}”开始时，“{other}”还没有结束",
        "shift '{name}' begins before '{other}' has ended",
        "任何时刻只能有一个班次；改正时间或其中一天",
        "there can be one shift at a time; correct the times or one of the days",
    ),
    "break_outside": Message(
        "休息不在班次 {start} 到 {end} 之内",
        "the break does not lie within the shift from {start} to {end}",
    ),
    "override_nowhere": Message(
        "没有说明是哪里的班次",
        "does not say whose shifts these are",
        "写 area、line 或 equipment",
        "name an area, a line or an equipment",
    ),
    "override_of_nobody": Message(
        "没有设备符合，这一项不起作用",
        "no equipment fits; this has no effect",
        severity="warning",
    ),
    "cycles_and_counter": Message(
        "kind: cycles 必须写 counter，其他种类不写",
        "kind: cycles needs a counter; the other kinds have none",
    ),
    "warning_after_limit": Message(
        "warn_at 不能大于 limit",
        "warn_at must not exceed limit",
    ),
}
