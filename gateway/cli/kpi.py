"""``millgate kpi``: availability, performance, quality and OEE from the history.

- Figures without a basis are shown as ``-``, with the reason; unknown time is shown.
- A line is worked out from the sums of its machines, not from their ratios. What counts no
  parts, such as a meter, does not belong to it.
- The exit code is 1 if nothing could be read, and says why.
"""

import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO
from zoneinfo import ZoneInfo

import orjson
from rich.box import SIMPLE
from rich.table import Table

from gateway.cli import asked
from gateway.cli.check import LANGUAGES
from gateway.domain.figures import By, Facts, Figures, Machine, NoCalendar, figures
from gateway.domain.kpi import Missing
from gateway.domain.shifts import Span
from gateway.historian.kpi_rows import read
from gateway.historian.store import StoreError
from gateway.settings.load import load
from gateway.settings.problems import ConfigProblems
from gateway.settings.secrets import SecretUnreadable
from gateway.settings.site import Site

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
        span = asked.span(site, begins, ends, now or datetime.now(UTC))
        found = _figures(site, span, by)
    except ConfigProblems:
        return asked.refuse(f"配置有误 / refused, see: millgate check {directory}")
    except (asked.NotAnswered, StoreError, SecretUnreadable) as err:
        return asked.refuse(str(err))
    if json:
        rows = [one.data() for one in found]
        stream.write(orjson.dumps(rows, option=orjson.OPT_INDENT_2).decode() + "\n")
    else:
        asked.console(stream).print(_table(found, LANGUAGES[lang]))
    return 0


def _figures(site: Site, span: Span, by: By) -> list[Figures]:
    machines = [
        Machine(config.equipment, f"{config.area}/{config.line}", config.rules.calendar)
        for config in site.equipment.values()
    ]
    zone = ZoneInfo(site.gateway.timezone)
    try:
        return list(figures(machines, _history(site, span), zone, span, by))
    except NoCalendar:
        raise asked.NotAnswered(asked.NO_SHIFTS) from None


def _history(site: Site, span: Span) -> Facts:
    ideal = {name: config.rules.ideal_cycle_ms for name, config in site.equipment.items()}
    return read(asked.sql_url(site), asked.source(site), span, ideal)


def _table(found: Iterable[Figures], languages: Sequence[str]) -> Table:
    table = Table(box=SIMPLE)
    for heading in _HEADINGS.values():
        spoken = dict.fromkeys(heading[language] for language in languages)
        table.add_column("\n".join(spoken), justify="right", overflow="fold")
    for one in found:
        data = one.figures.data()
        ratios = [asked.percent(data[name]) for name in _RATIOS]
        inputs = data["inputs"]
        times = [asked.clock(inputs[name]) for name in _HEADINGS if name.endswith("_s")]
        parts = [asked.number(inputs[name]) for name in ("produced", "good")]
        why = dict.fromkeys(one.figures.missing.values())
        reasons = "; ".join(" ".join(MISSING[code][lang] for lang in languages) for code in why)
        table.add_row(one.window, one.name, *ratios, *times, *parts, reasons)
    return table
