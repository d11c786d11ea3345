"""The demo's broker: the one asked for, or mosquitto where it is installed, else amqtt.

Loopback only, a free port, nothing kept. mosquitto is a child process; amqtt runs in this
one, speaks MQTT 3.1.1 and is for looking only: the demo says which of the two it uses.
"""

import asyncio
import logging
import os
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from gateway.demo.errors import DemoError

HOST = "127.0.0.1"
_READY_TIMEOUT_S = 5.0
_POLL_S = 0.02
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
    listened = _free_port(port)
    program = None if choice == "amqtt" else _mosquitto()
    if program is not None:
        async with _run_mosquitto(program, directory, listened):
            yield Broker("mosquitto", listened)
    elif choice != "mosquitto" and find_spec("amqtt") is not None:
        async with _run_amqtt(listened):
            yield Broker("amqtt", listened)
    else:
        zh, en = _ADVICE[choice]
        raise DemoError(zh=zh, en=en)


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
    )
    with (directory / "mosquitto.log").open("ab") as log:
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
        await _until_it_answers(process, port)
        yield
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()


async def _until_it_answers(process: asyncio.subprocess.Process, port: int) -> None:
    async with asyncio.timeout(_READY_TIMEOUT_S):
        while process.returncode is None:
            try:
                _, writer = await asyncio.open_connection(HOST, port)
            except OSError:
                await asyncio.sleep(_POLL_S)
                continue
            writer.close()
            await writer.wait_closed()
            return
    raise DemoError(
        zh=f"mosquitto 启动失败(退出码 {process.returncode}),见 mosquitto.log",
        en=f"mosquitto did not start (exit code {process.returncode}), see mosquitto.log",
    )


@asynccontextmanager
async def _run_amqtt(port: int) -> AsyncIterator[None]:
    from amqtt.broker import Broker as Amqtt  # noqa: PLC0415 - an extra, and slow to import

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
    await server.start()
    try:
        yield
    finally:
        await server.shutdown()
