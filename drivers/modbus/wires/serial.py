"""RTU and ASCII on a serial port of this machine.

- After a timeout, a cancelled wait or bytes that are no answer the line is left alone, for
  a whole timeout without a byte on it, and what came until then is dropped: no late answer
  can be taken for the next one. The port stays open.
- Between two frames there is the silence the standard asks for at this baud rate.
- timeout_ms is the device's: the time the bytes themselves take is added to it.
- The port is ours alone; one that somebody else has, or that this user may not open, is an
  error that says who has it, or who may.
- A device file that leads elsewhere than before is told to the log.
"""

import asyncio
import contextlib
import errno
import fcntl
import logging
import termios
from collections.abc import Callable
from typing import cast

from pymodbus.client import AsyncModbusSerialClient
from pymodbus.client.base import ModbusBaseClient
from pymodbus.transport.serialtransport import SerialTransport

from drivers.modbus.answer import BadAnswer, Question
from drivers.modbus.client import Changed, ClientWire, MonoS
from drivers.modbus.errors import SERIAL_HINTS, PortBusy, PortUnfit
from drivers.modbus.exchange import Exchange
from drivers.modbus.framing import ASCII, RTU
from drivers.modbus.settings_serial import AsciiSettings, SerialSettings
from drivers.modbus.wire import Reply, Request
from drivers.modbus.wires.ports import Port, holder_of, look, moved

_log = logging.getLogger(__name__)

_REQUEST_BYTES = 6
_ANSWER_BYTES = 3
_NOISE_LIMIT = 5
"""Silences a line may take to fall silent."""
_HELD = frozenset({errno.EAGAIN, errno.EBUSY})


class _Line(Exchange):
    """What is heard on the line, asked for or not."""

    heard_s = 0.0
    sent = b""
    drops_echo = False
    """Whether the adapter hands back what was sent, before the answer."""

    def handleFrame(  # noqa: N802 -- the library's name
        self, data: bytes, exp_devid: int, exp_tid: int
    ) -> tuple[int, None]:
        self.heard_s = self._mono_s()
        return super().handleFrame(data, exp_devid, exp_tid)

    def judge(self, data: bytes, question: Question, transaction: int) -> bytes | int | None:
        is_echo = self.sent.startswith(data[: len(self.sent)])
        if is_echo and self.drops_echo:
            return super().judge(data[len(self.sent) :], question, transaction)
        try:
            return super().judge(data, question, transaction)
        except BadAnswer as err:
            if is_echo:
                raise BadAnswer(
                    "what was sent came back; if it always does, set local_echo"
                ) from err
            raise

    def unasked(self, data: bytes) -> int:
        return len(data)


class SerialWire(ClientWire):
    """One serial port and the units on its line."""

    def __init__(
        self, link: SerialSettings, *, mono_s: MonoS, look: Callable[[str], Port] = look
    ) -> None:
        framing = ASCII if isinstance(link, AsciiSettings) else RTU
        self._link = link
        super().__init__(link.bus, framing, mono_s=mono_s, hints=SERIAL_HINTS)
        self._look = look
        self._port: Port | None = None
        self._busy_until_s = mono_s()
        self._quiet_s = 0.0

    def close(self) -> None:
        """Close the port, if it is open."""
        if self._client is not None and self._client.connected:
            with contextlib.suppress(OSError):  # it was unplugged
                fcntl.ioctl(_descriptor(self._client), termios.TIOCNXCL)
        super().close()

    async def _new_client(self, timeout_s: float, changed: Changed) -> ModbusBaseClient:
        port = await asyncio.to_thread(self._look, self._link.port)
        if self._port is not None and (what := moved(self._port, port)):
            _log.warning("serial port %s %s", self._link.port, what)
        self._port = port
        return AsyncModbusSerialClient(
            self._link.port,
            timeout=timeout_s,
            reconnect_delay=0,
            retries=0,
            trace_connect=changed,
        )

    async def _connect(self, client: ModbusBaseClient) -> None:
        link = self._link
        try:
            # As the library does, but without the turns of the loop in which a port that is
            # closed again would still be set up.
            transport = SerialTransport(
                asyncio.get_running_loop(),
                client.ctx,
                link.port,
                link.baudrate,
                link.data_bits,
                link.parity[0].upper(),
                link.stop_bits,
                0,
            )
        except OSError as err:
            if err.errno in _HELD:
                holder = await asyncio.to_thread(holder_of, self._port.device if self._port else "")
                raise PortBusy(f"in use by {holder or 'another program'}") from err
            raise
        except (ValueError, termios.error) as err:  # the latter is no OSError
            raise PortUnfit(str(err)) from err
        try:
            fcntl.ioctl(transport.sync_serial.fileno(), termios.TIOCEXCL)
        except OSError:
            transport.close()
            raise
        transport.setup()
        client.ctx.transport = transport

    def _new_exchange(self) -> Exchange:
        line = _Line(self._framing, self._mono_s)
        line.drops_echo = self._link.local_echo
        return line

    def _doubt(self, request: Request) -> None:
        self._quiet_s = max(request.timeout_s, self._link.quiet_ms / 1000, self._link.gap_s)
        self._busy_until_s = max(self._busy_until_s, self._mono_s())

    def _send(self, client: ModbusBaseClient, frame: bytes) -> None:
        client.ctx.recv_buffer = b""
        cast("_Line", self._exchange).sent = frame
        super()._send(client, frame)
        self._busy_until_s = self._mono_s() + len(frame) * self._link.character_s

    def _patience_s(self, request: Request) -> float:
        characters = self._framing.length(_REQUEST_BYTES) + self._framing.length(
            _ANSWER_BYTES + request.size
        )
        return request.timeout_s + characters * self._link.character_s

    async def _ask(self, request: Request) -> Reply:
        await self._silence()
        return await super()._ask(request)

    async def _silence(self) -> None:
        """Wait until the line has been silent long enough for the next request."""
        line = cast("_Line", self._exchange)
        silence_s = self._quiet_s or self._link.gap_s
        give_up_s = self._mono_s() + _NOISE_LIMIT * silence_s
        while (now_s := self._mono_s()) < self._free_s(line, silence_s):
            if now_s > give_up_s:
                raise BadAnswer("the line does not fall silent")
            await asyncio.sleep(self._free_s(line, silence_s) - now_s)
        self._quiet_s = 0.0
        line.is_spoilt = False

    def _free_s(self, line: _Line, silence_s: float) -> float:
        return max(line.heard_s, self._busy_until_s) + silence_s


def _descriptor(client: ModbusBaseClient) -> int:
    return int(cast("SerialTransport", client.ctx.transport).sync_serial.fileno())
