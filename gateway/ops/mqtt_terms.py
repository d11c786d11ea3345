"""The words of an MQTT connection: settings, errors, messages."""

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from paho.mqtt.client import MQTTMessage

CLOSED = 0x00
"""Of ConnectionLost: the far side closed the connection without a word."""
TAKEN_OVER = 0x8E
"""DISCONNECT: somebody else connected with our client id."""
TOO_LARGE = 0x95
"""DISCONNECT, and of mosquitto PUBACK: a packet larger than the broker takes."""


class MqttError(Exception):
    """What can go wrong between us and a broker.

    * MqttError
      + Unreachable    no connection: wait, try again (address, firewall, TLS)
      + Denied         the broker answered CONNECT with no: account, client id, protocol
      + Refused        the broker answered one publish or subscribe with no (ACL, quota)
      + ConnectionLost what was not confirmed must be sent again
    """

    def __init__(self, reason: str, reason_code: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.reason_code = reason_code
        """The MQTT reason code, where the broker gave one."""


class Unreachable(MqttError):
    """No connection could be made."""


class Denied(MqttError):
    """The broker does not let us in."""


class Refused(MqttError):
    """The broker refused one message or subscription."""


class ConnectionLost(MqttError):
    """The connection is gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsSettings:
    """``ca_file`` None: the system's authorities. The host name is always checked."""

    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerSettings:
    """Where the broker is and who we are to it. The password is read at each connect."""

    host: str = "127.0.0.1"
    port: int = 1883
    protocol: Literal["5", "3.1.1"] = "5"
    username: str | None = None
    password_file: Path | None = None
    tls: TlsSettings | None = None
    keepalive_s: int = 15
    connect_timeout_s: float = 5.0
    ack_timeout_s: float = 10.0

    @property
    def name(self) -> str:
        """What it is called in logs and in the health."""
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Will:
    """What the broker publishes (QoS 1) when we vanish."""

    topic: str
    payload: bytes
    retain: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What the broker keeps for ``client_id`` between connections.

    ``receive_maximum`` bounds the messages the broker sends us unacknowledged,
    ``max_packet_bytes`` the size of one: it drops what is larger (MQTT 5).
    """

    client_id: str
    clean_start: bool = True
    expiry_s: int = 0
    receive_maximum: int | None = None
    max_packet_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message that came in; the last three exist in MQTT 5 only."""

    topic: str
    payload: bytes
    qos: int
    retain: bool
    mid: int
    content_type: str | None = None
    response_topic: str | None = None
    correlation: bytes | None = None
    expiry_s: int | None = None
    """What is left of the message's life, as the broker counts it."""


def read_message(message: MQTTMessage) -> Message | None:
    """Return what came in; None if its topic is no text, which no broker may pass on."""
    try:
        topic = message.topic
    except UnicodeDecodeError:
        return None
    extra = message.properties
    return Message(
        topic=topic,
        payload=bytes(message.payload),
        qos=message.qos,
        retain=message.retain,
        mid=message.mid,
        content_type=getattr(extra, "ContentType", None),
        response_topic=getattr(extra, "ResponseTopic", None),
        correlation=getattr(extra, "CorrelationData", None),
        expiry_s=getattr(extra, "MessageExpiryInterval", None),
    )


def tls_context(settings: TlsSettings) -> ssl.SSLContext:
    """Return what checks the broker's certificate and name. Raises OSError."""
    context = ssl.create_default_context(cafile=settings.ca_file)
    if settings.cert_file is not None:
        context.load_cert_chain(settings.cert_file, settings.key_file)
    return context
