"""The other side of the local door, for the command line and the screens."""

import asyncio
import contextlib
from pathlib import Path
from typing import Any

import orjson

from gateway.control.configuring import MAX_BYTES, Reload, Restore, Wish, asked
from gateway.domain.commands import Reply
from gateway.domain.vocabulary import Json
from gateway.settings.outcome import Outcome
from gateway.settings.revision import Draft

TIMEOUT_S = 10.0
CHANGE_TIMEOUT_S = 120.0
"""A change is answered when its links have answered, or have not: `gateway.app.reconfigure`."""


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


async def apply(path: Path, draft: Draft) -> Outcome:
    """Change the configuration as a whole or not at all. Raises NoCollector."""
    return await _change(path, draft)


async def reload(path: Path, *, by: str, why: str = "") -> Outcome:
    """Take up the files as they lie on the disk. Raises NoCollector."""
    return await _change(path, Reload(by, why))


async def restore(path: Path, number: int, *, by: str, why: str = "") -> Outcome:
    """Put an earlier revision back and take it up. Raises NoCollector."""
    return await _change(path, Restore(number, by, why))


async def _change(path: Path, wish: Wish) -> Outcome:
    answer = await _ask(path, asked(wish), timeout_s=CHANGE_TIMEOUT_S)
    if "code" in answer:
        return Outcome.of(answer)
    reason = str(answer.get("error"))  # a question that was not even understood
    return Outcome("failed", 0, {"zh": reason, "en": reason})


async def _ask(path: Path, question: Json, *, timeout_s: float = TIMEOUT_S) -> dict[str, Any]:
    try:
        async with asyncio.timeout(timeout_s):
            reader, writer = await asyncio.open_unix_connection(path, limit=MAX_BYTES)
            with contextlib.closing(writer):
                writer.write(orjson.dumps(question) + b"\n")
                line = await reader.readline()
    except (OSError, TimeoutError) as err:
        raise NoCollector(path, str(err) or type(err).__name__) from err
    if not line:
        raise NoCollector(path, "the connection was closed")
    answer: dict[str, Any] = orjson.loads(line)
    return answer
