"""A TCP link that misbehaves on command, between a client and a real server.

Promises:

- With no fault set, every byte arrives, in order, both ways.
- A fault acts at once, also on the connections that are open.
- `Link.close` leaves no task and no socket behind.
"""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

CHUNK = 65536
HOLD_LOOK_S = 0.01
SLOW_CHUNK = 256


@dataclass(slots=True)
class Faults:
    """What the link does to what passes. All off: a good cable."""

    black_hole: bool = False
    """Bytes disappear both ways; connections stay open, new ones are accepted."""
    hold: bool = False
    """Nothing passes and nothing is lost: it waits, as behind a cable that is out for a while."""
    swallow_answers: bool = False
    """Only what comes from the server disappears."""
    delay_s: float = 0.0
    """Added to every chunk, both ways."""
    slices: bool = False
    """Chunks arrive as single bytes, each in a segment of its own if the system lets it."""
    bytes_per_s: float | None = None
    """How much passes, each way."""
    corrupt: Callable[[bytes], bytes] | None = None
    """Changes what comes from the server."""


@dataclass(slots=True)
class Link:
    """Listens on a free port of 127.0.0.1 and connects through to ``host:port``."""

    host: str
    port: int
    faults: Faults = field(default_factory=Faults)
    listening: int = 0
    """The port to connect to; 0 before `open`."""
    _server: asyncio.Server | None = field(default=None, init=False)
    _pairs: set[asyncio.Task[None]] = field(default_factory=set, init=False)

    async def open(self) -> Self:
        """Listen; on the same port again after `refuse`."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.listening)
        self.listening = self._server.sockets[0].getsockname()[1]
        return self

    async def refuse(self) -> None:
        """Refuse new connections until `open`; open ones live on."""
        if self._server is not None:
            self._server.close()
            await asyncio.sleep(0)  # the socket is closed in the loop's next turn
            self._server = None

    async def cut(self) -> None:
        """Reset every open connection; new ones are welcome."""
        for pair in set(self._pairs):
            pair.cancel()
        await asyncio.gather(*self._pairs, return_exceptions=True)

    async def close(self) -> None:
        """Refuse and cut."""
        await self.refuse()
        await self.cut()

    async def __aenter__(self) -> Self:
        return await self.open()

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a connection is served by a task
        self._pairs.add(task)
        try:
            await self._connect_through(reader, writer)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            self._pairs.discard(task)
            writer.transport.abort()

    async def _connect_through(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        far_reader, far_writer = await asyncio.open_connection(self.host, self.port)
        try:
            async with asyncio.TaskGroup() as both:
                there = both.create_task(self._pump(reader, far_writer, answers=False))
                back = both.create_task(self._pump(far_reader, writer, answers=True))
                await asyncio.wait({there, back}, return_when=asyncio.FIRST_COMPLETED)
                there.cancel()
                back.cancel()
        finally:
            far_writer.transport.abort()

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, answers: bool
    ) -> None:
        with contextlib.suppress(OSError):
            while chunk := await reader.read(CHUNK):
                if self.faults.delay_s:
                    await asyncio.sleep(self.faults.delay_s)
                while self.faults.hold:  # noqa: ASYNC110 -- anybody may set it
                    await asyncio.sleep(HOLD_LOOK_S)
                await self._pass_on(chunk, writer, answers=answers)

    async def _pass_on(self, chunk: bytes, writer: asyncio.StreamWriter, *, answers: bool) -> None:
        faults = self.faults
        if faults.black_hole or (answers and faults.swallow_answers):
            return
        if answers and faults.corrupt is not None:
            chunk = faults.corrupt(chunk)
        size = 1 if faults.slices else len(chunk) if faults.bytes_per_s is None else SLOW_CHUNK
        for start in range(0, len(chunk), size):
            piece = chunk[start : start + size]
            if faults.bytes_per_s is not None:
                await asyncio.sleep(len(piece) / faults.bytes_per_s)
            writer.write(piece)
            await writer.drain()
            if faults.slices:
                await asyncio.sleep(0)
