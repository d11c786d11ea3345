"""A driver that plays a script of sessions: batches, waits and errors."""

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from typing import Any

from drivers.contract import Batch, DriverError, TagGroup

Step = Batch | DriverError | Exception


class FakeSession:
    def __init__(self, steps: Sequence[Step], asked: list[list[str]]) -> None:
        self._steps = list(steps)
        self._asked = asked

    async def read(self, due: Collection[TagGroup]) -> Batch:
        self._asked.append(sorted(group.name for group in due))
        if not self._steps:
            await asyncio.Event().wait()  # the script is over: nothing more ever comes
        step = self._steps.pop(0)
        if isinstance(step, Batch):
            return step
        raise step


class FakeDriver:
    """``FakeDriver([batch, Rejected(...)], Unreachable(...), [batch])``: one item a session."""

    endpoint = "fake:1"

    def __init__(self, *sessions: Sequence[Step] | Exception, groups: Collection[TagGroup]) -> None:
        self.groups = groups
        self.asked: list[list[str]] = []
        self.opened = self.closed = 0
        self.script = list(sessions)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Any]:
        self.opened += 1
        script = self.script.pop(0) if self.script else []
        if isinstance(script, Exception):
            raise script
        try:
            yield FakeSession(script, self.asked)
        finally:
            self.closed += 1
