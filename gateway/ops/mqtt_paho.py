"""A paho client over a stream of ours: made, and told to say CONNECT."""

import ssl
from typing import Any, Literal

from paho.mqtt.client import MQTT_CLEAN_START_FIRST_ONLY, Client, MQTTv5, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from gateway.ops.mqtt_stream import MqttStream
from gateway.ops.mqtt_terms import BrokerSettings, Session, Will, tls_context


class StreamClient(Client):
    """paho over a stream that is open already."""

    stream: MqttStream

    def _create_socket(self) -> Any:
        return self.stream


def new_client(
    settings: BrokerSettings, session: Session, will: Will | None, stream: MqttStream
) -> StreamClient:
    """Return a client that connects once, acknowledges by hand and queues nothing."""
    v5 = settings.protocol == "5"
    client = StreamClient(
        CallbackAPIVersion.VERSION2,
        client_id=session.client_id,
        clean_session=None if v5 else session.clean_start,
        protocol=MQTTv5 if v5 else MQTTv311,
        reconnect_on_failure=False,
        manual_ack=True,
    )
    client.stream = stream
    if will is not None:
        client.will_set(will.topic, will.payload, 1, will.retain)
    return client


def greet(client: Client, settings: BrokerSettings, session: Session) -> None:
    """Send CONNECT; the answer comes to ``client.on_connect``."""
    clean: bool | Literal[3] = MQTT_CLEAN_START_FIRST_ONLY  # all that 3.1.1 may be told
    properties = None
    if settings.protocol == "5":
        clean, properties = session.clean_start, connect_properties(session)
    client.connect(
        settings.host,
        settings.port,
        settings.keepalive_s,
        clean_start=clean,
        properties=properties,
    )


def connect_properties(session: Session) -> Properties:
    """Return what CONNECT says about the session."""
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.SessionExpiryInterval = session.expiry_s
    if session.receive_maximum is not None:
        properties.ReceiveMaximum = session.receive_maximum
    if session.max_packet_bytes is not None:
        properties.MaximumPacketSize = session.max_packet_bytes
    return properties


def secrets(settings: BrokerSettings) -> tuple[str | None, ssl.SSLContext | None]:
    """Return the password and what TLS needs; reads files, raises OSError."""
    password = None
    if settings.username is not None and settings.password_file is not None:
        password = settings.password_file.read_text(encoding="utf-8").strip()
    return password, None if settings.tls is None else tls_context(settings.tls)
