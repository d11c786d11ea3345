"""Modbus in datagrams.

- A datagram answers the request under way or is dropped: late ones, copies and those of
  others change nothing. One that names its transaction and is no answer is refused.
- That nobody listens is known at the first request only; there is no connection.
"""

from pymodbus.client import AsyncModbusUdpClient
from pymodbus.client.base import ModbusBaseClient

from drivers.modbus.answer import BadAnswer
from drivers.modbus.client import Changed, ClientWire, MonoS, transport_of
from drivers.modbus.errors import UDP_HINTS
from drivers.modbus.exchange import Exchange
from drivers.modbus.framing import MBAP


class _Datagrams(Exchange):
    def handleFrame(  # noqa: N802 -- the library's name
        self, data: bytes, exp_devid: int, exp_tid: int
    ) -> tuple[int, None]:
        if data.startswith(self.transaction.to_bytes(2, "big")):
            used, _ = super().handleFrame(data, exp_devid, exp_tid)
            if not used:
                self.fail(BadAnswer(f"a datagram of {len(data)} bytes with part of an answer"))
        return len(data), None

    def unasked(self, data: bytes) -> int:
        return len(data)


class UdpWire(ClientWire):
    """A socket for datagrams to and from ``host:port`` only."""

    def __init__(self, host: str, port: int, *, mono_s: MonoS) -> None:
        super().__init__(f"{host}:{port}", MBAP, mono_s=mono_s, hints=UDP_HINTS)
        self._host, self._port = host, port

    async def _new_client(self, timeout_s: float, changed: Changed) -> ModbusBaseClient:
        client = AsyncModbusUdpClient(
            self._host,
            port=self._port,
            timeout=timeout_s,
            reconnect_delay=0,
            retries=0,
            trace_connect=changed,
        )
        # The library only notes that the host said nobody listens there.
        client.ctx.error_received = self._exchange.fail  # type: ignore[method-assign]
        return client

    def _new_exchange(self) -> Exchange:
        return _Datagrams(self._framing, self._mono_s)

    def _send(self, client: ModbusBaseClient, frame: bytes) -> None:
        transport_of(client).sendto(frame)  # type: ignore[attr-defined]
