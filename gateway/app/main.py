"""``millgate run | collect | historian DIR`` from arguments to exit code."""

import asyncio
import logging
import signal
import sys
from collections.abc import Iterable
from pathlib import Path

from gateway.app.recovery import take_back
from gateway.app.running import Part, Running, run
from gateway.historian.store import StoreUnusable
from gateway.journal.errors import JournalError
from gateway.ops import memory
from gateway.ops.log import setup_logging
from gateway.ops.notify import Notifier
from gateway.settings.load import load
from gateway.settings.problems import ConfigProblems
from gateway.settings.secrets import SecretUnreadable
from gateway.settings.site import Site

_log = logging.getLogger(__name__)


def main(directory: Path, parts: Iterable[Part]) -> int:
    """Run until SIGTERM or SIGINT; 1 with sentences if something must be done first."""
    setup_logging("INFO")
    for library in ("asyncua", "httpx", "uvicorn", "pymodbus"):
        logging.getLogger(library).setLevel(logging.CRITICAL)
    memory.begin()
    wanted = frozenset(parts)
    if Part.COLLECT in wanted:
        take_back(directory)
    try:
        site = load(directory)
    except ConfigProblems as err:
        sys.stderr.write(
            f"{err}\n配置有误,未连接任何设备。详见 / refused, nothing was connected; see: "
            f"millgate check {directory}\n"
        )
        return 1
    return _run(site, wanted)


def _run(site: Site, parts: Iterable[Part]) -> int:
    ended: list[BaseException] = []
    try:
        with _new_runner() as runner:
            runner.run(_until_signalled(site, parts))
    except* (JournalError, StoreUnusable, SecretUnreadable, OSError) as group:
        ended += _leaves(group)
    for err in ended:
        sys.stderr.write(f"millgate: {err}\n")
    return 1 if ended else 0


async def _until_signalled(site: Site, parts: Iterable[Part]) -> None:
    loop = asyncio.get_running_loop()
    notifier = Notifier()

    def ready(running: Running) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, running.stopping.set)
        if running.collector is not None and hasattr(signal, "SIGHUP"):
            loop.add_signal_handler(signal.SIGHUP, running.collector.reload)
        if running.board_url is not None:
            sys.stdout.write(f"看板 / board: {running.board_url}\n")
            sys.stdout.flush()
        memory.settle(loop)
        notifier.ready()
        _log.info("running: %s", ", ".join(sorted(parts)))

    await run(site, parts, on_ready=ready, notifier=notifier)
    notifier.stopping()


def _new_runner() -> asyncio.Runner:
    """Return a runner on uvloop where there is one: half the CPU at a thousand links."""
    try:
        import uvloop  # noqa: PLC0415 - Linux and macOS only
    except ImportError:
        return asyncio.Runner()
    return asyncio.Runner(loop_factory=uvloop.new_event_loop)


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterable[BaseException]:
    for err in group.exceptions:
        if isinstance(err, BaseExceptionGroup):
            yield from _leaves(err)
        else:
            yield err
