"""The promises of `drivers.modbus.frames`."""

import struct
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.modbus.answer import BadAnswer
from drivers.modbus.frames import TRANSACTIONS, Frames, Mbap, OneByOne
from drivers.modbus.framing import RTU
from drivers.modbus.wire import Request

THREE = (
    Request(unit=5, table="hr", start=0, count=2, timeout_s=1),
    Request(unit=5, table="coil", start=9, count=3, timeout_s=1),
    Request(unit=5, table="ir", start=7, count=1, timeout_s=1),
)
DATA = (b"\x01\x02\x03\x04", b"\x05", b"\x06\x07")


def frame(transaction: int, pdu: bytes, unit: int = 5) -> bytes:
    return struct.pack(">HHHB", transaction, 0, len(pdu) + 1, unit) + pdu


def good(first: int) -> list[bytes]:
    return [
        frame((first + i - 1) % TRANSACTIONS + 1, bytes([function, len(data)]) + data)
        for i, (function, data) in enumerate(zip((3, 1, 4), DATA, strict=True))
    ]


def judged(frames: Frames, received: bytes, requests: Sequence[Request], first: int = 1) -> object:
    """Return the answers, or BadAnswer itself."""
    try:
        return frames.answers(received, requests, first)
    except BadAnswer:
        return BadAnswer


def test_questions_go_out_in_order_each_under_its_transaction() -> None:
    sent = Mbap().questions(THREE, TRANSACTIONS - 1)
    assert sent == b"".join(
        frame(transaction, struct.pack(">BHH", function, start, count))
        for transaction, function, start, count in (
            (65534, 3, 0, 2),
            (65535, 1, 9, 3),
            (1, 4, 7, 1),
        )
    )


@given(st.integers(1, TRANSACTIONS))
def test_answers_in_order_are_taken(first: int) -> None:
    received = b"".join(good(first))
    assert Mbap().answers(received, THREE, first) == ([*DATA], len(received))


@given(st.integers(0, 60))
def test_what_is_complete_is_taken_and_the_rest_waited_for(length: int) -> None:
    frames = good(1)
    received = b"".join(frames)[:length]
    ends = [len(b"".join(frames[: i + 1])) for i in range(3)]
    complete = sum(end <= length for end in ends)
    assert Mbap().answers(received, THREE, 1) == (
        [*DATA[:complete]],
        ends[complete - 1] if complete else 0,
    )


def test_a_refusal_between_answers_is_its_code() -> None:
    first, _, third = good(1)
    refused = frame(2, b"\x81\x06")
    received = first + refused + third
    assert Mbap().answers(received, THREE, 1) == ([DATA[0], 6, DATA[2]], len(received))


@pytest.mark.parametrize("order", [(1, 0, 2), (0, 2, 1), (2, 1, 0), (0, 0, 1), (1, 1, 1)])
def test_answers_out_of_order_are_refused(order: tuple[int, ...]) -> None:
    frames = good(1)
    with pytest.raises(BadAnswer):
        Mbap().answers(b"".join(frames[i] for i in order), THREE, 1)


@given(st.binary(min_size=1, max_size=40))
def test_nothing_may_follow_the_last(more: bytes) -> None:
    with pytest.raises(BadAnswer, match="follow"):
        Mbap().answers(b"".join(good(1)) + more, THREE, 1)


@given(st.data())
def test_one_wrong_byte_in_a_header_is_never_taken(data: st.DataObject) -> None:
    """The data themselves bear no checksum in Modbus TCP."""
    frames = good(1)
    received = bytearray(b"".join(frames))
    starts = [0, len(frames[0]), len(frames[0] + frames[1])]
    at = data.draw(st.sampled_from(starts)) + data.draw(st.integers(0, 8))
    received[at] ^= data.draw(st.integers(1, 255))
    found = judged(Mbap(), bytes(received), THREE)
    if found is not BadAnswer:
        assert isinstance(found, tuple)
        taken, _ = found
        assert len(taken) < 3 or any(type(answer) is int for answer in taken)


@given(st.binary(max_size=300))
def test_whatever_comes_only_badanswer_is_raised(received: bytes) -> None:
    for frames, requests in ((Mbap(), THREE), (OneByOne(RTU), THREE[:1])):
        found = judged(frames, received, requests)
        assert found is BadAnswer or isinstance(found, tuple)


def test_a_framing_without_transactions_is_asked_one_by_one() -> None:
    frames, request = OneByOne(RTU), THREE[:1]
    assert not frames.may_overlap
    assert frames.questions(request, 1) == RTU.wrap(request[0].body, 1)
    with pytest.raises(ValueError, match="too many"):
        frames.questions(THREE, 1)
