"""What asyncua raises -> what the caller does next.

Promises:

- Whatever a server answers, or fails to answer, comes out as a DriverError.
- The nearest class in `ERROR_MAP` decides; a status it does not name is a plain "no".
- Cancellation passes untouched.

What a server says of certificates and logins while a session is opened has sentences of
its own in `drivers.opcua.turned_away`.
"""

import os
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager

from asyncua.crypto import uacrypto as ua_crypto
from asyncua.ua import uaerrors as ua
from cryptography.exceptions import InvalidSignature

from drivers.contract import BadReply, DriverError, Hint, Misconfigured, Rejected, Unreachable

_NO_SESSION = (
    OSError,  # TimeoutError is one
    ua.BadCommunicationError,
    ua.BadConnectionClosed,
    ua.BadConnectionRejected,
    ua.BadDisconnect,
    ua.BadEndOfStream,
    ua.BadMaxConnectionsReached,
    ua.BadNoCommunication,
    ua.BadNoSubscription,
    ua.BadNotConnected,
    ua.BadOperationAbandoned,
    ua.BadRequestInterrupted,
    ua.BadRequestTimeout,
    ua.BadSecureChannelClosed,
    ua.BadSecureChannelIdInvalid,
    ua.BadSecureChannelTokenUnknown,
    ua.BadServerHalted,
    ua.BadServerNotConnected,
    ua.BadServerTooBusy,
    ua.BadSessionClosed,
    ua.BadSessionIdInvalid,
    ua.BadSessionNotActivated,
    ua.BadShutdown,
    ua.BadSubscriptionIdInvalid,
    ua.BadTcpNotEnoughResources,
    ua.BadTcpSecureChannelUnknown,
    ua.BadTcpServerTooBusy,
    ua.BadTimeout,
    ua.BadTooManySessions,
    ua.BadTooManySubscriptions,
    ua.BadWaitingForResponse,
)
_MALFORMED = (
    ua.UaError,  # also what the library raises when an answer makes no sense to it
    ua.UaStructParsingError,
    ua.BadDecodingError,
    ua.BadEncodingError,
    ua.BadEncodingLimitsExceeded,
    ua.BadInvalidTimestamp,
    ua.BadNonceInvalid,
    ua.BadRequestHeaderInvalid,
    ua.BadResponseTooLarge,
    ua.BadSequenceNumberInvalid,
    ua.BadTcpInternalError,
    ua.BadTcpMessageTooLarge,
    ua.BadTcpMessageTypeInvalid,
    ua.BadUnknownResponse,
    # its decoder, and its cryptography, on bytes that are not what was asked for
    InvalidSignature,
    ua_crypto.InvalidSignature,
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
    struct.error,
)
_SETTINGS = (
    ua.UaInvalidParameterError,
    ua.UaStringParsingError,
    ua.BadApplicationSignatureInvalid,
    ua.BadCertificateChainIncomplete,
    ua.BadCertificateHostNameInvalid,
    ua.BadCertificateInvalid,
    ua.BadCertificateIssuerRevocationUnknown,
    ua.BadCertificateIssuerRevoked,
    ua.BadCertificateIssuerTimeInvalid,
    ua.BadCertificateIssuerUseNotAllowed,
    ua.BadCertificatePolicyCheckFailed,
    ua.BadCertificateRevocationUnknown,
    ua.BadCertificateRevoked,
    ua.BadCertificateTimeInvalid,
    ua.BadCertificateUntrusted,
    ua.BadCertificateUriInvalid,
    ua.BadCertificateUseNotAllowed,
    ua.BadConfigurationError,
    ua.BadIdentityTokenInvalid,
    ua.BadIdentityTokenRejected,
    ua.BadInsufficientClientProfile,
    ua.BadLicenseExpired,
    ua.BadLicenseNotAvailable,
    ua.BadNoValidCertificates,
    ua.BadProtocolVersionUnsupported,
    ua.BadSecurityChecksFailed,
    ua.BadSecurityModeInsufficient,
    ua.BadSecurityModeRejected,
    ua.BadSecurityPolicyRejected,
    ua.BadServerUriInvalid,
    ua.BadServiceUnsupported,
    ua.BadTcpEndpointUrlInvalid,
    ua.BadUserAccessDenied,
    ua.BadUserSignatureInvalid,
)
ERROR_MAP: dict[type[BaseException], type[DriverError]] = {
    **dict.fromkeys(_NO_SESSION, Unreachable),
    **dict.fromkeys(_MALFORMED, BadReply),
    **dict.fromkeys(_SETTINGS, Misconfigured),
    ua.UaStatusCodeError: Rejected,
}
HINTS: dict[type[BaseException], Hint] = {
    TimeoutError: Hint(
        "opcua_no_answer", "is the server switched on, and the port open in its firewall?"
    ),
    socket.gaierror: Hint(
        "opcua_no_host", "is the host's name right, and does this machine know it?"
    ),
    ConnectionRefusedError: Hint(
        "opcua_refused", "is the OPC UA server started, and is the port right?"
    ),
    ua.BadLicenseNotAvailable: Hint("opcua_no_licence", "the controller has no OPC UA licence"),
    ua.BadTooManySessions: Hint(
        "opcua_sessions_full", "close another client, or raise the server's session limit"
    ),
    ua.BadTooManySubscriptions: Hint(
        "opcua_subscriptions_full", "close another client, or raise the server's limit"
    ),
}


def _nearest(kind: type[BaseException]) -> type[DriverError]:
    return next(ERROR_MAP[parent] for parent in kind.__mro__ if parent in ERROR_MAP)


def _reason(err: BaseException) -> str:
    if type(err) is TimeoutError:
        return "no answer in time"
    if type(err) is ConnectionError:  # the library's own, in its own words
        return "the connection is closed"
    if isinstance(err, ConnectionError) and err.errno is not None:
        return os.strerror(err.errno)  # without the address, which is said already
    return str(err) or type(err).__name__


@contextmanager
def as_driver_errors(endpoint: str) -> Iterator[None]:
    """Re-raise what the library raises as the nearest DriverError."""
    try:
        yield
    except tuple(ERROR_MAP) as err:
        kind = type(err)
        raise _nearest(kind)(endpoint, _reason(err), HINTS.get(kind, "")) from err


_NO_SUBSCRIBING = (
    ua.BadNotImplemented,
    ua.BadNotSupported,
    ua.BadServiceUnsupported,
    ua.BadTooManyMonitoredItems,
    ua.BadTooManySubscriptions,
)
_TOO_MUCH = (
    ua.BadEncodingLimitsExceeded,
    ua.BadRequestTooLarge,
    ua.BadResponseTooLarge,
    ua.BadTcpMessageTooLarge,
    ua.BadTooManyOperations,
)


def cannot_subscribe(err: DriverError) -> bool:
    """Whether the server will not watch for us, while reading may do."""
    return isinstance(err.__cause__, _NO_SUBSCRIBING)


def too_many_at_once(err: DriverError) -> bool:
    """Whether the server might do it in smaller pieces."""
    return isinstance(err.__cause__, _TOO_MUCH)
