"""``millgate run | collect | historian DIR`` from arguments to exit code."""

import asyncio
import logging
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from gateway.app.recovery import take_back
from gateway.app.running import Part, Running, run
from gateway.app.told import told
from gateway.ops import memory
from gateway.ops.log import setup_logging
from gateway.ops.notify import Notifier
from gateway.ops.signals import TO_RELOAD, Signals
from gateway.settings.load import load
from gateway.settings.problems import ConfigProblems
from gateway.settings.site import Site

_log = logging.getLogger(__name__)


def main(directory: Path, parts: Iterable[Part], ending: Signals) -> int:
    """Run until somebody asks for the end; 1 with sentences if something must be done first.

    Whoever asks while this starts gets an end in order, too.
    """
    setup_logging("INFO")
    for library in ("asyncua", "httpx", "uvicorn", "pymodbus"):
        logging.getLogger(library).setLevel(logging.CRITICAL)
    memory.begin()
    wanted = frozenset(parts)
    reloading = None
    if Part.COLLECT in wanted:
        reloading = Signals(*TO_RELOAD)
        take_back(directory)
    try:
        site = load(directory)
    except ConfigProblems as err:
        sys.stderr.write(
            f"{err}\n配置有误,未连接任何设备。详见 / refused, nothing was connected; see: "
            f"millgate check {directory}\n"
        )
        return 1
    return _run(site, wanted, ending, reloading)


def _run(site: Site, parts: Iterable[Part], ending: Signals, reloading: Signals | None) -> int:
    with told() as sentences, _new_runner() as runner:
        runner.run(_until_asked(site, parts, ending, reloading))
    for sentence in sentences:
        sys.stderr.write(f"millgate: {sentence}\n")
    return 1 if sentences else 0


async def _until_asked(
    site: Site, parts: Iterable[Part], ending: Signals, reloading: Signals | None
) -> None:
    loop = asyncio.get_running_loop()
    notifier = Notifier()
    start = _Start(asyncio.current_task())

    def ready(running: Running) -> None:
        start.running = running
        if running.collector is not None and reloading is not None:
            reloading.obey(loop, running.collector.reload)
        if running.board_url is not None:
            sys.stdout.write(f"看板 / board: {running.board_url}\n")
            sys.stdout.flush()
        memory.settle(loop)
        notifier.ready(running.status)
        _log.info("%s", running.status)

    ending.obey(loop, start.end)
    try:
        await run(site, parts, on_ready=ready, notifier=notifier)
    except asyncio.CancelledError:
        if not ending.came:
            raise
        _log.info("ended while it started, as asked")
    notifier.stopping()


@dataclass
class _Start:
    task: "asyncio.Task[None] | None"
    running: Running | None = None

    def end(self) -> None:
        """Let what runs stop in order; what is still starting is undone where it is."""
        if self.running is not None:
            self.running.stopping.set()
        elif self.task is not None and not self.task.cancelling():
            self.task.cancel()


def _new_runner() -> asyncio.Runner:
    """Return a runner on uvloop where there is one: half the CPU at a thousand links."""
    try:
        import uvloop  # noqa: PLC0415 - Linux and macOS only
    except ImportError:
        return asyncio.Runner()
    return asyncio.Runner(loop_factory=uvloop.new_event_loop)
