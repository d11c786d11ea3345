"""A recorded device, and the rig by which the contract suite uses it.

The recording holds every change the suite may ask for, far apart in recorded time; `set`
and `stop_server` move the clock of the drivers on to the one that is wanted.
"""

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from drivers.clock import Clock
from drivers.contract import Driver, TagRequest, Value
from drivers.replay import SPEC
from drivers.replay.driver import ReplayDriver
from drivers.replay.recording import (
    Event,
    Failed,
    Head,
    Lines,
    Opened,
    Said,
    end_line,
    head_line,
)
from tests.support.rig import Address

BEGAN = datetime(2026, 3, 20, 1, 1, 29, tzinfo=UTC)
_HEAD = Head("press.plc", "modbus-tcp", "192.168.1.17:502#1", BEGAN)
_AWAY = Failed(0.0, "Unreachable", "no answer within 1 s")
_APART_S = 100.0
_LOST_S = 10_000.0
_BACK_S = 20_000.0
_END_S = 30_000.0


def write_recording(path: Path, events: list[Event], end_s: float) -> None:
    """Write events as a recording that lasted ``end_s``."""
    lines = Lines()
    body = [line for event in events for line in lines.of(event)]
    text = "\n".join([head_line(_HEAD), *body, end_line(end_s)])
    path.write_text(text + "\n", encoding="utf-8")


def said(t: float, covers: frozenset[str], **more: object) -> Said:
    """Return a batch at ``t``."""
    return Said(t=t, covers=covers, at=BEGAN + timedelta(seconds=t), **more)  # type: ignore[arg-type]


class _Rig:
    good: Mapping[str, tuple[Value, Value]] = {
        "press/run": (False, True),
        "press/parts": (70_000, 70_001),
        "press/heat": (21.5, -3.25),
        "press/text": ("a", "b"),
    }
    refused = "press/missing"
    gives_up_s = 0.3

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._ahead_s = 0.0
        self._away = False
        self._files = 0
        self._all = frozenset([*self.good, self.refused])

    def driver(self, *, at: Address | None = None, hasty: bool = False) -> Driver:
        del hasty  # nobody is waited for
        self._files += 1
        path = self._directory / f"{self._files}.jsonl"
        if at is not None:
            write_recording(path, [], self.gives_up_s / 2)
        elif self._away:
            write_recording(path, [_AWAY], _END_S)
        else:
            write_recording(path, self._events(), _END_S)
        link = SPEC.link_settings(file=str(path), keepalive_s=0.05)
        tags = [TagRequest(key, "plc", None, SPEC.tag_settings()) for key in sorted(self._all)]
        self._ahead_s = 0.0
        return ReplayDriver(link, tags, {}, Clock(mono_s=self._mono_s))

    async def set(self, key: str, value: Value) -> None:
        assert value == self.good[key][1]
        self._ahead_s = _APART_S * (1 + list(self.good).index(key))

    async def stop_server(self) -> None:
        self._away = True
        self._ahead_s = _LOST_S

    async def start_server(self) -> None:
        self._away = False
        self._ahead_s = _BACK_S

    def _mono_s(self) -> float:
        return time.monotonic() + self._ahead_s

    def _events(self) -> list[Event]:
        first = {key: value for key, (value, _) in self.good.items()}
        bad = {self.refused: "illegal_address"}
        changes: list[Event] = [
            said(_APART_S * (1 + place), self._all, changed={key: other}, bad=bad)
            for place, (key, (_, other)) in enumerate(self.good.items())
        ]
        return [
            Opened(0.0),
            said(0.0, self._all, changed=first, bad=bad),
            *changes,
            Failed(_LOST_S, "Unreachable", "the connection was closed"),
            Opened(_BACK_S),
            said(_BACK_S, self._all, changed=first, bad=bad),
        ]


@asynccontextmanager
async def RIG() -> AsyncIterator[_Rig]:  # noqa: N802 -- the name the suite asks for
    with TemporaryDirectory() as made:
        yield _Rig(Path(made))
