"""What devices say, written down to be played elsewhere.

- Nothing is published and no journal is touched; only the devices are read.
- The file is whole up to the last second, however the recording ends.
"""

import asyncio
import gzip
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from drivers.contract import Batch, close_shared
from drivers.replay.recording import Event, Head, Lines, Said, end_line, head_line
from drivers.replay.tap import TappedDriver
from gateway.collect.poller import Poller, taken
from gateway.ops.clock import SYSTEM_CLOCK
from gateway.settings.site import LinkConfig

WRITE_EVERY_S = 1.0


async def record(
    files: Mapping[Path, LinkConfig], stopping: asyncio.Event, seconds: float | None
) -> dict[str, int]:
    """Record each link into its file; return link -> batches. Raises OSError.

    Ends when ``stopping`` is set or ``seconds`` have passed.
    """
    recorders = [Recorder(link, path) for path, link in files.items()]
    for recorder in recorders:
        recorder.begin()
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
    for things in shared.values():
        close_shared(things)
    for recorder in recorders:
        recorder.end()
    for result in results:
        if isinstance(result, Exception):
            raise result
    return {recorder.link.name: recorder.batches for recorder in recorders}


@dataclass
class Recorder:
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
