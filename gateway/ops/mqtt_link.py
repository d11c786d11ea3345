"""One connection to an MQTT broker, driven by the running event loop.

Promises:

- No thread and no queue of the library is used: a ``MqttLink`` is one connection, a new client
  each time, and what was not confirmed when it ends is the caller's to send again.
- paho speaks the protocol; a publish and its PUBACK, of which there are many, go around it,
  either way.
- ``publish()`` succeeds only on a PUBACK that says so; a refusal, a lost connection and a
  PUBACK that does not come within ``ack_timeout_s`` all fail it.
- A packet larger than the broker says it takes is refused here: there it would end the
  connection.
- A message that came in is acknowledged by ``ack()`` and by nothing else. Of messages with
  QoS 0, which nothing holds back, what is too much is dropped and counted: `mqtt_inbox`.
- ``lost`` resolves once, whatever ended the connection.
- Leaving the context disconnects cleanly; leaving it by an error drops the socket, so that the
  broker publishes the will.

MQTT 5 and 3.1.1. In 3.1.1 a broker cannot say that it refused a publish: see ``protocol``.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from gateway.ops import mqtt_packets
from gateway.ops.mqtt_inbox import Inbox
from gateway.ops.mqtt_packets import publish_properties
from gateway.ops.mqtt_paho import greet, new_client, secrets
from gateway.ops.mqtt_pending import Pending, fail
from gateway.ops.mqtt_received import read_publish
from gateway.ops.mqtt_stream import MqttStream, open_stream, told
from gateway.ops.mqtt_terms import (
    CLOSED,
    TOO_LARGE,
    BrokerSettings,
    ConnectionLost,
    Denied,
    Message,
    Refused,
    Session,
    Unreachable,
    Will,
    read_message,
)

_TICK_S = 1.0
_RECEIVE_MAXIMUM = 65_535  # MQTT 5.0, 3.2.2.3.3: what an absent property means


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
        self.max_packet_bytes: int | None = None
        """The largest packet the broker takes, where it says so (MQTT 5)."""
        self._settings = settings
        self._v5 = settings.protocol == "5"
        self._session = session
        self._loop = asyncio.get_running_loop()
        self._ready: asyncio.Future[None] = self._loop.create_future()
        self._pending = Pending(self._loop, settings.ack_timeout_s)
        self._inbox = Inbox()
        self._timer: asyncio.TimerHandle | None = None
        self._stream = MqttStream(self._pending.answer, self._on_publish, self._on_bytes)
        self._client = new_client(settings, session, will, self._stream)
        self._listen()

    @property
    def dropped(self) -> int:
        """Messages that came in with QoS 0 and found the inbox full."""
        return self._inbox.dropped

    async def open(self) -> None:
        """Connect and wait for the broker's answer. Called once, by ``connect()``."""
        settings = self._settings
        try:
            async with asyncio.timeout(3 * settings.connect_timeout_s):
                await self._connect()
                await self._ready
        except TimeoutError as err:
            self.drop("no answer to CONNECT")
            raise Unreachable(f"{settings.host}:{settings.port}: no answer") from err
        except OSError as err:
            raise Unreachable(f"{settings.host}:{settings.port}: {told(err)}") from err
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
        if self.lost.done():
            self._raise_if_lost()
        properties = b""
        if self._v5:
            properties = publish_properties(content_type, response_topic, correlation, expiry_s)
        mid, confirmed = self._pending.publish(len(payload))
        packet = mqtt_packets.publish(topic.encode(), mid, properties, payload, retain=retain)
        if self.max_packet_bytes is not None and len(packet) > self.max_packet_bytes:
            most = f"the {self.max_packet_bytes} the broker takes"
            reason = f"{len(packet)} bytes are more than {most}"
            self._pending.refuse(mid, Refused(reason, TOO_LARGE))
        else:
            self._stream.write(packet)
        return confirmed

    def on_published(self, tell: Callable[[Sequence[float]], None]) -> None:
        """Call ``tell`` when publishes wait no more, whatever became of them.

        It hears when each of them was asked, in the loop's time; of those that were answered
        together in one call. Called once.
        """
        self._pending.on_published = tell

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
        await self._pending.subscribe(mid)

    async def receive(self, limit: int) -> list[Message]:
        """Wait for messages and return up to ``limit`` of those that are here, in order.

        Raises ConnectionLost when there is none left and none can come.
        """
        while not self._inbox:
            self._raise_if_lost()
            await self._inbox.changed()
        return self._inbox.take(limit)

    def ack(self, message: Message) -> None:
        """Tell the broker that we have it. Nothing happens if the connection is gone."""
        if message.qos and not self.lost.done():
            self._stream.write(mqtt_packets.confirmation(message.mid))

    def disconnect(self) -> None:
        """Say goodbye (the broker forgets the will) and close. Idempotent."""
        if not self.lost.done():
            self._client.disconnect()
            self._client.loop_write()
            self._stream.close()
        self._end(ConnectionLost("disconnected"))

    def drop(self, reason: str) -> None:
        """Close the socket without a word; the broker publishes the will. Idempotent."""
        self._end(ConnectionLost(reason))
        self._stream.abort()
        self._client.loop_read()  # finds the stream ended and lets go of it

    def _listen(self) -> None:
        client = self._client
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_subscribe = self._on_subscribe

    async def _connect(self) -> None:
        """Name look-up, TCP, TLS, secrets, CONNECT; raises OSError."""
        settings, client = self._settings, self._client
        password, context = await asyncio.to_thread(secrets, settings)
        if settings.username is not None:
            client.username_pw_set(settings.username, password)
        await open_stream(
            self._stream, settings.host, settings.port, context, settings.connect_timeout_s
        )
        greet(client, settings, self._session)
        self._timer = self._loop.call_later(_TICK_S, self._tick)

    def _on_bytes(self) -> None:
        client = self._client
        client.loop_read()
        while self._stream.has_packets:
            client.loop_read()
        if client.want_write():
            client.loop_write()  # what was answered within a callback

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
        self._inbox.wake()

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
        self.max_packet_bytes = getattr(properties, "MaximumPacketSize", None)
        self._ready.set_result(None)

    def _on_disconnect(
        self,
        _client: Client,
        _userdata: object,
        flags: DisconnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        if flags.is_disconnect_packet_from_server:
            self._end(ConnectionLost(str(reason), reason.value))
        else:
            self._end(ConnectionLost("the connection was closed", CLOSED))

    def _on_message(self, client: Client, _userdata: object, message: MQTTMessage) -> None:
        read = read_message(message)
        if read is None:
            client.ack(message.mid, message.qos)
        else:
            self._inbox.put(read)

    def _on_publish(self, packet: bytes) -> None:
        """Keep a message that came in, or raise Unusual: then it comes by `_on_message`."""
        self._inbox.put(read_publish(packet, v5=self._v5))

    def _on_subscribe(
        self,
        _client: Client,
        _userdata: object,
        mid: int,
        reasons: list[ReasonCode],
        _properties: Properties | None,
    ) -> None:
        self._pending.answer([(mid, max(reason.value for reason in reasons))])
