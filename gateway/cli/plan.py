"""``millgate plan DIR``: what will be asked over each link, and whether there is time for it.

- Nothing is connected; times marked with ``?`` rest on assumptions, which are printed.
- A warning does not change the exit code: it is 1 only if the configuration is refused.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import orjson
from rich.box import SIMPLE
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from drivers.planned import BusLoad, LinkPlan, PlannedGroup, PlannedRequest, loads_of
from gateway.cli.check import show_problems
from gateway.cli.say import refuse
from gateway.settings.load import load
from gateway.settings.problems import ConfigProblems
from gateway.settings.site import LinkConfig

PIPED_WIDTH = 140
TIGHT = 0.7
"""A bus this busy has no room for a retry."""

_LANGUAGES: Mapping[str, Sequence[str]] = {"zh": ("zh",), "en": ("en",), "both": ("zh", "en")}
_HEADINGS = {
    "group": {"zh": "组", "en": "group"},
    "interval": {"zh": "周期", "en": "interval"},
    "request": {"zh": "请求", "en": "request"},
    "tags": {"zh": "点位", "en": "tags"},
    "time": {"zh": "预计", "en": "time"},
}


@dataclass(frozen=True, slots=True)
class Warned:
    """What will not go as configured, in both languages."""

    code: str
    where: str
    text: Mapping[str, str]


def run(
    directory: Path,
    *,
    link: str | None = None,
    rtt_ms: float | None = None,
    lang: str = "both",
    json: bool = False,
    out: TextIO | None = None,
) -> int:
    """Print the plan of a site or of one link, return the exit code."""
    stream = out or sys.stdout
    try:
        site = load(directory)
    except ConfigProblems as err:
        errors = [problem for problem in err.problems if problem.severity == "error"]
        show_problems(sys.stderr, directory, errors, lang=lang)
        return 1
    if link is not None and link not in site.links:
        known = ", ".join(sorted(site.links))
        return refuse(f"没有连接“{link}”,有:{known}", f"there is no link {link}; there are {known}")
    rtt_s = None if rtt_ms is None else rtt_ms / 1000
    plans = {name: plan_of(config, rtt_s) for name, config in site.links.items()}
    loads = loads_of(plans)
    if link is not None:
        loads = tuple(one for one in loads if link in one.links)
        plans = {link: plans[link]}
    if json:
        stream.write(_as_json(plans, loads))
    else:
        _Words(stream, _LANGUAGES[lang]).show(plans, loads)
    return 0


def plan_of(link: LinkConfig, rtt_s: float | None) -> LinkPlan:
    """Return the plan of a link; of a protocol that has none, its groups."""
    if link.spec.plan is not None:
        return link.spec.plan(link.settings, link.tags, rtt_s)
    groups: dict[str, list[str]] = {}
    for tag in link.tags:
        groups.setdefault(tag.group, []).append(tag.key)
    intervals = {tag.group: tag.poll_interval_s for tag in link.tags}
    return LinkPlan(
        bus=link.endpoint,
        basis="",
        timeout_s=0,
        groups=tuple(
            PlannedGroup(name, intervals[name], (PlannedRequest("", tuple(keys), 0),))
            for name, keys in groups.items()
        ),
    )


def warnings_of(plans: Mapping[str, LinkPlan], loads: Sequence[BusLoad]) -> Iterator[Warned]:
    """Yield what will not go as configured."""
    for name, plan in sorted(plans.items()):
        for group in plan.groups:
            if group.poll_interval_s is not None and group.scan_s > group.poll_interval_s:
                yield _slow(f"{name} / {group.name}", group.scan_s, group.poll_interval_s)
    for one in loads:
        if one.load > 1:
            yield _overload(one)
        elif one.load > TIGHT:
            yield _tight(one)


def _slow(where: str, scan_s: float, interval_s: float) -> Warned:
    return Warned(
        "interval_too_short",
        where,
        {
            "zh": f"一轮约需 {_time(scan_s)},比周期 {_time(interval_s)} 长,达不到",
            "en": f"a scan takes about {_time(scan_s)}, longer than its interval of"
            f" {_time(interval_s)}, which cannot be met",
        },
    )


def _overload(one: BusLoad) -> Warned:
    return Warned(
        "bus_overloaded",
        one.bus,
        {
            "zh": f"总线占用 {one.load:.0%},各周期达不到;实际每 {_time(one.pass_s)} 才轮到一次",
            "en": f"the bus would be busy {one.load:.0%} of the time: the intervals cannot be"
            f" met, each turn comes every {_time(one.pass_s)}",
        },
    )


def _tight(one: BusLoad) -> Warned:
    return Warned(
        "bus_tight",
        one.bus,
        {
            "zh": f"总线占用 {one.load:.0%},几乎没有重试的余地",
            "en": f"the bus is busy {one.load:.0%} of the time, with hardly room for a retry",
        },
    )


def _time(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def _dead(one: BusLoad) -> tuple[int, ...]:
    """Return how many silent units are worth a forecast: one, half of them, all but one."""
    units = len(one.links)
    return tuple(sorted({n for n in (1, units // 2, units - 1) if 0 < n < units}))


def _as_json(plans: Mapping[str, LinkPlan], loads: Sequence[BusLoad]) -> str:
    document = {
        "links": [{"link": name, "plan": plan} for name, plan in sorted(plans.items())],
        "buses": [
            {
                "bus": one.bus,
                "links": one.links,
                "load": one.load,
                "pass_s": one.pass_s,
                "worst_period_s": {str(n): one.worst_period_s(n) for n in _dead(one)},
            }
            for one in loads
        ],
        "warnings": list(warnings_of(plans, loads)),
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2).decode() + "\n"


class _Words:
    """Prints in one language or in both."""

    def __init__(self, stream: TextIO, languages: Sequence[str]) -> None:
        width = None if stream.isatty() else PIPED_WIDTH
        self._console = Console(file=stream, highlight=False, soft_wrap=True, width=width)
        self._languages = languages

    def show(self, plans: Mapping[str, LinkPlan], loads: Sequence[BusLoad]) -> None:
        for name, plan in sorted(plans.items()):
            basis = f"  [dim]{escape(plan.basis)}[/]" if plan.basis else ""
            self._console.print(f"[bold]{escape(name)}[/]  {escape(plan.bus)}{basis}")
            self._console.print(self._table(plan))
            for language in self._languages:
                for line in plan.said.get(language, ()):
                    self._console.print(f"  {escape(line)}")
        for one in loads:
            self._load(one)
        for warned in warnings_of(plans, loads):
            for language in self._languages:
                text = escape(f"{warned.where}: {warned.text[language]}")
                self._console.print(text, style="yellow")

    def _table(self, plan: LinkPlan) -> Table:
        table = Table(box=SIMPLE)
        for heading in _HEADINGS.values():
            table.add_column(" ".join(heading[language] for language in self._languages))
        for group in plan.groups:
            for position, request in enumerate(group.requests):
                table.add_row(*self._cells(group, request, first=position == 0))
            if len(group.requests) > 1:
                table.add_row("", "", "", "", f"= {_time(group.scan_s)}")
        return table

    def _cells(
        self, group: PlannedGroup, request: PlannedRequest, *, first: bool
    ) -> tuple[str, ...]:
        pushed = group.poll_interval_s is None
        interval = "-" if group.poll_interval_s is None else _time(group.poll_interval_s)
        return (
            escape(group.name) if first else "",
            interval if first else "",
            escape(request.text or self._said(zh="订阅", en="subscription")),
            str(len(request.tags)),
            "-" if pushed else _time(request.duration_s),
        )

    def _load(self, one: BusLoad) -> None:
        if not one.pass_s:
            return
        worst = ", ".join(f"{n}: {_time(one.worst_period_s(n))}" for n in _dead(one))
        said = {
            "zh": f"{one.bus}:{len(one.links)} 个站,占用 {one.load:.1%},全部读一遍"
            f" {_time(one.pass_s)}" + (f";几个站不应答时的最长周期 {worst}" if worst else ""),
            "en": f"{one.bus}: units {len(one.links)}, load {one.load:.1%}, all of it once"
            f" {_time(one.pass_s)}"
            + (f"; worst period with silent units {worst}" if worst else ""),
        }
        for language in self._languages:
            self._console.print(escape(said[language]))

    def _said(self, **texts: str) -> str:
        return " ".join(texts[language] for language in self._languages)
