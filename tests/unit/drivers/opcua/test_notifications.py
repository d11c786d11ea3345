"""What the library encodes, we read as the library does."""

import struct
from datetime import UTC, datetime, timedelta

import pytest
from asyncua import ua
from asyncua.ua.ua_binary import struct_to_binary
from hypothesis import given
from hypothesis import strategies as st

from drivers.contract import DriverError
from drivers.opcua.errors import as_driver_errors
from drivers.opcua.notifications import Told, read_any, read_values, told_by
from drivers.opcua.services import Raw

AT = datetime(2026, 3, 20, 1, 2, 3, 456789, tzinfo=UTC)
NUMBERS = {
    ua.VariantType.Boolean: st.booleans(),
    ua.VariantType.SByte: st.integers(-(2**7), 2**7 - 1),
    ua.VariantType.Byte: st.integers(0, 2**8 - 1),
    ua.VariantType.Int16: st.integers(-(2**15), 2**15 - 1),
    ua.VariantType.UInt16: st.integers(0, 2**16 - 1),
    ua.VariantType.Int32: st.integers(-(2**31), 2**31 - 1),
    ua.VariantType.UInt32: st.integers(0, 2**32 - 1),
    ua.VariantType.Int64: st.integers(-(2**63), 2**63 - 1),
    ua.VariantType.UInt64: st.integers(0, 2**64 - 1),
    ua.VariantType.Float: st.floats(width=32, allow_nan=False),
    ua.VariantType.Double: st.floats(allow_nan=False),
}
OTHERS = {
    ua.VariantType.String: st.none() | st.text(max_size=5),
    ua.VariantType.DateTime: st.datetimes(timezones=st.just(UTC)),
    ua.VariantType.LocalizedText: st.builds(ua.LocalizedText, st.text(max_size=5)),
    ua.VariantType.Guid: st.uuids(),
}
STAMPS = st.none() | st.datetimes(timezones=st.just(UTC))
STATUSES = st.none() | st.integers(0, 2**32 - 1).map(ua.StatusCode)


@st.composite
def variants(draw: st.DrawFn) -> ua.Variant | None:
    kind = draw(st.sampled_from([None, *NUMBERS, *NUMBERS, *OTHERS]))
    if kind is None:
        return None
    values = {**NUMBERS, **OTHERS}[kind]
    as_array = draw(st.integers(0, 9)) == 0
    return ua.Variant(draw(st.lists(values, max_size=3) if as_array else values), kind)


@st.composite
def items(draw: st.DrawFn) -> list[ua.MonitoredItemNotification]:
    """Runs of values that lie alike, and single ones between them."""
    found: list[ua.MonitoredItemNotification] = []
    for _ in range(draw(st.integers(0, 4))):
        template = ua.DataValue(
            draw(variants()),
            draw(STATUSES),
            draw(STAMPS),
            draw(STAMPS),
            draw(st.none() | st.integers(0, 9999)),
            draw(st.none() | st.integers(0, 9999)),
        )
        handle = draw(st.integers(0, 2**32 - 5))
        found += [
            ua.MonitoredItemNotification(handle + n, template)
            for n in range(draw(st.integers(1, 4)))
        ]
    return found


def change(*values: ua.MonitoredItemNotification) -> ua.DataChangeNotification:
    part = ua.DataChangeNotification()
    part.MonitoredItems = list(values)
    return part


def double(handle: int, value: float, at: datetime | None = AT) -> ua.MonitoredItemNotification:
    data = ua.DataValue(ua.Variant(value, ua.VariantType.Double), SourceTimestamp=at)
    return ua.MonitoredItemNotification(handle, data)


def answer(*parts: object) -> ua.PublishResponse:
    response = ua.PublishResponse()
    response.Parameters.SubscriptionId = 7
    response.Parameters.AvailableSequenceNumbers = [3, 4]
    response.Parameters.NotificationMessage.SequenceNumber = 3
    response.Parameters.NotificationMessage.NotificationData = list(parts)
    response.Parameters.Results = [ua.StatusCode(0)]
    return response


def binary(response: ua.PublishResponse) -> bytes:
    return bytes(struct_to_binary(response))


@given(st.lists(items(), max_size=3))
def test_values_are_read_as_the_library_reads_them(
    parts: list[list[ua.MonitoredItemNotification]],
) -> None:
    sent = binary(answer(*(change(*part) for part in parts)))
    told = read_values(sent)
    assert told is not None
    assert told == read_any(sent)
    assert [type(raw.value) for raw in told.raws] == [
        type(raw.value) for raw in read_any(sent).raws
    ]


def outcome(sent: bytes) -> Told | str:
    try:
        with as_driver_errors("opc.tcp://plc"):
            return told_by(sent)
    except DriverError as err:
        return type(err).__name__


def of_the_library(sent: bytes) -> Told | str:
    try:
        with as_driver_errors("opc.tcp://plc"):
            return read_any(sent)
    except DriverError as err:
        return type(err).__name__


@given(st.lists(items(), max_size=2), st.data())
def test_a_damaged_answer_comes_to_the_same_as_with_the_library(
    parts: list[list[ua.MonitoredItemNotification]], data: st.DataObject
) -> None:
    sent = bytearray(binary(answer(*(change(*part) for part in parts))))
    for _ in range(data.draw(st.integers(0, 2))):
        sent[data.draw(st.integers(0, len(sent) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(sent[: data.draw(st.integers(0, len(sent)))])
    for bytes_ in (bytes(sent), cut):
        ours, theirs = outcome(bytes_), of_the_library(bytes_)
        assert repr(ours) == repr(theirs)  # a damaged number may be NaN


def test_an_answer_cut_anywhere_comes_to_the_same_as_with_the_library() -> None:
    sent = binary(answer(change(double(1, 2.5)), change(double(2, 3.5))))
    for end in range(len(sent)):
        assert outcome(sent[:end]) == of_the_library(sent[:end])


def test_a_part_nobody_knows_tells_nothing() -> None:
    sent = binary(answer(ua.Argument(), change(double(1, 2.5))))
    assert read_values(sent) is None
    assert told_by(sent) == Told(7, 3, [Raw(1, 2.5, 0, AT)])


@pytest.mark.parametrize("ticks", [-1, 0, 9, 2_650_467_743_989_999_999, 2**63 - 1])
def test_a_stamp_at_the_end_of_time_is_read_as_the_library_reads_it(ticks: int) -> None:
    sent = binary(answer(change(double(1, 2.5))))
    stamp = struct.pack("<q", ua.datetime_to_win_epoch(AT))
    assert sent.count(stamp) == 1
    moved = sent.replace(stamp, struct.pack("<q", ticks))
    assert read_values(moved) == read_any(moved)


def test_a_run_of_numbers_keeps_handles_values_and_stamps_together() -> None:
    later = AT + timedelta(microseconds=1)
    told = read_values(binary(answer(change(double(1, 2.5), double(9, -3.5, later)))))
    assert told == Told(7, 3, [Raw(1, 2.5, 0, AT), Raw(9, -3.5, 0, later)])


def test_a_keepalive_tells_nothing() -> None:
    assert read_values(binary(answer())) == Told(7, 3, [])


def test_a_status_change_is_left_to_the_library() -> None:
    ended = ua.StatusChangeNotification()
    ended.Status = ua.StatusCode(ua.StatusCodes.BadTimeout)
    sent = binary(answer(change(double(1, 2.5)), ended))
    assert read_values(sent) is None
    assert told_by(sent).ended == "BadTimeout"


def test_an_answer_with_diagnostics_is_left_to_the_library() -> None:
    response = answer(change(double(1, 2.5)))
    response.ResponseHeader.ServiceDiagnostics = ua.DiagnosticInfo(SymbolicId=1)
    sent = binary(response)
    assert read_values(sent) is None
    assert told_by(sent).raws == [Raw(1, 2.5, 0, AT)]


def test_a_server_that_claims_a_million_values_is_not_believed() -> None:
    sent = binary(answer(change(double(1, 2.5))))
    claim = sent.replace(struct.pack("<iI", 1, 1), struct.pack("<iI", 1_000_000, 1))
    assert outcome(claim) == of_the_library(claim) == "BadReply"


@pytest.mark.parametrize("after", [b"\x01\x00\x2b\x03\x01", struct.pack("<I", 1)])
def test_fewer_than_none_is_left_to_the_library(after: bytes) -> None:
    """Of parts, and of values in one."""
    sent = binary(answer(change(double(1, 2.5))))
    one = struct.pack("<i", 1) + after
    assert sent.count(one) == 1
    fewer = sent.replace(one, struct.pack("<i", -2) + after)
    assert read_values(fewer) is None
    assert repr(outcome(fewer)) == repr(of_the_library(fewer))
