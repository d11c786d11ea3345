"""The other side of the local door, for the command line and the screens."""

import asyncio
import contextlib
from pathlib import Path
from typing import Any

import orjson

from gateway.domain.commands import Reply
from gateway.domain.vocabulary import Json

TIMEOUT_S = 10.0


class NoCollector(Exception):
    """Nobody answers at the socket."""

    def __init__(self, path: Path, reason: str) -> None:
        """Say where and why."""
        super().__init__(f"{path}: {reason}; is the collector running?")
        self.path = path


async def order(path: Path, equipment: str, content: Json) -> Reply:
    """Put an order in force; ``content`` is that of ``cmd/order``. Raises NoCollector."""
    return await command(path, equipment, "order", content)


async def command(path: Path, equipment: str, name: str, content: Json) -> Reply:
    """Ask what ``cmd/<name>`` asks, with its content. Raises NoCollector."""
    answer = await _ask(path, {"equipment": equipment, name: content})
    return Reply(accepted=answer["accepted"], seq=answer["seq"], error=answer["error"])


async def retire(path: Path, equipment: str) -> Reply:
    """Let an equipment go for good. Raises NoCollector."""
    answer = await _ask(path, {"equipment": equipment, "retire": True})
    return Reply(accepted=answer["accepted"], error=answer["error"])


async def _ask(path: Path, question: Json) -> dict[str, Any]:
    try:
        async with asyncio.timeout(TIMEOUT_S):
            reader, writer = await asyncio.open_unix_connection(path)
            with contextlib.closing(writer):
                writer.write(orjson.dumps(question) + b"\n")
                line = await reader.readline()
    except (OSError, TimeoutError) as err:
        raise NoCollector(path, str(err) or type(err).__name__) from err
    if not line:
        raise NoCollector(path, "the connection was closed")
    answer: dict[str, Any] = orjson.loads(line)
    return answer
