"""``millgate kpi``: availability, performance, quality and OEE from the history.

- Figures without a basis are shown as ``-``, with the reason; unknown time is shown.
- A line is worked out from the sums of its machines, not from their ratios. What counts no
  parts, such as a meter, does not belong to it.
- The exit code is 1 if nothing could be read, and says why.
"""

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal, TextIO
from zoneinfo import ZoneInfo

import orjson
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from gateway.cli.check import LANGUAGES
from gateway.domain import kpi, windows
from gateway.domain.kpi import Kpi, Missing
from gateway.domain.shifts import MIDNIGHT, Span, shifts_between
from gateway.domain.vocabulary import Json
from gateway.domain.worktime import spent
from gateway.historian.kpi_rows import History, read
from gateway.historian.store import StoreError
from gateway.settings.load import load
from gateway.settings.model import SqlStoreFile
from gateway.settings.problems import ConfigProblems
from gateway.settings.secrets import SecretUnreadable, store_url
from gateway.settings.site import EquipmentConfig, Site
from gateway.wire.topics import GatewayTopics

By = Literal["shift", "hour", "day", "order"]
Windows = Iterable[tuple[str, Span, str | None]]
"""name, span, the order it is about."""

PIPED_WIDTH = 200

_HEADINGS: Mapping[str, Mapping[str, str]] = {
    "window": {"zh": "时段", "en": "window"},
    "who": {"zh": "设备/产线", "en": "equipment/line"},
    "availability": {"zh": "时间开动率", "en": "availability"},
    "performance": {"zh": "性能率", "en": "performance"},
    "quality": {"zh": "合格率", "en": "quality"},
    "oee": {"zh": "OEE", "en": "OEE"},
    "planned_busy_s": {"zh": "计划工作 PBT", "en": "PBT"},
    "production_s": {"zh": "生产 APT", "en": "APT"},
    "setup_s": {"zh": "调机", "en": "setup"},
    "unplanned_stop_s": {"zh": "非计划停机", "en": "unplanned"},
    "planned_stop_s": {"zh": "计划停机", "en": "planned stop"},
    "unknown_s": {"zh": "未知", "en": "unknown"},
    "produced": {"zh": "产量 PQ", "en": "PQ"},
    "good": {"zh": "合格 GQ", "en": "GQ"},
    "missing": {"zh": "缺少依据", "en": "no basis"},
}
_RATIOS = ("availability", "performance", "quality", "oee")
MISSING: Mapping[Missing, Mapping[str, str]] = {
    "nothing_known": {"zh": "没有可信的数据", "en": "nothing known"},
    "no_planned_time": {"zh": "没有计划工作时间", "en": "no planned time"},
    "no_production_time": {"zh": "没有生产时间", "en": "no production time"},
    "no_ideal_cycle": {"zh": "没有标准节拍", "en": "no ideal cycle"},
    "no_part_counter": {"zh": "没有产量计数器", "en": "no part counter"},
    "no_reject_counter": {"zh": "没有不良品计数", "en": "no reject counter"},
    "no_good_counter": {"zh": "没有合格品计数", "en": "no good counter"},
    "no_parts": {"zh": "没有产量", "en": "no parts"},
    "counts_contradict": {"zh": "计数互相矛盾", "en": "counts contradict"},
}


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of one machine or line in one window."""

    kind: Literal["equipment", "line"]
    name: str
    window: str
    span: Span
    figures: Kpi

    def data(self) -> Json:
        """JSON-ready."""
        return {
            self.kind: self.name,
            "window": self.window,
            "from": self.span.begins.isoformat(),
            "to": self.span.ends.isoformat(),
            **self.figures.data(),
        }


class NotAnswered(Exception):
    """Why there are no figures, in both languages."""


def run(
    directory: Path,
    *,
    begins: str | None = None,
    ends: str | None = None,
    by: By = "shift",
    lang: str = "both",
    json: bool = False,
    now: datetime | None = None,
    out: TextIO | None = None,
) -> int:
    """Print the figures and return the exit code.

    ``begins`` and ``ends`` are ISO dates or times of whole minutes, in the site's zone where they
    name none; by default today up to now.
    """
    stream = out or sys.stdout
    try:
        site = load(directory)
        span = _span(site, begins, ends, now or datetime.now(UTC))
        found = list(figures(site, _history(site, span), span, by))
    except ConfigProblems:
        return _refuse(f"配置有误 / refused, see: millgate check {directory}")
    except (NotAnswered, StoreError, SecretUnreadable) as err:
        return _refuse(str(err))
    if json:
        rows = [one.data() for one in found]
        stream.write(orjson.dumps(rows, option=orjson.OPT_INDENT_2).decode() + "\n")
    else:
        width = None if stream.isatty() else PIPED_WIDTH
        console = Console(file=stream, highlight=False, soft_wrap=True, width=width)
        console.print(_table(found, LANGUAGES[lang]))
    return 0


def figures(site: Site, history: History, span: Span, by: By) -> Iterator[Figures]:
    """Yield the figures of each machine, and behind them those of each line."""
    lines: dict[tuple[str, str], list[Figures]] = {}
    for config in site.equipment.values():
        line = f"{config.area}/{config.line}"
        for one in _of_equipment(site, config, history, span, by):
            yield one
            if one.figures.output != kpi.NOTHING_COUNTED:
                lines.setdefault((line, one.window), []).append(one)
    for (line, window), members in lines.items():
        if len({one.name for one in members}) > 1:
            together = kpi.combined(one.figures for one in members)
            yield Figures("line", line, window, members[0].span, together)


def _of_equipment(
    site: Site, config: EquipmentConfig, history: History, span: Span, by: By
) -> Iterator[Figures]:
    name = config.equipment
    intervals, parts = history.intervals.get(name, []), history.parts.get(name, [])
    counted = history.counted.get(name, frozenset())
    for window, within, order_no in _windows(site, config, history, span, by):
        times = spent(intervals, within, config.rules.calendar, order_no)
        output = kpi.made(
            (
                one
                for one in parts
                if within.begins <= one.at < within.ends and order_no in (None, one.order_no)
            ),
            counted,
        )
        yield Figures("equipment", name, window, within, kpi.kpi(times, output))


def _windows(site: Site, config: EquipmentConfig, history: History, span: Span, by: By) -> Windows:
    calendar, zone = config.rules.calendar, ZoneInfo(site.gateway.timezone)
    if by == "order":
        orders = {one.order_no for one in history.intervals.get(config.equipment, [])}
        return [(order, span, order) for order in sorted(filter(None, orders))]
    if by == "hour":
        return [(name, hour, None) for name, hour in windows.hours(zone, span)]
    if by == "day":
        starts = MIDNIGHT if calendar is None else calendar.day_starts
        return [(name, day, None) for name, day in windows.days(zone, span, starts)]
    if calendar is None:
        raise NotAnswered("没有 shifts.yaml，请用 --by day / there is no shifts.yaml; use --by day")
    return [
        (
            f"{shift.production_date} {shift.code}",
            Span(max(shift.starts_at, span.begins), min(shift.ends_at, span.ends)),
            None,
        )
        for shift in shifts_between(calendar, span.begins, span.ends)
    ]


def _history(site: Site, span: Span) -> History:
    stores = site.gateway.historian.stores
    sql = next((store for store in stores if isinstance(store, SqlStoreFile)), None)
    if sql is None:
        raise NotAnswered("没有 SQL 历史库 / there is no SQL store in gateway.yaml")
    gateway = site.gateway
    topics = GatewayTopics(gateway.mqtt.root, gateway.site, gateway.gateway)
    ideal = {name: config.rules.ideal_cycle_ms for name, config in site.equipment.items()}
    url = store_url(site.directory, sql).get_secret_value()
    return read(url, topics.source, span, ideal)


def _span(site: Site, begins: str | None, ends: str | None, now: datetime) -> Span:
    zone = ZoneInfo(site.gateway.timezone)
    today = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    span = Span(
        today.astimezone(UTC) if begins is None else _moment(begins, zone),
        now if ends is None else _moment(ends, zone),
    )
    if span.duration <= timedelta(0):
        raise NotAnswered("--from 必须早于 --to / --from must lie before --to")
    return span


def _moment(written: str, zone: ZoneInfo) -> datetime:
    try:
        at = datetime.fromisoformat(written)
    except ValueError:
        raise NotAnswered(f"不是日期或时间 / not a date or a time: {written}") from None
    at = at.replace(second=0, microsecond=0)  # parts are read by the minute
    return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)


def _refuse(reason: str) -> int:
    sys.stderr.write(f"millgate: {reason}\n")
    return 1


def _table(found: Iterable[Figures], languages: Sequence[str]) -> Table:
    table = Table(box=SIMPLE)
    for heading in _HEADINGS.values():
        spoken = dict.fromkeys(heading[language] for language in languages)
        table.add_column("\n".join(spoken), justify="right", overflow="fold")
    for one in found:
        data = one.figures.data()
        ratios = [_percent(data[name]) for name in _RATIOS]
        inputs = data["inputs"]
        times = [_clock(inputs[name]) for name in _HEADINGS if name.endswith("_s")]
        parts = [_number(inputs[name]) for name in ("produced", "good")]
        why = dict.fromkeys(one.figures.missing.values())
        reasons = "; ".join(" ".join(MISSING[code][lang] for lang in languages) for code in why)
        table.add_row(one.window, one.name, *ratios, *times, *parts, reasons)
    return table


def _percent(ratio: float | None) -> str:
    return "-" if ratio is None else f"{ratio:.1%}"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.10g}"
