import asyncio
import inspect
from ssl import SSLCertVerificationError

import pymodbus.exceptions
import pytest
from pymodbus.exceptions import ModbusException

from drivers.contract import BadReply, DriverError, Unreachable
from drivers.modbus import errors
from drivers.modbus.answer import BadAnswer
from drivers.modbus.errors import ERROR_MAP, KNOWN, NoAnswer, Silence, translate


def test_every_exception_of_the_library_has_its_line() -> None:
    theirs = {
        kind
        for _, kind in inspect.getmembers(pymodbus.exceptions, inspect.isclass)
        if issubclass(kind, Exception)
    }
    assert ModbusException in theirs
    assert theirs <= set(ERROR_MAP)


def test_every_error_of_ours_is_in_the_tree() -> None:
    ours = {
        kind
        for _, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, DriverError) and kind.__module__ == errors.__name__
    }
    assert ours == {NoAnswer}
    assert issubclass(NoAnswer, Unreachable)


def test_the_nearest_line_wins() -> None:
    assert type(translate("h:1", ConnectionRefusedError(111, "refused"))) is Unreachable
    assert type(translate("h:1", Silence("nothing"))) is NoAnswer
    assert type(translate("h:1", BadAnswer("short"))) is BadReply


@pytest.mark.parametrize("kind", KNOWN)
def test_an_error_says_where_and_what(kind: type[Exception]) -> None:
    err = translate("10.0.0.5:502#1", kind("it broke"))
    assert err.endpoint == "10.0.0.5:502#1"
    assert "it broke" in err.reason


def test_an_error_without_words_still_has_a_reason() -> None:
    assert translate("h:1", TimeoutError()).reason == "TimeoutError"


def test_bugs_and_cancellation_are_not_translated() -> None:
    assert not issubclass(ValueError, KNOWN)
    assert not issubclass(asyncio.CancelledError, KNOWN)


HINTS = {name: value for name, value in vars(errors).items() if name.endswith("_HINTS")}


@pytest.mark.parametrize("name", HINTS)
@pytest.mark.parametrize("kind", [Silence, BadAnswer])
def test_every_transport_says_what_to_look_at(name: str, kind: type[Exception]) -> None:
    assert translate("h:1", kind("it broke"), HINTS[name]).hint


@pytest.mark.parametrize(
    ("hints", "err", "says"),
    [
        ("SERIAL_HINTS", Silence("nothing"), "A and B swapped"),
        ("SERIAL_HINTS", FileNotFoundError(2, "No such file"), "plugged in"),
        ("GATEWAY_HINTS", ConnectionRefusedError(111, "refused"), "serial server"),
        ("GATEWAY_HINTS", BadAnswer("short"), "modbus-tcp"),
        ("TLS_HINTS", SSLCertVerificationError("self-signed"), "ca_file"),
        ("TLS_HINTS", FileNotFoundError(2, "No such file"), "ca_file"),
        ("LISTEN_HINTS", Silence("nothing"), "the DTU is there"),
        ("UDP_HINTS", Silence("nothing"), "wrong address"),
    ],
)
def test_a_hint_fits_the_transport(hints: str, err: Exception, says: str) -> None:
    assert says in translate("h:1", err, HINTS[hints]).hint
