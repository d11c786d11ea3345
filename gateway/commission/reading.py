"""Tags read again and again while a person looks, with what stands on the wire.

- A link that fails shows its reason at each of its tags and is opened again at the next
  round; the others are read on.
- A round that takes longer than the interval is followed at once by the next.
- Sessions are closed when the reading ends, however it ends.
"""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime

from drivers.contract import DriverError, Shared, close_shared
from drivers.probed import RawReading, ReadRaw, Said
from gateway.commission.probe import cause_of, said_of
from gateway.commission.target import NoTarget, Target
from gateway.ops.clock import SYSTEM_CLOCK, Clock

Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Row:
    """One tag of one round."""

    reading: RawReading
    why: Said | None
    """Why there is no value."""
    since: datetime
    """When it was first seen like this."""

    @property
    def quality(self) -> str:
        """``good`` or ``bad``."""
        return "good" if self.why is None else "bad"


Show = Callable[[Sequence[Row]], None]
"""Called with all tags after each round."""


async def read_rounds(
    targets: Sequence[Target],
    show: Show,
    *,
    sleep: Sleep,
    every_s: float = 1.0,
    rounds: int | None = None,
    clock: Clock = SYSTEM_CLOCK,
) -> bool:
    """Read so many rounds, or until cancelled; return whether the last was good all through.

    Raises NoTarget for a protocol that cannot be read like this.
    """
    for target in targets:
        if target.spec.read_raw is None:
            raise NoTarget("no_live_reading", protocol=target.spec.protocol)
    shared: dict[str, Shared] = {}
    readers = [_Reader(one, shared.setdefault(one.spec.protocol, {}), clock) for one in targets]
    rows: list[Row] = []
    done = 0
    try:
        while rounds is None or done < rounds:
            began_s = clock.mono_s()
            rows = [row for reader in readers for row in await reader.read()]
            show(rows)
            done += 1
            if done != rounds:
                await sleep(max(0.0, began_s + every_s - clock.mono_s()))
    finally:
        for reader in readers:
            await reader.close()
        for one in shared.values():
            close_shared(one)
    return all(row.why is None for row in rows)


@dataclass
class _Reader:
    """One link, open as long as it answers."""

    target: Target
    shared: Shared
    clock: Clock
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    _read: ReadRaw | None = None
    _last: dict[str, Row] = field(default_factory=dict)

    async def read(self) -> list[Row]:
        """Return the tags of this round."""
        try:
            if self._read is None:
                self._read = await self._open()
            readings = await self._read()
        except DriverError as err:
            await self.close()
            empty = (RawReading(tag.key, "", "", None, "no_link", 0.0) for tag in self.target.tags)
            return [self._row(reading, said_of(err)) for reading in empty]
        return [
            self._row(one, None if one.cause is None else cause_of(one.cause)) for one in readings
        ]

    async def close(self) -> None:
        """End the session, if there is one."""
        self._read = None
        await self._stack.aclose()

    async def _open(self) -> ReadRaw:
        target = self.target
        assert target.spec.read_raw is not None  # noqa: S101 - looked at before the first round
        way = target.spec.read_raw(target.settings, target.tags, self.shared)
        return await self._stack.enter_async_context(way)

    def _row(self, reading: RawReading, why: Said | None) -> Row:
        before = self._last.get(reading.key)
        same = before is not None and (before.reading.value, before.reading.cause) == (
            reading.value,
            reading.cause,
        )
        since = before.since if before is not None and same else self.clock.now()
        row = Row(reading, why, since)
        self._last[reading.key] = row
        return row
