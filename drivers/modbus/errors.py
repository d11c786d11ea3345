"""What pymodbus and the socket raise, as the nearest DriverError. The one table."""

from collections.abc import Mapping
from ssl import SSLCertVerificationError, SSLError

from pymodbus.exceptions import (
    ConnectionException,
    MessageRegisterException,
    ModbusException,
    ModbusIOException,
    NoSuchIdException,
    NotImplementedException,
    ParameterException,
)

from drivers.contract import BadReply, DriverError, Hint, Misconfigured, Unreachable
from drivers.modbus.answer import BadAnswer


class Silence(Exception):
    """Nothing came within the timeout."""


class Absence(Exception):
    """Who should have dialled in has not."""


class PortForbidden(Exception):
    """The user may not open the serial port; the text says which group may."""


class PortUnfit(Exception):
    """The port cannot be set as configured."""


class PortBusy(Exception):
    """Somebody else has the serial port; the text says who."""


class NoAnswer(Unreachable):
    """The device said nothing within the timeout. One silence is not yet an outage."""


ERROR_MAP: dict[type[Exception], type[DriverError]] = {
    Silence: NoAnswer,
    Absence: Unreachable,
    PortBusy: Unreachable,
    PortForbidden: Misconfigured,
    PortUnfit: Misconfigured,
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

Hints = Mapping[type[Exception], Hint]
"""What to try next, by what was raised; the nearest class counts."""

_CLOSED = Hint("modbus_closed", "the device closed the connection: how many clients does it allow?")
_SERIAL_SIDE = (
    "of its serial side check baud rate, parity and stop bits, A and B swapped, unit_id;"
    " and whether timeout_ms is enough"
)

TCP_HINTS: Hints = {
    ConnectionRefusedError: Hint(
        "modbus_tcp_refused",
        "the host is there but nothing listens: is Modbus TCP enabled, is the port right?",
    ),
    TimeoutError: Hint("modbus_timeout", "check the cable, the IP address and the firewall"),
    ConnectionResetError: _CLOSED,
    ConnectionException: _CLOSED,
    Silence: Hint(
        "modbus_silent", "check unit_id, and whether timeout_ms is enough for this device"
    ),
    BadAnswer: Hint(
        "modbus_tcp_foreign",
        "is this a Modbus TCP server, and does nobody else share its serial line?",
    ),
}
GATEWAY_HINTS: Hints = {
    **TCP_HINTS,
    ConnectionRefusedError: Hint(
        "modbus_gateway_refused",
        "the host is there but nothing listens: is the serial server in TCP"
        " server mode, is the port right?",
    ),
    Silence: Hint("modbus_gateway_silent", _SERIAL_SIDE),
    BadAnswer: Hint(
        "modbus_gateway_foreign",
        "does the serial server pass frames on unchanged, as RTU or ASCII as configured"
        " here? If it converts, use modbus-tcp",
    ),
}
"""For RTU or ASCII frames in a TCP stream."""
TLS_HINTS: Hints = {
    **TCP_HINTS,
    ConnectionRefusedError: Hint(
        "modbus_tls_refused",
        "the host is there but nothing listens: is Modbus/TCP Security"
        " enabled, is the port right (802)?",
    ),
    SSLCertVerificationError: Hint(
        "modbus_tls_certificate",
        "the device's certificate is not from ca_file, or is for another"
        " name or expired: compare what the device shows",
    ),
    SSLError: Hint(
        "modbus_tls_denied",
        "the device refuses TLS: does it expect a client certificate (cert_file, key_file),"
        " does it speak TLS 1.2 or later?",
    ),
    FileNotFoundError: Hint("modbus_tls_files", "check ca_file, cert_file and key_file"),
    PermissionError: Hint(
        "modbus_tls_forbidden", "may this user read ca_file, cert_file and key_file?"
    ),
}
UDP_HINTS: Hints = {
    ConnectionRefusedError: Hint(
        "modbus_udp_refused",
        "the host is there but nothing listens: is Modbus UDP enabled, is the port right?",
    ),
    Silence: Hint(
        "modbus_udp_silent",
        "over UDP a wrong address looks like this too: check host, port, firewall, unit_id",
    ),
    BadAnswer: Hint(
        "modbus_udp_foreign",
        "is this a Modbus server, and does nobody else share its serial line?",
    ),
}
SERIAL_HINTS: Hints = {
    Silence: Hint(
        "modbus_line_silent",
        "check baud rate, parity and stop bits, A and B swapped, termination, unit_id;"
        " does the adapter's light flash when it sends?",
    ),
    BadAnswer: Hint(
        "modbus_line_noise",
        "noise or another master on the line: check baud rate, parity, termination,"
        " shield, and that unit_id is given to one device only",
    ),
    ConnectionException: Hint(
        "modbus_adapter_gone", "the adapter was unplugged or reset: check USB cable and power"
    ),
    PortBusy: Hint(
        "modbus_port_busy",
        "end the other program, or give it another port; two masters on one line disturb"
        " each other",
    ),
    PortUnfit: Hint(
        "modbus_port_unfit", "set a baud rate, parity and stop bits this adapter can do"
    ),
    PortForbidden: Hint(
        "modbus_port_forbidden",
        "add the user the gateway runs as to that group, and start the gateway again",
    ),
    OSError: Hint("modbus_port_missing", "is the adapter plugged in, and is it this port?"),
}
LISTEN_HINTS: Hints = {
    Absence: Hint(
        "modbus_dtu_absent",
        "check the DTU's target address and port, its SIM card and signal, and that its"
        " registration packet is the one configured",
    ),
    ConnectionException: Hint(
        "modbus_dtu_gone", "the DTU hung up or lost its signal; it dials in again by itself"
    ),
    Silence: Hint("modbus_dtu_silent", "the DTU is there; " + _SERIAL_SIDE),
    BadAnswer: Hint(
        "modbus_dtu_foreign",
        "does the DTU send a heartbeat that is not configured, does framing fit,"
        " does nobody else share its serial line?",
    ),
    OSError: Hint(
        "modbus_listen_taken",
        "is another program listening on this port, and may this user listen on it?",
    ),
}
NO_HINT = Hint("", "")


def translate(endpoint: str, err: Exception, hints: Hints = TCP_HINTS) -> DriverError:
    """Return the DriverError for one of `KNOWN`; raise it ``from err``."""
    kinds = type(err).__mro__
    kind = next(ERROR_MAP[k] for k in kinds if k in ERROR_MAP)
    hint = next((hints[k] for k in kinds if k in hints), NO_HINT)
    return kind(endpoint, str(err) or type(err).__name__, hint)
