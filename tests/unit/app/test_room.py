import asyncio
import logging
from pathlib import Path

import pytest

from gateway.app.room import with_room
from gateway.ops.notify import Notifier
from tests.support.notified import manager
from tests.support.until import until

ASKED = b"EXTEND_TIMEOUT_USEC=60000000"


class FullError(Exception):
    """No room."""


async def test_room_is_waited_for_and_missed_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    answers: list[Exception | str] = [FullError("a.db"), FullError("a.db"), "open"]

    async def opening() -> str:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    with manager(tmp_path) as systemd:
        notifier = Notifier({"NOTIFY_SOCKET": systemd.address})
        assert await with_room(opening, FullError, "no board", notifier, retry_s=0.001) == "open"
        assert systemd.heard() == [ASKED, b"STATUS=no board until there is room on the disk: a.db"]
    (said,) = caplog.messages
    assert said.startswith("no board until there is room")


async def test_whatever_else_is_wrong_is_not_waited_for() -> None:
    async def opening() -> None:
        msg = "broken"
        raise OSError(msg)

    with pytest.raises(OSError, match="broken"):
        await with_room(opening, FullError, "no board", Notifier({}))


async def test_patience_is_asked_for_as_long_as_it_takes_and_no_longer(tmp_path: Path) -> None:
    with manager(tmp_path) as systemd:
        heard: list[bytes] = []

        def often() -> bool:
            heard.extend(systemd.heard())
            return len(heard) > 2

        async def opening() -> None:
            await until(often)

        notifier = Notifier({"NOTIFY_SOCKET": systemd.address})
        await with_room(opening, FullError, "no board", notifier, tell_s=0.001)
        assert set(heard) == {ASKED}
        assert not [task for task in asyncio.all_tasks() if task.get_name() == "patience"]
