"""``millgate check``: say everything that is wrong with a configuration, or what it holds.

- Every problem is printed with file, line and key; nothing is connected.
- The exit code is 1 if there is an error, 0 if there are warnings at most.
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol, TextIO, runtime_checkable

import orjson
from rich.box import SIMPLE
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gateway.settings.load import load
from gateway.settings.problems import ConfigProblems, Problem
from gateway.settings.site import LinkConfig, Site

LANGUAGES: Mapping[str, Sequence[str]] = {"zh": ("zh",), "en": ("en",), "both": ("zh", "en")}

PIPED_WIDTH = 140

_COLOURS = {"error": "bold red", "warning": "yellow"}
_SEVERITIES = {
    "error": {"zh": "错误", "en": "error"},
    "warning": {"zh": "注意", "en": "warning"},
}
_HEADINGS = {
    "link": {"zh": "连接", "en": "link"},
    "protocol": {"zh": "协议", "en": "protocol"},
    "endpoint": {"zh": "地址", "en": "endpoint"},
    "equipment": {"zh": "设备", "en": "equipment"},
    "tags": {"zh": "点位", "en": "tags"},
    "requests": {"zh": "每轮请求", "en": "requests per scan"},
}


def run(
    directory: Path, *, lang: str = "both", json: bool = False, out: TextIO | None = None
) -> int:
    """Check the configuration in ``directory``, print the result, return the exit code."""
    stream = out or sys.stdout
    try:
        site = load(directory)
    except ConfigProblems as err:
        return _report(stream, directory, None, err.problems, lang=lang, json=json)
    return _report(stream, directory, site, site.warnings, lang=lang, json=json)


def _report(
    stream: TextIO,
    directory: Path,
    site: Site | None,
    problems: Sequence[Problem],
    *,
    lang: str,
    json: bool,
) -> int:
    if json:
        stream.write(_as_json(site, problems))
    else:
        _Words(_console(stream), LANGUAGES[lang]).show(directory, site, problems)
    return 1 if site is None else 0


def show_problems(
    stream: TextIO, directory: Path, problems: Sequence[Problem], *, lang: str
) -> None:
    """Print problems as `run` does."""
    words = _Words(_console(stream), LANGUAGES[lang])
    for problem in problems:
        words.problem(directory, problem)


def _console(stream: TextIO) -> Console:
    width = None if stream.isatty() else PIPED_WIDTH
    return Console(file=stream, highlight=False, soft_wrap=True, width=width)


def _as_json(site: Site | None, problems: Sequence[Problem]) -> str:
    document = {
        "ok": site is not None,
        "equipment": sorted(site.equipment) if site else [],
        "links": sorted(site.links) if site else [],
        "tags": sum(len(link.tags) for link in site.links.values()) if site else 0,
        "problems": [problem.data() for problem in problems],
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2).decode() + "\n"


class _Words:
    """Prints in one language or in both."""

    def __init__(self, console: Console, languages: Sequence[str]) -> None:
        self._console = console
        self._languages = languages

    def show(self, directory: Path, site: Site | None, problems: Sequence[Problem]) -> None:
        for problem in problems:
            self.problem(directory, problem)
        errors = sum(problem.severity == "error" for problem in problems)
        warnings = len(problems) - errors
        if site is None:
            self._line(
                "bold red",
                zh=f"配置有 {errors} 处错误，{warnings} 处提醒，不能使用",
                en=f"this configuration is refused; errors: {errors}, warnings: {warnings}",
            )
            return
        self._table(site)
        count = len(site.equipment)
        self._line(
            "bold green",
            zh=f"配置没有问题：{count} 台设备，{warnings} 处提醒",
            en=f"the configuration is good; equipment: {count}, warnings: {warnings}",
        )

    def problem(self, directory: Path, problem: Problem) -> None:
        where = str(directory / problem.file) + (f":{problem.line}" if problem.line else "")
        key = f"[cyan]{escape(problem.key)}[/]: " if problem.key else ""
        colour = _COLOURS[problem.severity]
        for number, language in enumerate(self._languages):
            text = problem.text[language]
            if problem.hint is not None:
                text += _dash(language) + problem.hint[language]
            word = _SEVERITIES[problem.severity][language]
            head = f"[bold]{escape(where)}[/]: {key}" if number == 0 else "    "
            self._console.print(f"{head}[{colour}]{word}[/]: {escape(text)}")

    def _table(self, site: Site) -> None:
        table = Table(box=SIMPLE)
        for heading in _HEADINGS.values():
            table.add_column(
                " ".join(heading[language] for language in self._languages), overflow="fold"
            )
        for name, link in sorted(site.links.items()):
            equipment = ", ".join(sorted(link.equipment))
            cells = (name, link.protocol, link.endpoint, equipment, str(len(link.tags)))
            table.add_row(*(escape(cell) for cell in cells), _requests(link))
        self._console.print(table)

    def _line(self, style: str, **texts: str) -> None:
        for language in self._languages:
            self._console.print(texts[language], style=style)


def _dash(language: str) -> str:
    return "；" if language == "zh" else "; "


class _Plan(Protocol):
    @property
    def blocks(self) -> Sequence[object]: ...


@runtime_checkable
class _Planned(Protocol):
    """A driver that polls and can say with how many requests."""

    def plans(self) -> Mapping[str, _Plan]: ...


def _requests(link: LinkConfig) -> str:
    driver = link.driver({})
    if not isinstance(driver, _Planned):
        return "-"
    plans = sorted(driver.plans().items())
    return ", ".join(f"{group} {len(plan.blocks)}" for group, plan in plans)
