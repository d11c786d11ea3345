"""``millgate record DIR``: which links, into which files; `gateway.commission` does it."""

import asyncio
import signal
from collections.abc import Mapping
from pathlib import Path

from gateway.cli.say import refuse, say
from gateway.commission.recording import record
from gateway.settings.load import load
from gateway.settings.problems import ConfigProblems
from gateway.settings.site import Site

SUFFIX = ".jsonl"


def run(directory: Path, link: str | None, out: Path, seconds: float | None) -> int:
    """Record until ``seconds`` have passed or a signal comes; return the exit code."""
    try:
        site = load(directory)
        files = _files(site, link, out)
        if files is None:
            return _which(site, link)
        counts = asyncio.run(_record(site, files, seconds))
    except ConfigProblems as err:
        return refuse(f"配置有误：{err}", f"the configuration is refused: {err}")
    except OSError as err:
        return refuse(f"无法写入：{err}", f"cannot be written: {err}")
    for name, path in files.items():
        say(f"{name}：{counts[name]} 批，{path}", f"{name}: {counts[name]} batches, {path}")
    say(
        "重放：把连接换成 {protocol: replay, file: 文件}，点位不用改",
        "to play it: put {protocol: replay, file: FILE} in the place of the link; the tags stay",
    )
    return 0 if all(counts.values()) else 1


def _files(site: Site, link: str | None, out: Path) -> Mapping[str, Path] | None:
    """Return the file of each link; None if it is not clear which link is meant."""
    if link is None and out.is_dir():
        return {name: out / f"{name}{SUFFIX}" for name in site.links}
    name = link or (next(iter(site.links)) if len(site.links) == 1 else None)
    if name not in site.links:
        return None
    return {str(name): out / f"{name}{SUFFIX}" if out.is_dir() else out}


def _which(site: Site, link: str | None) -> int:
    known = ", ".join(sorted(site.links))
    if link is not None:
        return refuse(f"没有连接“{link}”；有 {known}", f"there is no link '{link}'; known: {known}")
    return refuse(
        f"有几个连接：用 --link 选一个（{known}），或让 --out 是一个目录",
        f"there are several links: choose one by --link ({known}), or let --out be a directory",
    )


async def _record(site: Site, files: Mapping[str, Path], seconds: float | None) -> dict[str, int]:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    links = {path: site.links[name] for name, path in files.items()}
    return await record(links, stopping, seconds)
