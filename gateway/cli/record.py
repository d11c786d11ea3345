"""``millgate record DIR``: write down what devices say, to play it elsewhere.

- Nothing is published and no journal is touched; only the devices are read.
- The file is whole up to the last second, however the recording ends.
"""

import asyncio
import gzip
import signal
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from drivers.contract import Batch
from drivers.replay.recording import Event, Head, Lines, Said, end_line, head_line
from drivers.replay.tap import TappedDriver
from gateway.cli.say import refuse, say
from gateway.collect.poller import Poller, taken
from gateway.ops.clock import SYSTEM_CLOCK
from gateway.settings.load import load
from gateway.settings.problems import ConfigProblems
from gateway.settings.site import LinkConfig, Site

WRITE_EVERY_S = 1.0
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
    recorders = [_Recorder(site.links[name], path) for name, path in files.items()]
    for recorder in recorders:
        recorder.begin()
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    shared: dict[str, dict[str, object]] = {}
    tasks = [
        asyncio.create_task(
            recorder.poll(shared.setdefault(recorder.link.protocol, {})),
            name=f"record[{recorder.link.name}]",
        )
        for recorder in recorders
    ]
    tasks += [asyncio.create_task(recorder.write_on()) for recorder in recorders]
    ended = asyncio.create_task(stopping.wait())
    await asyncio.wait([ended, *tasks], timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    for task in (ended, *tasks):
        task.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    for recorder in recorders:
        recorder.end()
    for result in results:
        if isinstance(result, Exception):
            raise result
    return {recorder.link.name: recorder.batches for recorder in recorders}


@dataclass
class _Recorder:
    """One link on its way into one file."""

    link: LinkConfig
    path: Path
    batches: int = 0
    _lines: Lines = field(default_factory=Lines)
    _waiting: list[str] = field(default_factory=list)
    _started_s: float = 0.0

    def begin(self) -> None:
        """Begin the file. Raises OSError."""
        self._started_s = SYSTEM_CLOCK.mono_s()
        link = self.link
        head = Head(link.name, link.protocol, link.endpoint, SYSTEM_CLOCK.now())
        self.path.unlink(missing_ok=True)
        self._append([head_line(head)])

    def end(self) -> None:
        """Write what waits and how long it lasted. Raises OSError."""
        waiting, self._waiting = self._waiting, []
        self._append([*waiting, end_line(SYSTEM_CLOCK.mono_s() - self._started_s)])

    async def poll(self, shared: dict[str, object]) -> None:
        """Read the device for ever, as the collector would."""
        tap = TappedDriver(
            self.link.driver(shared), self._tell, SYSTEM_CLOCK.mono_s, self._started_s
        )
        poller = Poller(self.link.name, tap, self, clock=SYSTEM_CLOCK, sleep=asyncio.sleep)
        await poller.run()

    async def write_on(self) -> None:
        """Write what waits every second, for ever."""
        while True:
            await asyncio.sleep(WRITE_EVERY_S)
            waiting, self._waiting = self._waiting, []
            self._append(waiting)

    def observe(self, link: str, batch: Batch) -> Awaitable[object]:
        """Let the driver acknowledge to its device what is recorded."""
        del link
        batch.committed()
        return taken()

    async def lose(self, link: str, err: Exception, failures: int) -> None:
        """Do nothing: the tap told it."""

    def _tell(self, event: Event) -> None:
        self.batches += isinstance(event, Said)
        self._waiting += self._lines.of(event)

    def _append(self, lines: list[str]) -> None:
        text = "".join(f"{line}\n" for line in lines)
        packed = self.path.suffix == ".gz"
        data = text.encode()
        with self.path.open("ab") as file:
            file.write(gzip.compress(data) if packed else data)
