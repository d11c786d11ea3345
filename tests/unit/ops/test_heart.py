import asyncio
import itertools
import logging
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.ops.heart import Heart
from gateway.ops.notify import Notifier
from tests.support.until import until


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(tmp_path / "n"))
        receiver.settimeout(0)
        yield receiver


def notifier(manager: socket.socket) -> Notifier:
    return Notifier({"NOTIFY_SOCKET": manager.getsockname(), "WATCHDOG_USEC": "60000"})


def heard(manager: socket.socket) -> int:
    """Return how many beats came since the last call."""
    beats = 0
    try:
        while True:
            assert manager.recv(100) == b"WATCHDOG=1"
            beats += 1
    except BlockingIOError:
        return beats


async def test_a_loop_that_turns_is_heard(manager: socket.socket) -> None:
    heart = Heart(notifier(manager))
    async with heart.beating():
        await until(lambda: heart.late.histogram().count >= 3)
    assert heard(manager) >= 3
    assert heart.blocked == 0


async def test_a_part_that_is_not_well_silences_the_beats_until_it_is(
    manager: socket.socket, caplog: pytest.LogCaptureFixture
) -> None:
    heart, ill = Heart(notifier(manager)), [itertools.count(20)]
    heart.checks["journal"] = lambda: f"stuck for {next(ill[0])} s" if ill else None
    async with heart.beating():
        await until(lambda: heart.late.histogram().count >= 3)
        assert heard(manager) == 0
        ill.clear()
        await until(lambda: heard(manager) > 0)
    said = [record.message for record in caplog.records]
    assert said == ["journal: stuck for 21 s; without it the watchdog ends this process"]


async def test_what_is_late_at_one_look_only_is_not_named(
    manager: socket.socket, caplog: pytest.LogCaptureFixture
) -> None:
    heart, late = Heart(notifier(manager)), ["paused with the whole machine"]
    heart.checks["journal"] = lambda: late.pop() if late else None
    async with heart.beating():
        await until(lambda: heard(manager) > 0)
    assert not late
    assert caplog.records == []


def hold_up(seconds: float) -> None:
    time.sleep(seconds)


async def test_what_holds_up_the_loop_is_named_once_and_its_end_too(
    manager: socket.socket, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    heart = Heart(notifier(manager), blocked_s=0.5)
    async with heart.beating():
        await until(lambda: heart.late.histogram().count >= 1)
        heard(manager)
        hold_up(2.0)
        assert heard(manager) == 0
        await until(lambda: "turns again" in caplog.text)
        await until(lambda: heard(manager) > 0)
    # On a busy machine others may hold it up as well.
    named = [record.getMessage() for record in caplog.records if "hold_up" in record.getMessage()]
    assert len(named) == 1
    assert named[0].startswith("the event loop stands still; it is in ")
    assert "hold_up < ops/test_heart.py" in named[0]
    assert heart.blocked >= 1
    assert heart.late.histogram().total_s > 1.0


async def test_a_pause_of_the_whole_process_is_not_called_a_blocked_loop(
    manager: socket.socket, caplog: pytest.LogCaptureFixture
) -> None:
    ahead_s = 0.0
    heart = Heart(notifier(manager), mono_s=lambda: time.monotonic() + ahead_s)
    async with heart.beating():
        beats = heart.late.histogram().count
        ahead_s = 60.0
        await until(lambda: heart.late.histogram().count >= beats + 3)
    assert heart.blocked == 0
    assert caplog.records == []


async def test_without_a_watchdog_nothing_is_sent() -> None:
    heart = Heart(Notifier({}))
    async with heart.beating():
        await asyncio.sleep(0)
