"""Why a server lets nobody in, and what a person can do: one table.

- Each answer of a server about certificates, logins and encryption has a sentence of its
  own, which says where to change what. It waits for a person: Misconfigured.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType

from asyncua.ua import uaerrors as ua

from drivers.contract import BadSetting, Misconfigured
from drivers.opcua.certificates import Certificate
from drivers.opcua.expiry import own_expired
from drivers.opcua.own import command, own_files
from drivers.opcua.settings import LinkSettings

_NO_ENDPOINT = "No matching endpoints"
"""How the library begins when a session's own endpoint is not among the server's."""


def refused(link: LinkSettings, refusal: BadSetting) -> Misconfigured:
    """Return the error of a link that cannot be opened until somebody does something."""
    err = Misconfigured(link.endpoint, refusal.problem, refusal.hint)
    err.refusal = refusal
    return err


@dataclass(slots=True)
class Introduction:
    """What the server knows of us."""

    expired: Certificate | None = None
    """Our certificate, if it is over: a server need not say that this is why."""


@contextmanager
def turned_away(link: LinkSettings) -> Iterator[Introduction]:
    """Re-raise what the server answers while a session is opened, where a person must act."""
    us = Introduction()
    try:
        yield us
    except tuple(_ANSWERS) as err:
        answer = _ANSWERS[type(err)]
        if us.expired is not None and answer in {_untrusted, _time}:
            raise refused(link, own_expired(us.expired, link)) from err
        raise refused(link, answer(link, type(err).__name__)) from err
    except ua.UaError as err:
        if link.secured is None and str(err).startswith(_NO_ENDPOINT):
            raise refused(link, _needs_security(link, "None")) from err
        raise


def _untrusted(link: LinkSettings, status: str) -> BadSetting:
    if link.secured is None:
        return _needs_security(link, status)
    return BadSetting(
        "opcua_we_are_untrusted",
        "the server does not trust this gateway ({status})",
        "put {file} into the server's trusted clients. TIA Portal: Certificate manager, Trusted "
        "clients; Kepware: OPC UA Configuration, Trusted Clients; Sysmac Studio: Client "
        "Authentication",
        status=status,
        file=own_files(link).certificate,
    )


def _time(link: LinkSettings, status: str) -> BadSetting:
    return BadSetting(
        "opcua_our_time",
        "the server says that our certificate is not valid today ({status})",
        "look at the server's clock first, then at how long ours lasts: {command}",
        status=status,
        command=command("certificate", link.home),
    )


def _certificate(link: LinkSettings, status: str) -> BadSetting:
    return BadSetting(
        "opcua_our_certificate",
        "the server does not like our certificate ({status})",
        "delete older certificates of this gateway in the server and trust {file} anew",
        status=status,
        file=own_files(link).certificate,
    )


def _login(link: LinkSettings, status: str) -> BadSetting:
    if link.user is not None:
        return BadSetting(
            "opcua_user_refused",
            "the server refuses the user {name} ({status})",
            "are name and password right, and may this user use OPC UA on the server?",
            name=link.user.name,
            status=status,
        )
    if link.user_certificate is not None:
        return BadSetting(
            "opcua_user_certificate_refused",
            "the server refuses the user certificate {file} ({status})",
            "put it into the server's list of trusted users",
            file=link.user_certificate.cert_file,
            status=status,
        )
    return BadSetting(
        "opcua_no_anonymous",
        "the server refuses anonymous users ({status})",
        "give the link a user, or allow anonymous users in the server",
        status=status,
    )


def _needs_security(link: LinkSettings, status: str) -> BadSetting:
    if link.secured is not None:
        return BadSetting(
            "opcua_policy_refused",
            "the server refuses {policy} {mode} ({status})",
            "choose what it offers: {command}",
            policy=link.secured.policy,
            mode=link.secured.mode,
            status=status,
            command=command("trust", link.home, link.endpoint),
        )
    return BadSetting(
        "opcua_needs_security",
        "the server takes no unencrypted session ({status})",
        "give the link security, with a policy and a mode the server offers",
        status=status,
    )


_ANSWERS: Mapping[type[Exception], Callable[[LinkSettings, str], BadSetting]] = MappingProxyType(
    {
        ua.BadSecurityChecksFailed: _untrusted,
        ua.BadCertificateUntrusted: _untrusted,
        ua.BadCertificateTimeInvalid: _time,
        ua.BadCertificateChainIncomplete: _certificate,
        ua.BadCertificateHostNameInvalid: _certificate,
        ua.BadCertificateInvalid: _certificate,
        ua.BadCertificatePolicyCheckFailed: _certificate,
        ua.BadCertificateRevoked: _certificate,
        ua.BadCertificateUriInvalid: _certificate,
        ua.BadCertificateUseNotAllowed: _certificate,
        ua.BadIdentityTokenInvalid: _login,
        ua.BadIdentityTokenRejected: _login,
        ua.BadUserAccessDenied: _login,
        ua.BadUserSignatureInvalid: _login,
        ua.BadSecurityModeInsufficient: _needs_security,
        ua.BadSecurityModeRejected: _needs_security,
        ua.BadSecurityPolicyRejected: _needs_security,
    }
)
