"""A DTU that dialled in, as a wire.

- What the DTU says by itself, its heartbeat and its registration, is dropped wherever it
  comes; anything else that nobody asked for spoils the connection.
- After a timeout, a cancelled wait or a bad answer the DTU is hung up on and dials in
  again: no late answer can be taken for the next one.
"""

from pymodbus.client import AsyncModbusTcpClient
from pymodbus.client.base import ModbusBaseClient

from drivers.contract import Shared
from drivers.modbus.answer import BadAnswer, Question
from drivers.modbus.client import Changed, ClientWire, MonoS
from drivers.modbus.errors import LISTEN_HINTS, Absence
from drivers.modbus.exchange import Exchange
from drivers.modbus.framing import MBAP, RTU
from drivers.modbus.settings_listen import ListenSettings, Packet
from drivers.modbus.wires.listener import Listener, without


class _Dtu(Exchange):
    """An exchange that knows what a DTU says by itself."""

    packets: tuple[Packet, ...] = ()

    def judge(self, data: bytes, question: Question, transaction: int) -> bytes | int | None:
        rest = without(data, self.packets)
        try:
            return super().judge(rest, question, transaction)
        except BadAnswer:
            if self._is_begun(rest):
                return None
            for packet in self.packets:
                if rest.endswith(packet.data):
                    return super().judge(rest.removesuffix(packet.data), question, transaction)
            raise

    def unasked(self, data: bytes) -> int:
        rest = without(data, self.packets)
        if not rest or self._is_begun(rest):
            return len(data) - len(rest)
        return super().unasked(data)

    def _is_begun(self, rest: bytes) -> bool:
        return any(packet.data.startswith(rest) for packet in self.packets)


class ListenWire(ClientWire):
    """The connection of one DTU, taken from the listener of its port."""

    def __init__(self, link: ListenSettings, listener: Listener, *, mono_s: MonoS) -> None:
        packets = (link.registration, link.heartbeat)
        self._packets = tuple(packet for packet in packets if packet is not None)
        framing = RTU if link.framing == "rtu" else MBAP
        super().__init__(link.bus, framing, mono_s=mono_s, hints=LISTEN_HINTS)
        self._listener = listener
        self._seat = listener.seat_for(link.registration)

    async def _new_client(self, timeout_s: float, changed: Changed) -> ModbusBaseClient:
        await self._listener.start()
        return AsyncModbusTcpClient(
            "", timeout=timeout_s, reconnect_delay=0, retries=0, trace_connect=changed
        )

    async def _connect(self, client: ModbusBaseClient) -> None:
        transport = await self._seat.take()
        transport.set_protocol(client.ctx)
        client.ctx.connection_made(transport)

    def _not_opened(self, timeout_s: float) -> Exception:
        del timeout_s
        stranger = self._listener.last_stranger
        other = f"; another one said {stranger}" if stranger else ""
        return Absence(f"no DTU with this registration has dialled in{other}")

    def _new_exchange(self) -> Exchange:
        exchange = _Dtu(self._framing, self._mono_s)
        exchange.packets = self._packets
        return exchange


def listener_of(link: ListenSettings, shared: Shared) -> Listener:
    """Return the listener of a port, the same one for every link with this mapping."""
    key = f"listener {link.host}:{link.port}"
    if key not in shared:
        shared[key] = Listener(link.host, link.port)
    listener = shared[key]
    assert isinstance(listener, Listener)  # noqa: S101 -- the mapping is ours, see ProtocolSpec
    return listener
