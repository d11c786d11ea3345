"""A consumer as a MES developer writes one: plain paho on a thread of its own, MQTT 5."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from paho.mqtt.client import Client, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

READY_S = 120.0


class Consumer:
    """Everything that came since it subscribed, in order; may be read while it grows."""

    def __init__(self) -> None:
        self.messages: list[MQTTMessage] = []
        self.cut_off = threading.Event()
        """The broker has gone; what it sent before is in ``messages``."""

    def retained(self) -> dict[str, bytes]:
        """Return topic -> payload of what the broker had kept for us."""
        return {one.topic: bytes(one.payload) for one in tuple(self.messages) if one.retain}


@contextmanager
def consuming(port: int, topic_filter: str, *, client_id: str) -> Iterator[Consumer]:
    """Subscribe with QoS 1 for as long as the context lasts."""
    consumer, subscribed = Consumer(), threading.Event()
    client = Client(CallbackAPIVersion.VERSION2, client_id=client_id, protocol=MQTTv5)

    def subscribe(*_: Any) -> None:
        client.subscribe(topic_filter, qos=1)

    def is_subscribed(*_: Any) -> None:
        subscribed.set()

    def keep(_client: Client, _user: Any, message: MQTTMessage) -> None:
        consumer.messages.append(message)

    def note_end(*_: Any) -> None:
        consumer.cut_off.set()

    client.on_disconnect = note_end
    client.on_connect = subscribe
    client.on_subscribe = is_subscribed
    client.on_message = keep
    client.connect("127.0.0.1", port)
    client.loop_start()
    try:
        assert subscribed.wait(READY_S), "the broker does not answer"
        yield consumer
    finally:
        client.disconnect()
        client.loop_stop()
