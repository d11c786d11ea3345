"""The hot packets against paho's own reading and writing of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties, VariableByteIntegers

from gateway.ops.mqtt_packets import (
    Malformed,
    puback,
    publish,
    publish_properties,
    split,
    variable_length,
)

letters = st.characters(codec="utf-8", exclude_characters="\x00")  # MQTT 5.0, 1.5.4
texts = st.one_of(st.none(), st.text(letters, min_size=1, max_size=40))


@given(st.integers(0, 268_435_455))
def test_a_length_is_written_as_paho_reads_it(number: int) -> None:
    assert VariableByteIntegers.decode(variable_length(number))[0] == number  # type: ignore[no-untyped-call]


@given(texts, texts, st.one_of(st.none(), st.binary(max_size=200)), st.integers(0, 2**32 - 1))
def test_properties_are_read_back_by_paho(
    content_type: str | None, response: str | None, correlation: bytes | None, expiry_s: int
) -> None:
    packed = publish_properties(content_type, response, correlation, expiry_s)
    read = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    _, size = read.unpack(packed)  # type: ignore[no-untyped-call]
    assert size == len(packed)
    assert getattr(read, "ContentType", None) == content_type
    assert getattr(read, "ResponseTopic", None) == response
    assert getattr(read, "CorrelationData", None) == correlation
    assert getattr(read, "MessageExpiryInterval", None) == expiry_s


def test_a_publish_byte_for_byte() -> None:
    packet = publish(b"a/b", 0x0102, b"\x00", b"{}", retain=True)
    assert packet == bytes.fromhex("33 0a 0003 612f62 0102 00 7b7d")
    assert publish(b"a", 7, b"", b"", retain=False) == bytes.fromhex("32 05 0001 61 0007")


@pytest.mark.parametrize(
    ("packet", "said"),
    [
        ("40 02 0007", (7, 0)),
        ("40 03 0007 87", (7, 0x87)),
        ("40 04 ffff 10 00", (0xFFFF, 0x10)),
        ("40 84 01 0007 97 80 01" + "00" * 127, (7, 0x97)),
    ],
)
def test_a_puback_says_which_and_whether(packet: str, said: tuple[int, int]) -> None:
    assert puback(bytes.fromhex(packet)) == said


def test_a_puback_without_an_id_is_malformed() -> None:
    with pytest.raises(Malformed):
        puback(b"\x40\x01\x00")


@given(st.lists(st.binary(max_size=300), max_size=8), st.data())
def test_packets_are_whole_however_the_bytes_come(bodies: list[bytes], data: st.DataObject) -> None:
    packets = [b"\x30" + variable_length(len(body)) + body for body in bodies]
    stream = b"".join(packets)
    received, found = bytearray(), list[bytes]()
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        received += stream[:size]
        stream = stream[size:]
        found += split(received)
    assert found == packets
    assert not received


def test_an_endless_length_is_malformed() -> None:
    with pytest.raises(Malformed):
        split(bytearray(b"\x30\xff\xff\xff\xff\x01"))
