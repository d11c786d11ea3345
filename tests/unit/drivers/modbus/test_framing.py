import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.modbus.answer import BadAnswer, Question
from drivers.modbus.framing import ASCII, MBAP, RTU, Framing
from drivers.modbus.wire import Request
from tests.support import modbus_frames
from tests.support.modbus_frames import wrapped

QUESTION = Question(unit=3, function=3, size=4)
BODY = bytes.fromhex("03 03 04 01020304")
FRAMINGS: dict[modbus_frames.Framing, Framing] = {"mbap": MBAP, "rtu": RTU, "ascii": ASCII}


@pytest.fixture(params=FRAMINGS)
def name(request: pytest.FixtureRequest) -> modbus_frames.Framing:
    kind: modbus_frames.Framing = request.param
    return kind


def answer(name: modbus_frames.Framing, body: bytes, question: Question = QUESTION) -> object:
    return FRAMINGS[name].judge(wrapped(name, 7, body), question, 7)


def test_a_question_is_what_the_device_expects(name: modbus_frames.Framing) -> None:
    body = Request(unit=3, table="hr", start=1, count=2, timeout_s=1).body
    asked = FRAMINGS[name].wrap(body, 7)
    assert asked == wrapped(name, 7, body)
    assert FRAMINGS[name].length(len(body)) == len(asked)


def test_the_answer_is_its_data_and_a_refusal_its_code(name: modbus_frames.Framing) -> None:
    assert answer(name, BODY) == bytes.fromhex("01020304")
    assert answer(name, bytes([3, 0x83, 2])) == 2


def test_part_of_an_answer_is_waited_for(name: modbus_frames.Framing) -> None:
    whole = wrapped(name, 7, BODY)
    for length in range(len(whole)):
        assert FRAMINGS[name].judge(whole[:length], QUESTION, 7) is None


@pytest.mark.parametrize(
    "body",
    [
        "03 03 02 0102",
        "03 03 06 010203040506",
        "03 03 02 01020304",
        "03 04 04 01020304",
        "03 84 02",
        "04 03 04 01020304",
        "04 83 02",
    ],
)
def test_anything_else_is_refused(name: modbus_frames.Framing, body: str) -> None:
    with pytest.raises(BadAnswer):
        answer(name, bytes.fromhex(body))


def test_what_follows_the_answer_makes_it_none(name: modbus_frames.Framing) -> None:
    with pytest.raises(BadAnswer, match="follow"):
        FRAMINGS[name].judge(wrapped(name, 7, BODY) + b"\x00", QUESTION, 7)


@pytest.mark.parametrize(
    ("received", "says"),
    [
        (b"0303", "begins with ':'"),
        (b":03zz", "other characters"),
        (b":030304\r\n", "too early"),
        (b":030304010203040", None),
        (b":03030401020304EF\n\r", "ends elsewhere"),
        (b":03030401020304F0\r\n", "LRC"),
    ],
)
def test_an_ascii_frame_that_is_none(received: bytes, says: str | None) -> None:
    if says is None:
        assert ASCII.judge(received, QUESTION, 0) is None
        return
    with pytest.raises(BadAnswer, match=says):
        ASCII.judge(received, QUESTION, 0)


@given(st.integers(0, 8), st.integers(1, 255))
def test_no_flipped_byte_passes_the_crc(index: int, flip: int) -> None:
    received = bytearray(wrapped("rtu", 0, BODY))
    received[index] ^= flip
    try:
        verdict = RTU.judge(bytes(received), QUESTION, 0)
    except BadAnswer:
        return
    assert verdict is None


@given(
    st.sampled_from(["rtu", "ascii", "mbap"]),
    st.one_of(
        st.binary(max_size=40),
        st.binary(max_size=12).map(lambda tail: BODY[:3] + tail),
        st.text(":0123456789ABCDEF\r\n ", max_size=24).map(str.encode),
    ),
)
def test_whatever_comes_is_judged(name: modbus_frames.Framing, received: bytes) -> None:
    try:
        verdict = FRAMINGS[name].judge(received, QUESTION, 7)
    except BadAnswer as err:
        right = bool(str(err))
    else:
        right = verdict is None or isinstance(verdict, int) or len(verdict) == QUESTION.size
    assert right
