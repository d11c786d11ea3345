"""One connection to an MQTT broker, driven by the running event loop.

Promises:

- No thread and no queue of the library is used: a ``MqttLink`` is one connection, a new client
  each time, and what was not confirmed when it ends is the caller's to send again.
- ``publish()`` succeeds only on a PUBACK that says so; a refusal, a lost connection and a
  PUBACK that does not come within ``ack_timeout_s`` all fail it.
- A message that came in is acknowledged by ``ack()`` and by nothing else.
- ``lost`` resolves once, whatever ended the connection.
- Leaving the context disconnects cleanly; leaving it by an error drops the socket, so that the
  broker publishes the will.

MQTT 5 and 3.1.1. In 3.1.1 a broker cannot say that it refused a publish: see ``protocol``.
"""

import asyncio
import ssl
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Literal

from paho.mqtt.client import (
    MQTT_CLEAN_START_FIRST_ONLY,
    Client,
    ConnectFlags,
    DisconnectFlags,
    MQTTMessage,
    MQTTv5,
    MQTTv311,
)
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from gateway.ops.mqtt_pending import Pending, fail
from gateway.ops.mqtt_terms import (
    BrokerSettings,
    ConnectionLost,
    Denied,
    Message,
    MqttError,
    Refused,
    Session,
    TlsSettings,
    Unreachable,
    Will,
    connect_properties,
    publish_properties,
    read_message,
    tls_context,
)

__all__ = [
    "BrokerSettings",
    "ConnectionLost",
    "Denied",
    "Message",
    "MqttError",
    "MqttLink",
    "Refused",
    "Session",
    "TlsSettings",
    "Unreachable",
    "Will",
    "connect",
]

_TICK_S = 1.0
_RECEIVE_MAXIMUM = 65_535  # MQTT 5.0, 3.2.2.3.3: what an absent property means
_PACKETS_PER_WAKE = 200


@asynccontextmanager
async def connect(
    settings: BrokerSettings, session: Session, *, will: Will | None = None
) -> AsyncIterator["MqttLink"]:
    """Connect on enter, disconnect on exit. Raises Unreachable or Denied."""
    link = MqttLink(settings, session, will)
    await link.open()
    try:
        yield link
    except asyncio.CancelledError:
        link.disconnect()
        raise
    except BaseException:
        link.drop("left by an error")
        raise
    else:
        link.disconnect()


class MqttLink:
    """One connection. Obtained from ``connect()``; used from its event loop only."""

    def __init__(self, settings: BrokerSettings, session: Session, will: Will | None) -> None:
        self.lost: asyncio.Future[ConnectionLost] = asyncio.get_running_loop().create_future()
        """Resolves with the reason when the connection has ended, by whomever."""
        self.session_present = False
        """The broker had kept a session for our client id."""
        self.receive_maximum = _RECEIVE_MAXIMUM
        """How many unconfirmed publishes the broker allows us (MQTT 5)."""
        self._settings = settings
        self._session = session
        self._loop = asyncio.get_running_loop()
        self._ready: asyncio.Future[None] = self._loop.create_future()
        self._pending = Pending(self._loop, settings.ack_timeout_s)
        self._inbox: deque[Message] = deque()
        self._arrived = asyncio.Event()
        self._fd = -1
        self._timer: asyncio.TimerHandle | None = None
        self._client = self._build(will)

    async def open(self) -> None:
        """Connect and wait for the broker's answer. Called once, by ``connect()``."""
        settings = self._settings
        try:
            async with asyncio.timeout(3 * settings.connect_timeout_s):
                await asyncio.to_thread(self._connect_blocking)
                self._watch()
                await self._ready
        except TimeoutError as err:
            self.drop("no answer to CONNECT")
            raise Unreachable(f"{settings.host}:{settings.port}: no answer") from err
        except OSError as err:
            raise Unreachable(f"{settings.host}:{settings.port}: {err}") from err
        except BaseException:
            self.drop("not connected")
            raise

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        retain: bool = False,
        content_type: str | None = None,
        response_topic: str | None = None,
        correlation: bytes | None = None,
        expiry_s: int | None = None,
    ) -> asyncio.Future[None]:
        """Send with QoS 1; the future is done when the broker has confirmed it.

        It fails with Refused or ConnectionLost. What follows ``retain`` travels with MQTT 5
        only. Bounding what is under way (``receive_maximum``) is the caller's part.
        """
        self._raise_if_lost()
        properties = None
        if self._settings.protocol == "5":
            properties = publish_properties(content_type, response_topic, correlation, expiry_s)
        info = self._client.publish(topic, payload, 1, retain, properties)
        if info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            raise ConnectionLost(f"not sent: {info.rc.name}")
        return self._pending.add(info.mid)

    async def subscribe(self, filters: Sequence[str]) -> None:
        """Subscribe with QoS 1 and wait for the answer. Raises Refused, ConnectionLost."""
        self._raise_if_lost()
        topics: Any
        if self._settings.protocol == "5":
            topics = [(name, SubscribeOptions(qos=1)) for name in filters]
        else:
            topics = [(name, 1) for name in filters]
        rc, mid = self._client.subscribe(topics)
        if rc != MQTTErrorCode.MQTT_ERR_SUCCESS or mid is None:
            raise ConnectionLost(f"not subscribed: {rc.name}")
        await self._pending.add(mid)

    async def receive(self, limit: int) -> list[Message]:
        """Wait for messages and return up to ``limit`` of those that are here, in order.

        Raises ConnectionLost when there is none left and none can come.
        """
        while not self._inbox:
            self._raise_if_lost()
            self._arrived.clear()
            await self._arrived.wait()
        return [self._inbox.popleft() for _ in range(min(limit, len(self._inbox)))]

    def ack(self, message: Message) -> None:
        """Tell the broker that we have it. Nothing happens if the connection is gone."""
        if not self.lost.done():
            self._client.ack(message.mid, message.qos)

    def disconnect(self) -> None:
        """Say goodbye (the broker forgets the will) and close. Idempotent."""
        if not self.lost.done():
            self._client.disconnect()
            self._client.loop_write()
        self.drop("disconnected")

    def drop(self, reason: str) -> None:
        """Close the socket without a word; the broker publishes the will. Idempotent."""
        self._end(ConnectionLost(reason))
        self._unwatch()
        sock = self._client.socket()
        if sock is not None:
            sock.close()
            self._client.loop_read()  # finds the socket closed and lets go of it

    def _build(self, will: Will | None) -> Client:
        v5 = self._settings.protocol == "5"
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._session.client_id,
            clean_session=None if v5 else self._session.clean_start,
            protocol=MQTTv5 if v5 else MQTTv311,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        client.max_inflight_messages_set(0)  # else the 21st would wait in the library's queue
        client.connect_timeout = self._settings.connect_timeout_s
        if will is not None:
            client.will_set(will.topic, will.payload, 1, will.retain)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_publish = self._on_publish
        client.on_subscribe = self._on_subscribe
        return client

    def _connect_blocking(self) -> None:
        """Name look-up, TCP, TLS and the reading of secrets; raises OSError. On a thread."""
        settings, client = self._settings, self._client
        if settings.username is not None:
            password = None
            if settings.password_file is not None:
                password = settings.password_file.read_text(encoding="utf-8").strip()
            client.username_pw_set(settings.username, password)
        if settings.tls is not None:
            client.tls_set_context(tls_context(settings.tls))
        clean: bool | Literal[3] = MQTT_CLEAN_START_FIRST_ONLY  # all that 3.1.1 may be told
        properties = None
        if settings.protocol == "5":
            clean, properties = self._session.clean_start, connect_properties(self._session)
        client.connect(
            settings.host,
            settings.port,
            settings.keepalive_s,
            clean_start=clean,
            properties=properties,
        )
        sock = client.socket()
        if self.lost.done() and sock is not None:
            sock.close()  # nobody waits for this thread any more

    def _watch(self) -> None:
        client = self._client
        sock = client.socket()
        if sock is None:
            raise Unreachable(f"{self._settings.host}:{self._settings.port}: closed at once")
        self._fd = sock.fileno()
        client.on_socket_register_write = self._on_want_write
        client.on_socket_unregister_write = self._on_wrote
        client.on_socket_close = self._on_close
        self._loop.add_reader(self._fd, self._readable)
        if client.want_write():
            self._loop.add_writer(self._fd, client.loop_write)
        self._timer = self._loop.call_later(_TICK_S, self._tick)

    def _on_want_write(self, client: Client, _userdata: object, _sock: object) -> None:
        self._loop.add_writer(self._fd, client.loop_write)

    def _on_wrote(self, _client: Client, _userdata: object, _sock: object) -> None:
        self._loop.remove_writer(self._fd)

    def _on_close(self, _client: Client, _userdata: object, _sock: object) -> None:
        self._unwatch()

    def _unwatch(self) -> None:
        if self._fd >= 0:
            self._loop.remove_reader(self._fd)
            self._loop.remove_writer(self._fd)
            self._fd = -1

    def _readable(self) -> None:
        # The library reads one packet a call. Under TLS several may wait decrypted where the
        # event loop cannot see them, and in a backlog waking up for each one is what costs.
        for _ in range(_PACKETS_PER_WAKE):
            before = len(self._inbox)
            self._client.loop_read()
            if len(self._inbox) == before and not _decrypted(self._client.socket()):
                return

    def _tick(self) -> None:
        self._client.loop_misc()
        if self.lost.done():
            return
        if self._pending.is_overdue():
            self.drop(f"no acknowledgement within {self._settings.ack_timeout_s:g} s")
            return
        self._timer = self._loop.call_later(_TICK_S, self._tick)

    def _raise_if_lost(self) -> None:
        if self.lost.done():
            lost = self.lost.result()
            raise ConnectionLost(lost.reason, lost.reason_code)

    def _end(self, error: ConnectionLost) -> None:
        if self.lost.done():
            return
        self.lost.set_result(error)
        if self._timer is not None:
            self._timer.cancel()
        if not self._ready.done():
            fail(self._ready, error)
        self._pending.fail(error)
        self._arrived.set()

    def _on_connect(
        self,
        _client: Client,
        _userdata: object,
        flags: ConnectFlags,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        if self._ready.done():
            return
        if reason.is_failure:
            self._ready.set_exception(Denied(str(reason), reason.value))
            return
        self.session_present = flags.session_present
        self.receive_maximum = getattr(properties, "ReceiveMaximum", _RECEIVE_MAXIMUM)
        self._ready.set_result(None)

    def _on_disconnect(
        self,
        _client: Client,
        _userdata: object,
        flags: DisconnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        code = reason.value if flags.is_disconnect_packet_from_server else None
        self._end(ConnectionLost(str(reason), code))

    def _on_message(self, client: Client, _userdata: object, message: MQTTMessage) -> None:
        read = read_message(message)
        if read is None:
            client.ack(message.mid, message.qos)
            return
        self._inbox.append(read)
        self._arrived.set()

    def _on_publish(
        self,
        _client: Client,
        _userdata: object,
        mid: int,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        self._pending.answer(mid, [reason])

    def _on_subscribe(
        self,
        _client: Client,
        _userdata: object,
        mid: int,
        reasons: list[ReasonCode],
        _properties: Properties | None,
    ) -> None:
        self._pending.answer(mid, reasons)


def _decrypted(sock: object) -> bool:
    return isinstance(sock, ssl.SSLSocket) and sock.pending() > 0
