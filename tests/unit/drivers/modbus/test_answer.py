import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.modbus.answer import BadAnswer, Question, judge

TID = 7
QUESTION = Question(unit=3, function=3, size=4)
GOOD = bytes.fromhex("0007 0000 0007 03 03 04 01020304")


def frame(pdu: bytes, *, tid: int = TID, protocol: int = 0, unit: int = 3) -> bytes:
    return struct.pack(">HHHB", tid, protocol, len(pdu) + 1, unit) + pdu


def test_the_answer_is_its_data() -> None:
    assert judge(GOOD, QUESTION, TID) == bytes.fromhex("01020304")


def test_a_refusal_is_its_code() -> None:
    assert judge(frame(b"\x83\x02"), QUESTION, TID) == 2


@pytest.mark.parametrize("length", range(len(GOOD)))
def test_part_of_an_answer_is_waited_for(length: int) -> None:
    assert judge(GOOD[:length], QUESTION, TID) is None


@pytest.mark.parametrize(
    ("received", "says"),
    [
        (frame(b"\x03\x02\x01\x02"), "an answer of 5 bytes"),
        (frame(b"\x03\x06" + bytes(6)), "an answer of 9 bytes"),
        (frame(b"\x03\x03\x01\x02\x03"), "an answer of 6 bytes"),
        (frame(b"\x03\x02\x01\x02\x03\x04"), "counted as 2"),
        (frame(b"\x03\x06\x01\x02\x03\x04"), "counted as 6"),
        (frame(b"\x04\x04\x01\x02\x03\x04"), "function code 4"),
        (frame(b"\x84\x02"), "function code 132"),
        (frame(b"\x03\x02"), "0 data bytes"),
        (frame(b"\x83\x02\x01\x02\x03\x04"), "function code 131"),
        (frame(b"\x03\x04\x01\x02\x03\x04", unit=4), "unit 4 answered"),
        (frame(b"\x83\x02", unit=4), "unit 4 answered"),
        (frame(b"\x03\x04\x01\x02\x03\x04", tid=6), "transaction 6"),
        (frame(b"\x03\x04\x01\x02\x03\x04", tid=0), "transaction 0"),
        (frame(b"\x03\x04\x01\x02\x03\x04", protocol=1), "protocol id 1"),
        (GOOD + b"\x00", "1 bytes follow"),
        (GOOD + GOOD, "13 bytes follow"),
        (b"HTTP/1.1 400 Bad Request\r\n", "not Modbus"),
    ],
)
def test_anything_else_is_refused(received: bytes, says: str) -> None:
    with pytest.raises(BadAnswer, match=says):
        judge(received, QUESTION, TID)


def test_a_wrong_header_is_refused_before_the_rest_arrives() -> None:
    with pytest.raises(BadAnswer):
        judge(frame(bytes(200))[:6], QUESTION, TID)


def test_transaction_zero_is_taken_only_where_it_was_allowed() -> None:
    lenient = Question(3, 3, 4, accept_transaction_zero=True)
    pdu = b"\x03\x04\x01\x02\x03\x04"
    assert judge(frame(pdu, tid=0), lenient, TID) == b"\x01\x02\x03\x04"
    with pytest.raises(BadAnswer):
        judge(frame(pdu, tid=6), lenient, TID)


@given(st.one_of(st.binary(max_size=40), st.binary(max_size=8).map(lambda tail: GOOD[:6] + tail)))
def test_whatever_comes_is_judged(received: bytes) -> None:
    try:
        verdict = judge(received, QUESTION, TID)
    except BadAnswer as err:
        right = bool(str(err))
    else:
        right = verdict is None or isinstance(verdict, int) or len(verdict) == QUESTION.size
    assert right


@given(st.integers(0, len(GOOD) - 1), st.integers(1, 255))
def test_a_flipped_byte_is_data_or_refused(index: int, flip: int) -> None:
    received = bytearray(GOOD)
    received[index] ^= flip
    if index >= 9:
        assert judge(bytes(received), QUESTION, TID) == bytes(received[9:])
        return
    try:
        verdict = judge(bytes(received), QUESTION, TID)
    except BadAnswer:
        return
    assert verdict is None
