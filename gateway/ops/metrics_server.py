"""``GET /metrics`` over HTTP, and nothing else.

- What is asked for is gathered on the event loop, so the numbers are of one moment, and
  written down beside it.
- Who asks slowly, or for something else, costs a short-lived connection.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager

from gateway.ops.metrics import CONTENT_TYPE, Metric, text

PATH = "/metrics"
REQUEST_S = 5.0
"""So long a request and its answer may take."""
_MAX_REQUEST = 8192
_MAX_AT_ONCE = 8


@asynccontextmanager
async def serving(
    host: str, port: int, gather: Callable[[], Iterable[Metric]]
) -> AsyncIterator[int]:
    """Answer until the end; gives the port, which may have been 0. Raises OSError."""
    endpoint = _Endpoint(gather)
    server = await asyncio.start_server(endpoint.answer, host, port, limit=_MAX_REQUEST)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await endpoint.end()


class _Endpoint:
    def __init__(self, gather: Callable[[], Iterable[Metric]]) -> None:
        self._gather = gather
        self._answering: set[asyncio.Task[None]] = set()

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a connection is served by a task
        self._answering.add(task)
        try:
            if len(self._answering) <= _MAX_AT_ONCE:
                async with asyncio.timeout(REQUEST_S):
                    await self._answer(reader, writer)
        except asyncio.CancelledError:
            pass  # by `end`; asyncio logs a cancelled callback as a defect
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            self._answering.discard(task)
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        method, _, rest = request.partition(b"\r\n")[0].partition(b" ")
        path = rest.partition(b" ")[0].partition(b"?")[0]
        if path != PATH.encode():
            answer = _response("404 Not Found", b"see /metrics\n")
        elif method not in (b"GET", b"HEAD"):
            answer = _response("405 Method Not Allowed", b"GET only\n")
        else:
            answer = _response("200 OK", await self._page(), head=method == b"HEAD")
        writer.write(answer)
        await writer.drain()

    async def _page(self) -> bytes:
        return await asyncio.to_thread(text, list(self._gather()))

    async def end(self) -> None:
        for task in self._answering:
            task.cancel()
        await asyncio.gather(*self._answering, return_exceptions=True)


def _response(status: str, body: bytes, *, head: bool = False) -> bytes:
    lines = [
        f"HTTP/1.1 {status}",
        f"Content-Type: {CONTENT_TYPE}",
        f"Content-Length: {len(body)}",
        "Connection: close",
        "",
        "",
    ]
    return "\r\n".join(lines).encode() + (b"" if head else body)
