"""The answer to a publish request -> what it tells.

Promises:

- An answer that tells of values alone, which is nearly all there are, is read without the
  library: numbers and booleans in runs of one layout, any other value by the library, alone.
- Any other answer is the library's to read, and so is one that is not exactly as it should
  be. Both ways lead to the same.

Layout: Part 6, 5.2; PublishResponse: Part 4, 5.14.5; DataValue: Part 6, 5.2.2.17.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from struct import Struct

from asyncua import ua
from asyncua.common.utils import Buffer
from asyncua.ua.ua_binary import struct_from_binary

from drivers.opcua import wire
from drivers.opcua.alarms import Notice
from drivers.opcua.events import notice
from drivers.opcua.services import Raw

_HEAD = Struct("<4sqIIBi3sIi")
_MESSAGE = Struct("<?Iqi")
_PART = Struct("<4sBi")
_COUNT = Struct("<i")
_PUBLISH_RESPONSE = b"\x01\x00\x3d\x03"  # i=829
_DATA_CHANGE = b"\x01\x00\x2b\x03"  # i=811
_NO_EXTENSION = b"\x00\x00\x00"
_BINARY_BODY = 1
_NONE = (0, -1)
_LEAST = -1
"""How many there are in an array that is null (Part 6, 5.2.5)."""
_NO_DIAGNOSTICS = tuple(_COUNT.pack(none) for none in _NONE)
_NUMBERS = {
    1: "?",
    2: "b",
    3: "B",
    4: "h",
    5: "H",
    6: "i",
    7: "I",
    8: "q",
    9: "Q",
    10: "f",
    11: "d",
}
"""Built-in type (Part 6, 5.1.2) -> its layout."""
_STATUS, _SOURCE_TIME = 0x02, 0x04
_FIELDS = ((_STATUS, "I"), (_SOURCE_TIME, "q"), (0x10, "2x"), (0x08, "8x"), (0x20, "2x"))
"""What follows the value of a DataValue, in order, if its bit is set; only two are of use."""
_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)
_LAST_TICK = int((datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC) - _EPOCH).total_seconds()) * 10**7
"""Part 6, 5.2.2.5: later times are this one."""


@dataclass(frozen=True, slots=True)
class Told:
    """What an answer tells."""

    subscription: int
    sequence: int
    raws: Sequence[Raw] = ()
    notices: Sequence[tuple[int, Notice]] = ()
    ended: str | None = None
    """Why the server ended the subscription, if it did."""


@dataclass(frozen=True, slots=True)
class _Layout:
    """How values lie that have the same fields and the same type."""

    struct: Struct
    has_status: bool
    has_time: bool


def told_by(answer: bytes) -> Told:
    """Return what an answer tells. Raises what the library raises if it makes no sense."""
    told = read_values(answer)
    return read_any(answer) if told is None else told


def read_any(answer: bytes) -> Told:
    """Read an answer by the library."""
    response = struct_from_binary(ua.PublishResponse, Buffer(answer))
    message = response.Parameters.NotificationMessage
    raws: list[Raw] = []
    notices: list[tuple[int, Notice]] = []
    ended = None
    for part in message.NotificationData or ():
        if isinstance(part, ua.DataChangeNotification):
            raws.extend(wire.raw(item.ClientHandle, item.Value) for item in part.MonitoredItems)
        elif isinstance(part, ua.EventNotificationList):
            notices += [(e.ClientHandle, notice(e.EventFields)) for e in part.Events]
        elif isinstance(part, ua.StatusChangeNotification):
            ended = part.Status.name
    number, sequence = int(response.Parameters.SubscriptionId), int(message.SequenceNumber)
    return Told(number, sequence, raws, tuple(notices), ended)


def read_values(answer: bytes) -> Told | None:
    """Read an answer that tells of values alone; None if it is any other, or is not whole."""
    if len(answer) < _HEAD.size:
        return None
    kind, _, _, result, diagnostics, strings, extension, subscription, held = _HEAD.unpack_from(
        answer
    )
    plain = (kind, extension) == (_PUBLISH_RESPONSE, _NO_EXTENSION) and strings in _NONE
    at = _HEAD.size + 4 * max(held, 0)
    if not plain or result or diagnostics or len(answer) < at + _MESSAGE.size:
        return None
    _, sequence, _, parts = _MESSAGE.unpack_from(answer, at)
    at += _MESSAGE.size
    if min(held, parts) < _LEAST:
        return None
    raws: list[Raw] = []
    for _ in range(parts):
        end = _part_end(answer, at)
        if end is None or not _read_part(answer[at + _PART.size : end], raws):
            return None
        at = end
    return Told(subscription, sequence, raws) if _ends_plainly(answer, at) else None


def _part_end(answer: bytes, at: int) -> int | None:
    """Return where a part of the message ends that tells of values; None if it does not."""
    if len(answer) < at + _PART.size:
        return None
    kind, encoding, length = _PART.unpack_from(answer, at)
    end = int(at + _PART.size + length)
    whole = length >= _COUNT.size and end <= len(answer)
    return end if whole and kind == _DATA_CHANGE and encoding == _BINARY_BODY else None


def _ends_plainly(answer: bytes, at: int) -> bool:
    """Whether nothing is left but results, and no diagnostics."""
    if len(answer) < at + _COUNT.size:
        return False
    [results] = _COUNT.unpack_from(answer, at)
    at += _COUNT.size + 4 * max(results, 0)
    return results >= _LEAST and answer[at:] in _NO_DIAGNOSTICS


def _read_part(part: bytes, raws: list[Raw]) -> bool:
    """Add the values of a part to ``raws``; False if it is more than values."""
    [left] = _COUNT.unpack_from(part)
    if left < _LEAST:
        return False
    at = _COUNT.size
    while left > 0:
        layout = _layout(*part[at + 4 : at + 6]) if at + 6 <= len(part) else None
        many = 0 if layout is None else min(left, _alike(part, at, layout.struct.size))
        if layout is None or not many:
            buffer = Buffer(part, at)
            item = struct_from_binary(ua.MonitoredItemNotification, buffer)
            raws.append(wire.raw(item.ClientHandle, item.Value))
            at = buffer.cur_pos
            left -= 1
        else:
            upto = at + many * layout.struct.size
            raws += _run(part[at:upto], layout)
            at = upto
            left -= many
    return part[at:] in _NO_DIAGNOSTICS


@cache
def _layout(mask: int, type_: int) -> _Layout | None:
    """Return how a number or boolean lies with these fields; None for anything else."""
    number = _NUMBERS.get(type_)
    if number is None or not mask & 1 or mask >> 6:
        return None
    rest = "".join(code for bit, code in _FIELDS if mask & bit)
    return _Layout(Struct(f"<I2x{number}{rest}"), bool(mask & _STATUS), bool(mask & _SOURCE_TIME))


def _alike(body: bytes, at: int, size: int) -> int:
    """Return how many whole values from ``at`` on have the layout of the first."""
    whole = (len(body) - at) // size
    end = at + whole * size
    masks, types = body[at + 4 : end : size], body[at + 5 : end : size]
    return whole - max(len(masks.lstrip(masks[:1])), len(types.lstrip(types[:1])))


def _run(body: bytes, layout: _Layout) -> list[Raw]:
    rows = layout.struct.iter_unpack(body)
    if layout.has_status and layout.has_time:
        return [Raw(handle, value, status, _time(at)) for handle, value, status, at in rows]
    if layout.has_status:
        return [Raw(handle, value, status, None) for handle, value, status in rows]
    if layout.has_time:
        return [Raw(handle, value, 0, _time(at)) for handle, value, at in rows]
    return [Raw(handle, value, 0, None) for handle, value in rows]


def _time(ticks: int) -> datetime:
    """Return a time given in 100 ns since 1601, cut to what a datetime holds."""
    return _EPOCH + timedelta(microseconds=min(max(ticks, 0), _LAST_TICK) // 10)
