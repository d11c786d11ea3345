"""What a server said about a node -> a value, or the cause why there is none.

Status codes: OPC UA Part 4, 7.39. Knows no library: a value arrives as Python's own
type, a status as its 32 bits.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from drivers.contract import Value
from drivers.values import is_sound, is_text

_OVERFLOW = 0x0480
"""InfoType DataValue together with the Overflow bit."""
_UNCERTAIN, _CODE = 1, 0xFFFF_0000

CAUSE_OF = {
    0x8033_0000: "missing_node",  # BadNodeIdInvalid
    0x8034_0000: "missing_node",  # BadNodeIdUnknown
    0x8035_0000: "missing_node",  # BadAttributeIdInvalid
    0x8005_0000: "not_connected",  # BadCommunicationError
    0x8031_0000: "not_connected",  # BadNoCommunication
    0x808A_0000: "not_connected",  # BadNotConnected
    0x8032_0000: "never_read",  # BadWaitingForInitialData
    0x801F_0000: "device_refused",  # BadUserAccessDenied
    0x803A_0000: "device_refused",  # BadNotReadable
    0x8003_0000: "device_busy",  # BadOutOfMemory
    0x8004_0000: "device_busy",  # BadResourceUnavailable
    0x80DB_0000: "device_busy",  # BadTooManyMonitoredItems
    0x803C_0000: "invalid_value",  # BadOutOfRange
    0x8074_0000: "type_mismatch",  # BadTypeMismatch
}
"""Status code without its flags -> a word of `drivers.contract.CAUSES`."""


@dataclass(frozen=True, slots=True)
class Scaling:
    """``value = raw * scale + offset``; neither is NaN or infinite."""

    scale: float = 1.0
    offset: float = 0.0

    @property
    def changes_nothing(self) -> bool:
        """Whether every value stays as it is, texts and booleans included."""
        return self.scale == 1 and self.offset == 0

    def of(self, raw: float) -> int | float:
        """Return the scaled value; whole numbers stay whole and exact."""
        scale, offset = float(self.scale), float(self.offset)
        if isinstance(raw, int) and scale.is_integer() and offset.is_integer():
            return raw * int(scale) + int(offset)
        return raw * self.scale + self.offset


class Sample(NamedTuple):
    """A value, or the cause why there is none: exactly one of the two is None."""

    value: Value | None
    cause: str | None = None
    uncertain: bool = False
    overflowed: bool = False
    """The server dropped values of this node before this one."""


def cause_of(status: int) -> str:
    """Return why a bad status is bad, in a word or as ``bad_status:0x80010000``."""
    return CAUSE_OF.get(status & _CODE) or f"bad_status:0x{status & _CODE:08X}"


def is_bad(status: int) -> bool:
    """Whether the severity is Bad; the reserved one counts as Bad too (7.39.1)."""
    return status >> 30 > _UNCERTAIN


def convert(raw: object, status: int, scaling: Scaling) -> Sample:
    """Return what may be believed of ``raw``. Never raises."""
    overflowed = status & _OVERFLOW == _OVERFLOW
    if is_bad(status):
        return Sample(None, cause_of(status), overflowed=overflowed)
    value, cause = _plain(raw)
    if value is not None and not scaling.changes_nothing:
        value, cause = _scaled(value, scaling)
    if not status:
        return Sample(value, cause)
    uncertain = cause is None and status >> 30 == _UNCERTAIN
    return Sample(value, cause, uncertain=uncertain, overflowed=overflowed)


def up_to_nul(text: str) -> str:
    """Return a text without what a server with fixed lengths fills up: no store takes a NUL."""
    return text.partition("\0")[0]


def mended(text: str) -> str:
    """Return what a person can read of a text that is none: servers in China send GB18030."""
    text = up_to_nul(text)
    if is_text(text):
        return text
    sent = text.encode(errors="surrogateescape")
    try:
        return sent.decode("gb18030")
    except UnicodeDecodeError:
        return sent.decode(errors="backslashreplace")


def _plain(raw: object) -> tuple[Value | None, str | None]:
    match raw:
        case bool() | float():
            return (raw, None) if is_sound(raw) else (None, "invalid_value")
        case str():
            return (up_to_nul(raw), None) if is_text(raw) else (None, "invalid_value")
        case int():
            return int(raw), None  # an enumeration is its number
        case datetime():
            return _iso(raw), None
        case None:
            return None, "invalid_value"
        case _:
            return None, "type_mismatch"


def _scaled(value: Value, scaling: Scaling) -> tuple[Value | None, str | None]:
    if isinstance(value, bool | str):
        return None, "type_mismatch"
    try:
        scaled = scaling.of(value)
        sound = is_sound(scaled)
    except OverflowError:
        sound = False
    return (scaled, None) if sound else (None, "invalid_value")


def _iso(at: datetime) -> str:
    aware = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    return aware.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
