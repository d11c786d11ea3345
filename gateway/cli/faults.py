"""``millgate faults``: how reliable the machines are, and which faults cost most, from the history.

- A figure without a basis is shown as ``-`` (null in JSON): never 0, never 100 % of nothing.
- What a figure was made of stands beside it, unknown time too.
- Nothing is believed beyond the newest fact of the gateway: the span ends there.
- The exit code is 1 if nothing could be read, and says why.
"""

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, TextIO

import orjson
from rich.box import SIMPLE
from rich.table import Table

from gateway.cli import asked
from gateway.cli.check import LANGUAGES
from gateway.domain.fault_stats import Occurrence, ParetoRow, Reliability, pareto, reliability
from gateway.domain.shifts import Span
from gateway.domain.vocabulary import Json, Text
from gateway.historian.fault_rows import FaultHistory, read
from gateway.historian.store import StoreError
from gateway.settings.load import load
from gateway.settings.problems import ConfigProblems
from gateway.settings.secrets import SecretUnreadable
from gateway.settings.site import Site

By = Literal["equipment", "code", "shift"]
DAYS = 30
"""So many whole days before today are looked at unless asked otherwise."""

Words = Mapping[str, Mapping[str, str]]
_FIGURES: Words = {
    "equipment": {"zh": "设备", "en": "equipment"},
    "part": {"zh": "班次/代码", "en": "shift/code"},
    "failures": {"zh": "失效", "en": "failures"},
    "mtbf_s": {"zh": "MTBF", "en": "MTBF"},
    "mttr_s": {"zh": "MTTR", "en": "MTTR"},
    "response_s": {"zh": "响应", "en": "response"},
    "repair_s": {"zh": "修复", "en": "repair"},
    "restart_s": {"zh": "恢复运行", "en": "restart"},
    "availability": {"zh": "固有可用度", "en": "inherent availability"},
    "operating_s": {"zh": "运行时间", "en": "operating"},
    "unknown_s": {"zh": "未知", "en": "unknown"},
    "basis": {"zh": "依据: 修好/响应/修复/恢复", "en": "basis: mttr/resp./repair/restart"},
}
_PARETO: Words = {
    "equipment": {"zh": "设备", "en": "equipment"},
    "code": {"zh": "代码", "en": "code"},
    "text": {"zh": "故障", "en": "fault"},
    "occurrences": {"zh": "次数", "en": "occurrences"},
    "raises": {"zh": "触发", "en": "raises"},
    "duration_s": {"zh": "时长", "en": "time"},
    "share": {"zh": "占比", "en": "share"},
    "cumulative": {"zh": "累计", "en": "cumulated"},
}
_NOTHING: Mapping[str, str] = {"zh": "没有故障记录", "en": "no faults"}


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of one machine: of all, of one code or of one shift."""

    equipment: str
    part: str
    """The code or the shift; empty for all."""
    span: Span
    figures: Reliability

    def data(self, by: By) -> Json:
        """JSON-ready."""
        return {
            "equipment": self.equipment,
            **({} if by == "equipment" else {by: self.part}),
            "from": self.span.begins.isoformat(),
            "to": self.span.ends.isoformat(),
            **self.figures.data(),
        }


@dataclass(frozen=True, slots=True)
class Answer:
    """All that is printed."""

    span: Span
    figures: Sequence[Figures]
    pareto: Sequence[ParetoRow]
    texts: Mapping[tuple[str, str], Text]

    def data(self, by: By) -> Json:
        """JSON-ready."""
        return {
            "from": self.span.begins.isoformat(),
            "to": self.span.ends.isoformat(),
            "figures": [one.data(by) for one in self.figures],
            "pareto": [
                {**row.data(), "text": self.texts.get((row.equipment, row.code), {})}
                for row in self.pareto
            ],
        }


def run(
    directory: Path,
    *,
    begins: str | None = None,
    ends: str | None = None,
    by: By = "equipment",
    equipment: str | None = None,
    lang: str = "both",
    json: bool = False,
    now: datetime | None = None,
    out: TextIO | None = None,
) -> int:
    """Print the figures and the Pareto and return the exit code.

    ``begins`` and ``ends`` are as `gateway.cli.asked.span` takes them, by default the last `DAYS`
    days; ``equipment`` leaves out the others.
    """
    stream = out or sys.stdout
    try:
        site = load(directory)
        span = asked.span(site, begins, ends, now or datetime.now(UTC), days=DAYS)
        history = read(asked.sql_url(site), asked.source(site), span)
        answer = _answer(site, history, span, by, equipment)
    except ConfigProblems:
        return asked.refuse(f"配置有误 / refused, see: millgate check {directory}")
    except (asked.NotAnswered, StoreError, SecretUnreadable) as err:
        return asked.refuse(str(err))
    if json:
        written = orjson.dumps(answer.data(by), option=orjson.OPT_INDENT_2)
        stream.write(written.decode() + "\n")
    else:
        console = asked.console(stream)
        for table in _tables(answer, LANGUAGES[lang]):
            console.print(table)
    return 0


def _answer(
    site: Site, history: FaultHistory, asked_for: Span, by: By, equipment: str | None
) -> Answer:
    if history.until is None or history.until <= asked_for.begins:
        raise asked.NotAnswered("这段时间没有任何记录 / nothing was told in that time")
    span = Span(asked_for.begins, min(asked_for.ends, history.until))
    everyone = list(dict.fromkeys([*site.equipment, *sorted(history.intervals)]))
    if equipment is not None:
        if equipment not in everyone:
            raise asked.NotAnswered(f"没有这台设备 / no such equipment: {equipment}")
        everyone = [equipment]
    found = [one for name in everyone for one in _of_equipment(site, name, history, span, by)]
    every = [one for name in everyone for one in history.occurrences.get(name, ())]
    return Answer(span, found, pareto(every, span), history.texts)


def _of_equipment(
    site: Site, name: str, history: FaultHistory, span: Span, by: By
) -> Iterator[Figures]:
    intervals = history.intervals.get(name, [])
    for part, within, occurrences in _parts(site, name, history, span, by):
        yield Figures(name, part, within, reliability(occurrences, intervals, within))


def _parts(
    site: Site, name: str, history: FaultHistory, span: Span, by: By
) -> Iterator[tuple[str, Span, Sequence[Occurrence]]]:
    occurrences = history.occurrences.get(name, [])
    if by == "equipment":
        yield "", span, occurrences
    elif by == "code":
        for code in sorted({one.code for one in occurrences if one.stops_machine}):
            yield code, span, [one for one in occurrences if one.code == code]
    elif name in site.equipment:
        for shift, within in asked.shift_spans(site.equipment[name], span):
            yield shift, within, occurrences


def _tables(answer: Answer, languages: Sequence[str]) -> Iterator[Table | str]:
    figures = _table(_FIGURES, languages)
    for one in answer.figures:
        figures.add_row(one.equipment, one.part or "*", *_cells(one.figures))
    yield figures
    if not answer.pareto:
        yield " / ".join(_NOTHING[language] for language in languages)
        return
    rows = _table(_PARETO, languages)
    for row in answer.pareto:
        text = answer.texts.get((row.equipment, row.code), {})
        spoken = dict.fromkeys(text[language] for language in languages if language in text)
        counts = (str(row.occurrences), str(row.raises))
        shares = (asked.percent(row.share), asked.percent(row.cumulative))
        duration = asked.clock(row.duration_s)
        rows.add_row(row.equipment, row.code, "\n".join(spoken), *counts, duration, *shares)
    yield rows


def _table(words: Words, languages: Iterable[str]) -> Table:
    table = Table(box=SIMPLE)
    for heading in words.values():
        spoken = dict.fromkeys(heading[language] for language in languages)
        table.add_column("\n".join(spoken), justify="right", overflow="fold")
    return table


def _cells(of: Reliability) -> Iterator[str]:
    yield str(of.failures)
    for seconds in (of.mtbf_s, of.mttr_s, of.response_s, of.repair_s, of.restart_s):
        yield asked.clock(seconds)
    yield asked.percent(of.availability)
    yield asked.clock(of.operating_s)
    yield asked.clock(of.unknown_s)
    yield f"{of.repaired}/{of.acknowledged}/{of.mended}/{of.restarted}"
