"""What comes in, read without paho: against what paho and we write."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from gateway.ops.mqtt_packets import publish, publish_properties, variable_length
from gateway.ops.mqtt_received import Unusual, read_publish

letters = st.characters(codec="utf-8", exclude_characters="\x00")  # MQTT 5.0, 1.5.4
topics = st.text(letters, min_size=1, max_size=60)
texts = st.one_of(st.none(), st.text(letters, min_size=1, max_size=200))
correlations = st.one_of(st.none(), st.binary(max_size=200))
expiries = st.one_of(st.none(), st.integers(0, 2**32 - 1))


@given(topics, st.integers(1, 0xFFFF), st.binary(max_size=400), st.booleans())
def test_a_message_of_the_older_protocol(topic: str, mid: int, body: bytes, retain: bool) -> None:
    packet = publish(topic.encode(), mid, b"", body, retain=retain)
    read = read_publish(packet, v5=False)
    assert (read.topic, read.mid, read.payload, read.retain, read.qos) == (
        topic,
        mid,
        body,
        retain,
        1,
    )


@given(texts, texts, correlations, expiries, st.binary(max_size=100))
def test_a_message_with_all_that_travels_beside_it(
    content: str | None,
    response: str | None,
    correlation: bytes | None,
    expiry: int | None,
    body: bytes,
) -> None:
    properties = publish_properties(content, response, correlation, expiry)
    read = read_publish(publish(b"a/b", 7, properties, body, retain=False), v5=True)
    assert (read.content_type, read.response_topic) == (content, response)
    assert (read.correlation, read.expiry_s, read.payload) == (correlation, expiry, body)


def packed(**values: object) -> bytes:
    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    for name, value in values.items():
        setattr(properties, name, value)
    return bytes(properties.pack())  # type: ignore[no-untyped-call]


def test_properties_as_paho_writes_them() -> None:
    properties = packed(PayloadFormatIndicator=1, ContentType="text/plain", ResponseTopic="x/y")
    read = read_publish(publish(b"a", 1, properties, b"!", retain=False), v5=True)
    assert (read.content_type, read.response_topic, read.payload) == ("text/plain", "x/y", b"!")


def test_a_message_without_a_confirmation() -> None:
    body = b"\x00\x01ahello"
    read = read_publish(b"\x31" + variable_length(len(body)) + body, v5=False)
    assert (read.qos, read.mid, read.retain, read.payload) == (0, 0, True, b"hello")


@pytest.mark.parametrize(
    "packet",
    [
        publish(b"", 1, packed(TopicAlias=3), b"x", retain=False),
        publish(b"a", 1, packed(UserProperty=("a", "b")), b"x", retain=False),
        publish(b"\xff", 1, b"\x00", b"x", retain=False),
        b"\x34" + publish(b"a", 1, b"\x00", b"x", retain=False)[1:],
        publish(b"a", 1, b"", b"", retain=False),
        b"\x32\x03\x00\x09a",
    ],
)
def test_what_is_unusual_is_left_to_paho(packet: bytes) -> None:
    with pytest.raises(Unusual):
        read_publish(packet, v5=True)


@given(st.binary(min_size=2, max_size=60), st.booleans())
def test_garbage_is_unusual_or_a_message(garbage: bytes, v5: bool) -> None:
    with contextlib.suppress(Unusual):
        read_publish(b"\x32" + variable_length(len(garbage)) + garbage, v5=v5)
