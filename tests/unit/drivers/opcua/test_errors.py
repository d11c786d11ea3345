import asyncio
import inspect
import socket

import pytest
from asyncua.crypto import uacrypto
from asyncua.ua import uaerrors
from cryptography.exceptions import InvalidSignature

from drivers.contract import BadReply, DriverError, Misconfigured, Rejected, Unreachable
from drivers.opcua.errors import ERROR_MAP, as_driver_errors

THEIRS = [
    kind for _, kind in inspect.getmembers(uaerrors, inspect.isclass) if issubclass(kind, Exception)
]
NAMED_WORDS = ("Session", "SecureChannel", "Connection", "Tcp", "Certificate", "Security")
"""A status about one of these is never a plain "no"."""


def translated(err: BaseException) -> DriverError:
    with pytest.raises(DriverError) as caught, as_driver_errors("opc.tcp://plc:4840"):
        raise err
    assert caught.value.__cause__ is err
    assert caught.value.endpoint == "opc.tcp://plc:4840"
    assert caught.value.reason
    return caught.value


@pytest.mark.parametrize("kind", THEIRS)
def test_everything_the_library_can_raise_is_translated(kind: type[Exception]) -> None:
    assert any(parent in ERROR_MAP for parent in kind.__mro__)


@pytest.mark.parametrize(
    "kind", [kind for kind in THEIRS if any(word in kind.__name__ for word in NAMED_WORDS)]
)
def test_what_concerns_the_session_or_its_security_is_named(kind: type[Exception]) -> None:
    assert kind in ERROR_MAP


@pytest.mark.parametrize(
    ("err", "kind"),
    [
        (ConnectionRefusedError(111, "refused"), Unreachable),
        (TimeoutError(), Unreachable),
        (ConnectionError("client is disconnected"), Unreachable),
        (uaerrors.BadSessionIdInvalid(), Unreachable),
        (uaerrors.BadNoSubscription(), Unreachable),
        (uaerrors.BadTooManySessions(), Unreachable),
        (uaerrors.UaStructParsingError(), BadReply),
        (uaerrors.UaError("no matching endpoint"), BadReply),
        (ValueError("not an enum"), BadReply),
        (InvalidSignature(), BadReply),
        (uacrypto.InvalidSignature(), BadReply),
        (uaerrors.BadIdentityTokenRejected(), Misconfigured),
        (uaerrors.BadSecurityPolicyRejected(), Misconfigured),
        (uaerrors.BadTooManyOperations(), Rejected),
        (uaerrors.UaStatusCodeError(0x80FF_0000), Rejected),
    ],
)
def test_the_caller_learns_what_to_do_next(err: Exception, kind: type[DriverError]) -> None:
    assert type(translated(err)) is kind


def test_people_learn_what_happened_and_what_to_try() -> None:
    assert translated(TimeoutError()).reason == "no answer in time"
    assert translated(ConnectionRefusedError(111, "Connect call")).reason == "Connection refused"
    assert "host's name" in translated(socket.gaierror(-2, "unknown")).hint
    assert "closed" in translated(ConnectionError("client is disconnected")).reason
    assert "BadTooManySessions" in translated(uaerrors.BadTooManySessions()).reason
    assert "session limit" in translated(uaerrors.BadTooManySessions()).hint


@pytest.mark.parametrize(
    "err", [asyncio.CancelledError(), KeyboardInterrupt(), MemoryError(), Unreachable("a", "b")]
)
def test_what_is_not_the_librarys_passes(err: BaseException) -> None:
    with pytest.raises(type(err)) as caught, as_driver_errors("opc.tcp://plc:4840"):
        raise err
    assert caught.value is err
