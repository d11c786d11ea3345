"""``millgate reload``, ``revisions``, ``live``: a configuration changes while it runs.

- With a collector running, it does it; without one the files are checked, written and kept,
  and the next start takes them up.
- Lists and differences are read from the disk, collector or not.
"""

import asyncio
import getpass
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import orjson

from gateway.app.collector import SOCKET
from gateway.app.reconfigure import Reconfiguration
from gateway.cli.check import show_problems
from gateway.cli.say import refuse
from gateway.control import client
from gateway.control.client import NoCollector
from gateway.control.configuring import Restore
from gateway.journal.errors import JournalInUse
from gateway.journal.lock import FileLock
from gateway.ops.clock import SYSTEM_CLOCK
from gateway.settings.difference import unified
from gateway.settings.load import load
from gateway.settings.outcome import Outcome
from gateway.settings.problems import ConfigProblems
from gateway.settings.revision import Draft, Head, RevisionUnreadable
from gateway.settings.revisions import NoRevision, Revisions, revisions_of

_STAGE = re.compile(rb"(?m)^(stage:[ \t]*)([\"']?)commissioning\2")
_ORIGINS = {
    "start": ("首次启动", "first start"),
    "disk": ("磁盘上编辑", "edited on disk"),
    "apply": ("应用", "applied"),
    "restore": ("恢复", "restored"),
}


def reload(directory: Path, *, by: str | None, why: str, lang: str, json: bool) -> int:
    """Let the running collector take up the files; return the exit code."""
    kept = revisions_of(directory)
    try:
        outcome = asyncio.run(client.reload(kept.data / SOCKET, by=by or _me(), why=why))
    except NoCollector:
        return refuse(
            f"{directory} 没有运行中的采集进程;下次启动时会采用这些文件(millgate check 可先检查)",
            f"no collector runs for {directory}; the next start takes up these files "
            "(millgate check looks at them)",
        )
    return _told(directory, outcome, lang=lang, json=json)


def revisions(
    directory: Path,
    action: str,
    numbers: Sequence[int],
    *,
    by: str | None,
    why: str,
    lang: str,
    json: bool,
) -> int:
    """List, show, compare or restore; return the exit code."""
    wanted = {"list": 0, "show": 1, "diff": 2, "restore": 1}[action]
    if len(numbers) != wanted:
        return refuse(
            f"{action} 需要 {wanted} 个版本号,给出了 {len(numbers)} 个",
            f"{action} takes {wanted} numbers of revisions, not {len(numbers)}",
        )
    kept = revisions_of(directory)
    try:
        if action == "restore":
            outcome = asyncio.run(_restore(kept, Restore(numbers[0], by or _me(), why)))
            return _told(directory, outcome, lang=lang, json=json)
        if action == "diff":
            _diff(kept, *numbers)
        elif action == "show":
            _show(kept, numbers[0], json=json)
        else:
            _list(kept, json=json)
    except NoRevision as err:
        return refuse(f"没有版本 {err.number}", str(err))
    except (RevisionUnreadable, OSError, JournalInUse) as err:
        return refuse(f"无法完成:{err}", f"it cannot be done: {err}")
    return 0


def live(
    directory: Path, equipment: str, *, by: str | None, why: str, lang: str, json: bool
) -> int:
    """Let an equipment go live, with a new baseline; return the exit code."""
    try:
        site = load(directory)
    except ConfigProblems as err:
        return refuse(f"配置有误:{err}", f"the configuration is refused: {err}")
    one = site.equipment.get(equipment)
    if one is None:
        return refuse(f"配置中没有 {equipment}", f"there is no {equipment} in the configuration")
    if one.stage == "live":
        return refuse(f"{equipment} 已经投产", f"{equipment} is live already")
    kept = revisions_of(directory)
    content, changed = _STAGE.subn(rb"\1\2live\2", (directory / one.file).read_bytes())
    if changed != 1:
        return refuse(
            f"{one.file} 中没有单独一行的 stage: commissioning;请手工改为 live,再 millgate reload",
            f"{one.file} has no line of its own that says stage: commissioning; write live by "
            "hand, then millgate reload",
        )
    current = kept.current()
    draft = Draft(
        0 if current is None else current.number,
        {one.file: content},
        by or _me(),
        why or f"{equipment}: commissioning -> live",
    )
    try:
        outcome = asyncio.run(_apply(kept, draft))
    except (OSError, JournalInUse) as err:
        return refuse(f"无法完成:{err}", f"it cannot be done: {err}")
    return _told(directory, outcome, lang=lang, json=json)


async def _apply(kept: Revisions, draft: Draft) -> Outcome:
    try:
        return await client.apply(kept.data / SOCKET, draft)
    except NoCollector:
        return await _without_collector(kept, draft)


async def _restore(kept: Revisions, wish: Restore) -> Outcome:
    kept.get(wish.number)  # a number that is none is told without asking anybody
    try:
        return await client.restore(kept.data / SOCKET, wish.number, by=wish.by, why=wish.why)
    except NoCollector:
        return await _without_collector(kept, wish)


async def _without_collector(kept: Revisions, wish: Draft | Restore) -> Outcome:
    kept.data.mkdir(parents=True, exist_ok=True)
    lock = FileLock(kept.journal)
    try:
        kept.recover()
        return await Reconfiguration(None, kept, fixed=(), now=SYSTEM_CLOCK.now).change(wish)
    finally:
        lock.release()


def _told(directory: Path, outcome: Outcome, *, lang: str, json: bool) -> int:
    if json:
        sys.stdout.write(orjson.dumps(outcome.data(), option=orjson.OPT_INDENT_2).decode() + "\n")
    else:
        out = sys.stdout if outcome.accepted else sys.stderr
        show_problems(out, directory, outcome.problems, lang=lang)
        for note in outcome.notes:
            out.write(f"  {note}\n")
        for language in ("zh", "en") if lang == "both" else (lang,):
            out.write(f"{outcome.text[language]}\n")
    return 0 if outcome.accepted else 1


def _list(kept: Revisions, *, json: bool) -> None:
    heads, current = list(kept.heads()), kept.current()
    if json:
        _print_json([head.data() for head in heads])
        return
    for head in heads:
        mark = "*" if current is not None and head.number == current.number else " "
        sys.stdout.write(f"{mark} {_line(head)}\n")


def _show(kept: Revisions, number: int, *, json: bool) -> None:
    one = kept.get(number)
    if json:
        _print_json(one.head.data() | {"files": sorted(one.files)})
        return
    sys.stdout.write(f"  {_line(one.head)}\n")
    for note in one.head.notes:
        sys.stdout.write(f"    {note}\n")
    for name in sorted(one.files):
        sys.stdout.write(f"    {len(one.files[name]):8} {name}\n")


def _diff(kept: Revisions, older: int, newer: int) -> None:
    for line in unified(kept.get(older).files, kept.get(newer).files):
        sys.stdout.write(line + "\n")


def _line(head: Head) -> str:
    zh, en = _ORIGINS.get(head.origin, (head.origin, head.origin))
    origin = f"{zh} / {en}" if head.in_force else f"{zh},未生效 / {en}, never in force"
    return f"{head.number:5}  {head.at:%Y-%m-%d %H:%M:%S}Z  {head.by or '-'}  {origin}  {head.why}"


def _print_json(value: object) -> None:
    sys.stdout.write(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode() + "\n")


def _me() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a service account without an entry
        return "unknown"
