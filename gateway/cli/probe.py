"""``millgate probe``: the way to a device, step by step.

- Each step is printed when it is done, with its time; a failed one with its cause and what to
  try next, in both languages or in one.
- The exit code is 0 if every step and every tag went well, else 1.
"""

import asyncio
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TextIO

import orjson

from drivers.contract import DriverError
from drivers.probed import Said, Step
from gateway.cli.say import refuse
from gateway.commission.probe import probe, said_of
from gateway.commission.target import (
    NoTarget,
    Target,
    all_configured,
    configured,
    is_link_text,
    typed,
)
from gateway.commission.texts import STEPS, next_of, sentence

SHOWN_TAGS = 20
"""With more tags than these only those are printed that a person has to look at."""
_LANGUAGES: Mapping[str, Sequence[str]] = {"zh": ("zh",), "en": ("en",), "both": ("zh", "en")}


def run(
    target: str,
    link: str | None,
    *,
    seconds: float = 30.0,
    lang: str = "both",
    as_json: bool = False,
    out: TextIO | None = None,
) -> int:
    """Probe one link, each of an equipment, or all there are; return the exit code."""
    try:
        every = link is None and not is_link_text(target)
        targets = all_configured(Path(target)) if every else targets_of(target, link)
    except NoTarget as err:
        return refuse(*said_in_both(err.said))
    report = _Report(out or sys.stdout, _LANGUAGES[lang], as_json=as_json)
    try:
        return 0 if asyncio.run(_all(targets, report, seconds)) else 1
    except KeyboardInterrupt:
        return 1
    finally:
        report.close()


async def _all(targets: Sequence[Target], report: "_Report", seconds: float) -> bool:
    all_well = True
    for target in targets:
        report.begin(target)
        all_well &= await probe(target, report.tell, seconds=seconds)
        report.end()
    return all_well


def targets_of(target: str, link: str | None) -> tuple[Target, ...]:
    """Return what two arguments of a command lead to; raises NoTarget."""
    if is_link_text(target):
        return (typed(target),)
    if link is None:
        known = ", ".join(one.name for one in all_configured(Path(target)))
        raise NoTarget("which_link", known=known)
    return configured(Path(target), link)


def said_in_both(said: Said) -> tuple[str, str]:
    """Return a sentence in Chinese and in English."""
    text = sentence(said)
    return text["zh"], text["en"]


def refused_by(err: DriverError) -> int:
    """Say what a device or a driver refused, and which command finds out why."""
    zh, en = said_in_both(said_of(err))
    return refuse(
        f"{err.endpoint}：{zh}；用 millgate probe 查原因",
        f"{err.endpoint}: {en}; millgate probe finds out why",
    )


class _Report:
    """Prints steps as they come, or all of them as one document."""

    def __init__(self, stream: TextIO, languages: Sequence[str], *, as_json: bool) -> None:
        self._stream = stream
        self._languages = languages
        self._as_json = as_json
        self._links: list[dict[str, object]] = []
        self._steps: list[Step] = []
        self._many = False

    def begin(self, target: Target) -> None:
        self._steps = []
        self._links.append({"link": target.name, "endpoint": target.endpoint})
        self._many = len(target.tags) > SHOWN_TAGS
        where = f"{target.name}  {target.endpoint}" if target.name != target.endpoint else ""
        self._line(f"{where or target.endpoint}  {target.spec.protocol}")
        if target.spec.reach is not None and target.spec.reach(target.settings) is not None:
            self._both("  ", Said("one_connection"))

    def tell(self, step: Step) -> None:
        self._steps.append(step)
        if self._many and step.name == "tag" and step.went_well and not step.try_next:
            return
        name = " ".join(STEPS[step.name][language] for language in self._languages)
        mark = "ok  " if step.went_well else "FAIL"
        detail = f"  {step.detail}" if step.detail else ""
        took = f"  {step.duration_s * 1000:.0f} ms" if step.duration_s else ""
        self._line(f"{mark} {name}  {step.subject}{took}{detail}")
        if step.cause is not None:
            self._both("     ", step.cause)
        for number, text in enumerate(next_of(step), start=1):
            for place, language in enumerate(self._languages):
                lead = f"     {number}. " if place == 0 else "        "
                self._line(lead + text[language])

    def end(self) -> None:
        self._links[-1]["steps"] = [_data(step) for step in self._steps]
        tags = [step for step in self._steps if step.name == "tag"]
        good = sum(step.went_well for step in tags)
        if tags:
            said = {
                "zh": f"点位 {len(tags)} 个，好 {good} 个，坏 {len(tags) - good} 个",
                "en": f"tags: {len(tags)}, good {good}, bad {len(tags) - good}",
            }
            for language in self._languages:
                self._line(said[language])

    def close(self) -> None:
        """Print the document, if that is what is wanted."""
        if self._as_json:
            document = {"links": self._links}
            text = orjson.dumps(document, option=orjson.OPT_INDENT_2).decode()
            self._stream.write(f"{text}\n")

    def _both(self, indent: str, said: Said) -> None:
        text = sentence(said)
        for language in self._languages:
            self._line(indent + text[language])

    def _line(self, text: str) -> None:
        if not self._as_json:
            self._stream.write(f"{text}\n")
            self._stream.flush()


def _data(step: Step) -> dict[str, object]:
    cause = None
    if step.cause is not None:
        cause = {"code": step.cause.code, "text": sentence(step.cause)}
    return {
        "step": step.name,
        "subject": step.subject,
        "ok": step.went_well,
        "duration_ms": round(step.duration_s * 1000, 1),
        "detail": step.detail,
        "cause": cause,
        "try_next": next_of(step),
    }
