"""What pymodbus and the socket raise, as the nearest DriverError. The one table."""

from pymodbus.exceptions import (
    ConnectionException,
    MessageRegisterException,
    ModbusException,
    ModbusIOException,
    NoSuchIdException,
    NotImplementedException,
    ParameterException,
)

from drivers.contract import BadReply, DriverError, Misconfigured, Unreachable
from drivers.modbus.answer import BadAnswer


class Silence(Exception):
    """Nothing came within the timeout."""


class NoAnswer(Unreachable):
    """The device said nothing within the timeout. One silence is not yet an outage."""


ERROR_MAP: dict[type[Exception], type[DriverError]] = {
    Silence: NoAnswer,
    ModbusIOException: BadReply,
    ConnectionException: Unreachable,
    NoSuchIdException: BadReply,
    ParameterException: Misconfigured,
    NotImplementedException: Misconfigured,
    MessageRegisterException: Misconfigured,
    ModbusException: BadReply,
    BadAnswer: BadReply,
    TimeoutError: Unreachable,
    OSError: Unreachable,
}
KNOWN = tuple(ERROR_MAP)

_HINTS: dict[type[Exception], str] = {
    ConnectionRefusedError: "the host is there but nothing listens: is Modbus TCP enabled,"
    " is the port right?",
    TimeoutError: "check the cable, the IP address and the firewall",
    ConnectionResetError: "the device closed the connection: how many clients does it allow?",
    ConnectionException: "the device closed the connection: how many clients does it allow?",
    Silence: "check unit_id, and whether timeout_ms is enough for this device",
    BadAnswer: "is this a Modbus TCP server, and does nobody else share its serial line?",
}


def translate(endpoint: str, err: Exception) -> DriverError:
    """Return the DriverError for one of `KNOWN`; raise it ``from err``."""
    kinds = type(err).__mro__
    kind = next(ERROR_MAP[k] for k in kinds if k in ERROR_MAP)
    hint = next((_HINTS[k] for k in kinds if k in _HINTS), "")
    return kind(endpoint, str(err) or type(err).__name__, hint)
