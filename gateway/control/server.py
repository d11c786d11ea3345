"""The local door: a Unix socket that only the gateway's own user can open.

One JSON object a line asks, one line answers. A line that cannot be obeyed is answered
with the reason; nothing a client sends ends the server.
"""

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import orjson

from gateway.control.commands import Control
from gateway.control.configuring import ASK, MAX_BYTES, wish_of
from gateway.domain.commands import Command, Reply
from gateway.domain.vocabulary import Json
from gateway.wire import command, fields
from gateway.wire.error import WireError

MAX_LINE_BYTES = MAX_BYTES
OWNER_ONLY = 0o600
_log = logging.getLogger(__name__)


@asynccontextmanager
async def listening(path: Path, control: Control) -> AsyncIterator[None]:
    """Answer commands on ``path`` for as long as the context lasts.

    Where no socket can be made (the path is too long, the file system has none) the
    gateway works without and says so.
    """
    listener = _bind(path)
    if listener is None:
        yield
        return
    accepting = asyncio.create_task(_accept(listener, control), name="control")
    try:
        yield
    finally:
        accepting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await accepting
        listener.close()
        _remove(path)


def _bind(path: Path) -> socket.socket | None:
    _remove(path)  # what a killed process left
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listener.bind(str(path))
        path.chmod(OWNER_ONLY)
        listener.listen()
    except OSError as err:
        listener.close()
        _log.warning("no local commands: %s: %s", path, err)
        return None
    listener.settimeout(0)
    return listener


async def _accept(listener: socket.socket, control: Control) -> None:
    loop = asyncio.get_running_loop()
    async with asyncio.TaskGroup() as conversations:
        while True:
            connection, _ = await loop.sock_accept(listener)
            conversations.create_task(_serve(connection, control), name="control.client")


async def _serve(connection: socket.socket, control: Control) -> None:
    reader, writer = await asyncio.open_unix_connection(sock=connection, limit=MAX_LINE_BYTES)
    try:
        await _converse(reader, writer, control)
    except ConnectionError:
        return  # the client left; there is nobody to answer
    finally:
        writer.close()


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)


async def _converse(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, control: Control
) -> None:
    while True:
        try:
            line = await reader.readline()
        except ValueError:
            await _answer(writer, Reply(accepted=False, error="the line is too long"))
            return
        if not line:
            return
        await _answer(writer, await _obey(line, control))


async def _obey(line: bytes, control: Control) -> Reply | Json:
    try:
        asked = fields.json_object(line)
        if ASK in asked:
            return (await control.change(wish_of(fields.typed(asked, ASK, dict)))).data()
        equipment = fields.text(asked, "equipment")
        if asked.get("retire") is True:
            return await control.retire(equipment)
        wanted = _command(asked)
    except WireError as err:
        return Reply(accepted=False, error=str(err))
    return await control.submit(equipment, wanted)


def _command(asked: Json) -> Command:
    """Return the command under the one key that names it."""
    named = [name for name in command.COMMANDS if name in asked]
    if len(named) != 1:
        raise WireError(f"name one of {', '.join(command.COMMANDS)}")
    return command.COMMANDS[named[0]](fields.typed(asked, named[0], dict))


async def _answer(writer: asyncio.StreamWriter, reply: Reply | Json) -> None:
    writer.write(orjson.dumps(reply) + b"\n")
    await writer.drain()
