import math
from datetime import UTC, datetime, timedelta, timezone
from enum import IntEnum

import orjson
import pytest
from asyncua import ua
from hypothesis import given
from hypothesis import strategies as st

from drivers.contract import CAUSES, Value
from drivers.opcua.convert import CAUSE_OF, Sample, Scaling, cause_of, convert, mended

GOOD = 0
AS_IT_IS = Scaling()


def as_the_library_reads(data: bytes) -> str:
    return data.decode(errors="surrogateescape")


class Mode(IntEnum):
    AUTOMATIC = 2


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (True, True),
        (False, False),
        (0, 0),
        (2**64 - 1, 2**64 - 1),
        (-1.5, -1.5),
        ("O1000", "O1000"),
        ("", ""),
        (Mode.AUTOMATIC, 2),
        (datetime(2026, 3, 20, 1, 1, 29, 123456, tzinfo=UTC), "2026-03-20T01:01:29.123Z"),
        (datetime(2026, 3, 20, 1, 1, 29), "2026-03-20T01:01:29.000Z"),  # noqa: DTZ001
        (
            datetime(2026, 3, 20, 9, 1, tzinfo=timezone(timedelta(hours=8))),
            "2026-03-20T01:01:00.000Z",
        ),
    ],
)
def test_a_plain_value_stays_what_it_is(raw: object, value: Value) -> None:
    sample = convert(raw, GOOD, AS_IT_IS)
    assert sample == Sample(value)
    assert type(sample.value) is type(value)


def test_a_text_ends_at_its_first_nul() -> None:
    assert convert("A-77\0\0", GOOD, AS_IT_IS) == Sample("A-77")
    assert mended("door open\0") == "door open"


@pytest.mark.parametrize(
    ("raw", "cause"),
    [
        (None, "invalid_value"),
        (math.nan, "invalid_value"),
        (math.inf, "invalid_value"),
        ("\udcbc\udcb1", "invalid_value"),  # bytes that are no UTF-8, as the library hands them on
        ([1, 2], "type_mismatch"),
        (b"\x01", "type_mismatch"),
        (object(), "type_mismatch"),
    ],
)
def test_what_is_no_value_is_bad(raw: object, cause: str) -> None:
    assert convert(raw, GOOD, AS_IT_IS) == Sample(None, cause)


@pytest.mark.parametrize(
    ("status", "sample"),
    [
        (0x0000_0000, Sample(5)),
        (0x0096_0000, Sample(5)),  # GoodLocalOverride
        (0x4090_0000, Sample(5, uncertain=True)),  # UncertainLastUsableValue
        (0x0000_0480, Sample(5, overflowed=True)),
        (0x4090_0480, Sample(5, uncertain=True, overflowed=True)),
        (0x0000_0080, Sample(5)),  # the bit means nothing without its InfoType
        (0x8034_0000, Sample(None, "missing_node")),
        (0x808C_0480, Sample(None, "bad_status:0x808C0000", overflowed=True)),
        (0xC000_0000, Sample(None, "bad_status:0xC0000000")),
    ],
)
def test_the_status_decides_what_may_be_believed(status: int, sample: Sample) -> None:
    assert convert(5, status, AS_IT_IS) == sample


def test_an_uncertain_value_that_is_none_is_bad() -> None:
    assert convert(None, 0x4090_0000, AS_IT_IS) == Sample(None, "invalid_value")


def test_the_named_status_codes_are_the_standards() -> None:
    names = [
        "BadNodeIdInvalid",
        "BadNodeIdUnknown",
        "BadAttributeIdInvalid",
        "BadCommunicationError",
        "BadNoCommunication",
        "BadNotConnected",
        "BadWaitingForInitialData",
        "BadUserAccessDenied",
        "BadNotReadable",
        "BadOutOfMemory",
        "BadResourceUnavailable",
        "BadTooManyMonitoredItems",
        "BadOutOfRange",
        "BadTypeMismatch",
    ]
    assert list(CAUSE_OF) == [getattr(ua.StatusCodes, name) for name in names]
    assert set(CAUSE_OF.values()) <= CAUSES


@pytest.mark.parametrize(
    ("raw", "scaling", "value"),
    [
        (215, Scaling(0.1), 21.5),
        (215, Scaling(10, 5), 2155),
        (2**62 + 1, Scaling(2), 2**63 + 2),
        (1.5, Scaling(2), 3.0),
        (3, Scaling(1, 0.5), 3.5),
    ],
)
def test_a_number_is_scaled_and_whole_ones_stay_exact(
    raw: float, scaling: Scaling, value: float
) -> None:
    sample = convert(raw, GOOD, scaling)
    assert sample.value == pytest.approx(value, rel=1e-15)
    assert type(sample.value) is type(value)
    if isinstance(value, int):
        assert sample.value == value


@pytest.mark.parametrize("raw", [True, "12", datetime(2026, 3, 20, tzinfo=UTC)])
def test_what_is_no_number_cannot_be_scaled(raw: object) -> None:
    assert convert(raw, GOOD, Scaling(2)) == Sample(None, "type_mismatch")


@pytest.mark.parametrize("raw", [1e308, 2**1023])
def test_a_result_too_large_is_no_value(raw: float) -> None:
    assert convert(raw, GOOD, Scaling(1e10)).cause == "invalid_value"
    assert convert(raw, GOOD, Scaling(1.5e300)).cause == "invalid_value"


@given(
    st.one_of(
        *(st.none(), st.booleans(), st.integers(-(2**63), 2**64 - 1), st.floats()),
        *(st.text(st.characters()), st.binary().map(as_the_library_reads), st.binary()),
    ),
    st.integers(0, 2**32 - 1),
    st.builds(
        Scaling,
        st.floats(allow_nan=False, allow_infinity=False),
        st.floats(allow_nan=False, allow_infinity=False),
    ),
)
def test_it_is_either_a_value_that_json_can_hold_or_a_cause(
    raw: object, status: int, scaling: Scaling
) -> None:
    sample = convert(raw, status, scaling)
    assert (sample.value is None) != (sample.cause is None)
    if sample.value is not None:
        assert orjson.loads(orjson.dumps(sample.value)) == sample.value
    if sample.cause is not None:
        assert sample.cause.split(":")[0] in CAUSES
        assert not sample.uncertain


def test_a_cause_keeps_the_code_without_its_flags() -> None:
    assert cause_of(0x8001_0480) == "bad_status:0x80010000"


@pytest.mark.parametrize(
    ("raw", "scaling", "value"),
    [
        (2**61, Scaling(scale=4), 2**63),
        (2**63, Scaling(scale=1000), None),
        (2**64 - 1, Scaling(offset=1), None),
        (-(2**63), Scaling(offset=-1), None),
    ],
)
def test_what_64_bits_do_not_hold_is_no_value(
    raw: int, scaling: Scaling, value: int | None
) -> None:
    assert convert(raw, GOOD, scaling) == Sample(value, "invalid_value" if value is None else None)


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("急停".encode(), "急停"),
        ("急停".encode("gb18030"), "急停"),
        (b"Tor \xe4\xff", "Tor \\xe4\\xff"),
    ],
)
def test_a_text_of_another_encoding_is_mended_for_people(sent: bytes, read: str) -> None:
    assert mended(sent.decode(errors="surrogateescape")) == read
