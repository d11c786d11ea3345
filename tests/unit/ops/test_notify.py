import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.ops.notify import Notifier


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(tmp_path / "n"))
        receiver.settimeout(1)
        yield receiver


def test_the_manager_is_told(manager: socket.socket) -> None:
    notifier = Notifier({"NOTIFY_SOCKET": manager.getsockname()})
    notifier.ready("12 links\nREADY=0")
    notifier.watchdog()
    notifier.status("11 links")
    notifier.patience(60)
    notifier.stopping()
    assert [manager.recv(100) for _ in range(5)] == [
        b"READY=1\nSTATUS=12 links READY=0",
        b"WATCHDOG=1",
        b"STATUS=11 links",
        b"EXTEND_TIMEOUT_USEC=60000000",
        b"STOPPING=1",
    ]


def test_an_abstract_socket_is_reached() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind("")
        receiver.settimeout(1)
        name = "@" + receiver.getsockname()[1:].decode()
        Notifier({"NOTIFY_SOCKET": name}).watchdog()
        assert receiver.recv(100) == b"WATCHDOG=1"


def test_without_a_manager_nothing_happens(tmp_path: Path) -> None:
    Notifier({}).ready()
    Notifier({"NOTIFY_SOCKET": str(tmp_path / "gone")}).ready()


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
    ],
)
def test_the_watchdog_is_ours_or_not(environment: dict[str, str], expected: float | None) -> None:
    assert Notifier(environment).watchdog_s == expected
