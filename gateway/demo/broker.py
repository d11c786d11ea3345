"""The demo's broker: the one asked for, or mosquitto where it is installed, else amqtt.

Loopback only, a free port, nothing kept. mosquitto is a child process; amqtt runs in this
one, speaks MQTT 3.1.1 and is for looking only: the demo says which of the two it uses.
"""

import asyncio
import errno
import logging
import os
import shutil
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from gateway.demo.errors import DemoError

HOST = "127.0.0.1"
_READY_TIMEOUT_S = 5.0
_POLL_S = 0.02
_TRIES = 5
_TAKEN = b"Address already in use"
_EXTRA_PLACES = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin")

Kind = Literal["mosquitto", "amqtt"]
Choice = Literal["auto", "mosquitto", "amqtt"]

_ADVICE: dict[Choice, tuple[str, str]] = {
    "auto": (
        "没有 MQTT 服务器:请安装 mosquitto,或执行 pip install millgate[demo]",
        "no MQTT broker: install mosquitto, or pip install millgate[demo]",
    ),
    "mosquitto": (
        "没有找到 mosquitto:请安装,或改用 --broker amqtt",
        "mosquitto is not installed: install it, or say --broker amqtt",
    ),
    "amqtt": (
        "没有安装 amqtt:请执行 pip install millgate[demo],或改用 --broker mosquitto",
        "amqtt is not installed: pip install millgate[demo], or say --broker mosquitto",
    ),
}


class _PortTaken(Exception):
    """Another program was quicker."""


@dataclass(frozen=True, slots=True)
class Broker:
    """A running broker."""

    kind: Kind
    port: int

    @property
    def protocol(self) -> Literal["5", "3.1.1"]:
        """The newest MQTT it speaks, as the configuration names it."""
        return "5" if self.kind == "mosquitto" else "3.1.1"


@asynccontextmanager
async def broker(
    directory: Path, choice: Choice = "auto", *, port: int = 0
) -> AsyncIterator[Broker]:
    """Run a broker for as long as the context lasts; its files go into ``directory``.

    ``port`` 0 is any that is free. Raises DemoError if what was chosen is not installed, or
    the port is taken.
    """
    program = None if choice == "amqtt" else _mosquitto()
    async with AsyncExitStack() as stack:
        if program is not None:
            running = await _started(stack, port, partial(_run_mosquitto, program, directory))
            yield Broker("mosquitto", running)
        elif choice != "mosquitto" and find_spec("amqtt") is not None:
            yield Broker("amqtt", await _started(stack, port, _run_amqtt))
        else:
            zh, en = _ADVICE[choice]
            raise DemoError(zh=zh, en=en)


async def _started(
    stack: AsyncExitStack, port: int, run: Callable[[int], AbstractAsyncContextManager[None]]
) -> int:
    """Start a broker on ``port``; one that was free a moment ago may be another's by now."""
    for _ in range(_TRIES):
        listened = _free_port(port)
        with suppress(_PortTaken):
            await stack.enter_async_context(run(listened))
            return listened
    raise DemoError(zh=f"端口 {listened} 已被占用", en=f"port {listened} is taken")


def _mosquitto() -> str | None:
    search = os.pathsep.join([os.environ.get("PATH", ""), *_EXTRA_PLACES])
    return shutil.which("mosquitto", path=search)


def _free_port(wanted: int) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # but not beside a listener
        try:
            probe.bind((HOST, wanted))
        except OSError as err:
            raise DemoError(
                zh=f"端口 {wanted} 不能使用:{err}", en=f"port {wanted} cannot be used: {err}"
            ) from err
        port: int = probe.getsockname()[1]
        return port


@asynccontextmanager
async def _run_mosquitto(program: str, directory: Path, port: int) -> AsyncIterator[None]:
    config = directory / "mosquitto.conf"
    config.write_text(
        f"listener {port} {HOST}\n"
        "allow_anonymous true\n"
        "persistence false\n"
        "max_queued_messages 0\n"
        "set_tcp_nodelay true\n"
        "log_type error\n"
        "log_type information\n"  # says when it runs: whoever answers may be another program
    )
    log_file = directory / "mosquitto.log"
    with log_file.open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            program,
            "-c",
            str(config),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C is for the demo, which ends its broker last
        )
    try:
        await _until_it_runs(process, log_file)
        yield
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()


async def _until_it_runs(process: asyncio.subprocess.Process, log: Path) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(_READY_TIMEOUT_S):
            while process.returncode is None:
                if _runs(_said(log)):
                    return
                await asyncio.sleep(_POLL_S)
    if _TAKEN in _said(log):
        raise _PortTaken
    raise DemoError(
        zh=f"mosquitto 启动失败(退出码 {process.returncode}),见 {log}",
        en=f"mosquitto did not start (exit code {process.returncode}), see {log}",
    )


def _said(log: Path) -> bytes:
    return log.read_bytes()


def _runs(said: bytes) -> bool:
    """Versions before 2 say that they open the port, and nothing more."""
    return b" running" in said or (b"mosquitto version 1." in said and b"Opening" in said)


@asynccontextmanager
async def _run_amqtt(port: int) -> AsyncIterator[None]:
    # an extra, and slow to import
    from amqtt.broker import Broker as Amqtt  # noqa: PLC0415
    from amqtt.errors import BrokerError  # noqa: PLC0415

    logging.getLogger("amqtt").setLevel(logging.CRITICAL)
    logging.getLogger("transitions").setLevel(logging.CRITICAL)
    server = Amqtt(
        {
            "listeners": {"default": {"type": "tcp", "bind": f"{HOST}:{port}"}},
            "plugins": {
                "amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}
            },
        }
    )
    try:
        await server.start()
    except BrokerError as err:
        cause = err.__cause__
        if isinstance(cause, OSError) and cause.errno == errno.EADDRINUSE:
            raise _PortTaken from err
        raise
    try:
        yield
    finally:
        await server.shutdown()
