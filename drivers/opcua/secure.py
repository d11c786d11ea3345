"""Makes a client's connection as secure as its link asks, and logs in.

Promises:

- Keys are exchanged with a server only after its certificate was found trusted.
- The endpoint is chosen by policy and mode alone; what host the server writes into its
  endpoints does not matter, we go on with the address of the link.
- No password leaves unencrypted.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import ParamSpec, TypeVar

from asyncua import Client, ua
from asyncua.crypto import security_policies as policies

from drivers.contract import BadSetting
from drivers.opcua.certificates import Certificate, read_certificate
from drivers.opcua.errors import as_driver_errors
from drivers.opcua.own import (
    Login,
    Unusable,
    application_uri,
    command,
    keys_of,
    login_of,
    own_files,
    unusable,
)
from drivers.opcua.security_settings import ModeName, PolicyName, Secured, SecureLink
from drivers.opcua.settings import LinkSettings
from drivers.opcua.sockets import connect_socket, disconnect, open_channel
from drivers.opcua.trust import Shown, TrustList, judge
from drivers.opcua.turned_away import refused, turned_away

P = ParamSpec("P")
Result = TypeVar("Result")

POLICIES: Mapping[PolicyName, type[policies.SecurityPolicy]] = MappingProxyType(
    {
        "basic256sha256": policies.SecurityPolicyBasic256Sha256,
        "aes128-sha256-rsaoaep": policies.SecurityPolicyAes128Sha256RsaOaep,
        "aes256-sha256-rsapss": policies.SecurityPolicyAes256Sha256RsaPss,
    }
)
MODES: Mapping[ModeName, ua.MessageSecurityMode] = MappingProxyType(
    {
        "sign": ua.MessageSecurityMode.Sign,
        "sign_and_encrypt": ua.MessageSecurityMode.SignAndEncrypt,
    }
)
_STRONG = frozenset(policy.URI for policy in POLICIES.values())
_PREFIX = "http://opcfoundation.org/UA/SecurityPolicy#"


@dataclass(frozen=True, slots=True)
class Look:
    """What a server says to anybody who asks."""

    shown: Shown
    offers: tuple[str, ...]
    """Policy and mode of each endpoint, in the words of the configuration."""


def trust_command(link: LinkSettings) -> str:
    """Return what a person types to trust the server of a link."""
    return command("trust", link.home, link.endpoint)


async def prepare(
    client: Client, link: LinkSettings, now: Callable[[], datetime]
) -> Certificate | None:
    """Give a client its name and, for a secured link, its keys. Nothing is sent by it.

    Asks the server for its endpoints over a connection of its own. Return the certificate
    of ours that it will see. Raises Misconfigured and what the library raises.
    """
    secured = link.secured
    if secured is None:
        client.application_uri = application_uri(link.home)
        return None
    identity = await _in_thread(link, own_files(link).identity, now())
    offered = await endpoints(link)
    shown = chosen(link, secured, offered)
    refusal = await _in_thread(link, _judged, link, secured, shown, now())
    if refusal is not None:
        raise refused(link, refusal)
    # Of the certificate, not of the configuration: a server compares the two (Part 4, 6.1.3).
    client.application_uri = next(iter(identity.certificate.uris), application_uri(link.home))
    policy = POLICIES[secured.policy]
    client.security_policy = policy(
        shown.certificate.der, identity.x509, identity.key, MODES[secured.mode]
    )
    client.uaclient.set_security(client.security_policy)
    return identity.certificate


async def endpoints(link: LinkSettings) -> Sequence[ua.EndpointDescription]:
    """Ask a server what it offers; needs no security. Raises what the library raises."""
    client = Client(link.endpoint, timeout=link.timeout_s)
    heard = False
    try:
        await connect_socket(client)
        await client.send_hello()
        await open_channel(client)
        found: Sequence[ua.EndpointDescription] = await client.get_endpoints()
        heard = True
    finally:
        await disconnect(client, session=False, say_goodbye=heard)
    return found


async def look(link: LinkSettings) -> Look:
    """Ask a server who it is and what it offers; trusts nobody. Raises DriverError."""
    with as_driver_errors(link.endpoint), turned_away(link):
        offered = await endpoints(link)
    return Look(_shown(link, offered), tuple(dict.fromkeys(said(one) for one in offered)))


def _shown(link: LinkSettings, offered: Sequence[ua.EndpointDescription]) -> Shown:
    if link.secured is not None:
        return chosen(link, link.secured, offered)
    for endpoint in offered:
        if endpoint.ServerCertificate:
            return _at(link, endpoint)
    raise refused(link, _no_certificate())


def chosen(
    link: LinkSettings, secured: Secured, offered: Sequence[ua.EndpointDescription]
) -> Shown:
    """Return what the server shows at the wanted endpoint. Raises Misconfigured."""
    uri, mode = POLICIES[secured.policy].URI, MODES[secured.mode]
    for endpoint in offered:
        if (endpoint.SecurityPolicyUri, endpoint.SecurityMode) == (uri, mode):
            return _at(link, endpoint)
    raise refused(link, _not_offered(secured, offered))


def _at(link: LinkSettings, endpoint: ua.EndpointDescription) -> Shown:
    try:
        certificate = read_certificate(endpoint.ServerCertificate or b"")
    except ValueError as err:
        raise refused(link, _no_certificate()) from err
    return Shown(certificate, endpoint.Server.ApplicationUri or "", link.endpoint)


async def log_in(client: Client, link: LinkSettings) -> None:
    """Activate the session of a client as the link's user. Raises Misconfigured."""
    kind = _kind(link)
    anonymous = kind == ua.UserTokenType.Anonymous
    login = Login() if anonymous else await _in_thread(link, login_of, link)
    tokens: Sequence[ua.UserTokenPolicy] = client._policy_ids or ()  # noqa: SLF001
    if tokens and kind not in {token.TokenType for token in tokens}:
        raise refused(link, _no_such_login(kind, tokens))
    if tokens and link.user is not None:  # without any, the endpoint's own policy encrypts
        _keep_protected(client, link, tokens)
    if login.identity is not None:
        client.user_private_key = login.identity.key
    await client.activate_session(
        username=None if link.user is None else link.user.name,
        password=login.password,
        certificate=None if login.identity is None else login.identity.x509,
    )


def _keep_protected(
    client: Client, link: LinkSettings, tokens: Sequence[ua.UserTokenPolicy]
) -> None:
    """Leave the ways to send a password that nobody can read it on. Raises Misconfigured."""
    encrypted = client.security_policy.Mode == ua.MessageSecurityMode.SignAndEncrypt
    good = [
        token
        for token in tokens
        if token.TokenType == ua.UserTokenType.UserName
        and (encrypted or (token.SecurityPolicyUri or client.security_policy.URI) in _STRONG)
    ]
    if not good:
        raise refused(
            link,
            BadSetting(
                "opcua_plain_password",
                "the server asks for the password without encryption",
                "use mode: sign_and_encrypt",
            ),
        )
    client._policy_ids = good  # noqa: SLF001


async def _in_thread(
    link: LinkSettings, function: Callable[P, Result], *args: P.args, **kwargs: P.kwargs
) -> Result:
    """Do what reads files. Raises Misconfigured."""
    try:
        return await asyncio.to_thread(function, *args, **kwargs)
    except Unusable as err:
        raise refused(link, err.refusal) from err
    except OSError as err:
        where = str(err.filename or keys_of(link))
        raise refused(link, unusable(Path(where), err.strerror or str(err)).refusal) from err


def _judged(link: LinkSettings, secured: Secured, shown: Shown, now: datetime) -> BadSetting | None:
    files = TrustList(keys_of(link))
    refusal = judge(
        shown,
        files.trusted(),
        now=now,
        accept_expired=secured.accept_expired,
        command=trust_command(link),
    )
    if refusal is not None:
        with suppress(OSError):  # a directory we may not write is no reason to hide the refusal
            files.reject(shown.certificate, link.endpoint)
    return refusal


def _no_certificate() -> BadSetting:
    return BadSetting(
        "opcua_no_certificate",
        "what the server shows as its certificate is none",
        "let the server make a certificate: RSA, 2048 bits or more, SHA-256",
    )


def _not_offered(secured: Secured, offered: Sequence[ua.EndpointDescription]) -> BadSetting:
    return BadSetting(
        "opcua_not_offered",
        "the server does not offer {wanted}",
        "it offers: {offered}. Write one of them, or switch the wanted one on in the server",
        wanted=f"{secured.policy} {secured.mode}",
        offered=", ".join(dict.fromkeys(said(endpoint) for endpoint in offered)) or "-",
    )


def said(endpoint: ua.EndpointDescription) -> str:
    """Return the policy and the mode of an endpoint in the words of the configuration."""
    uri = endpoint.SecurityPolicyUri or ""
    policy = next((name for name, known in POLICIES.items() if uri == known.URI), None)
    mode = next((name for name, known in MODES.items() if known == endpoint.SecurityMode), "none")
    return mode if mode == "none" else f"{policy or uri.removeprefix(_PREFIX)} {mode}"


_LOGINS: Mapping[ua.UserTokenType, str] = MappingProxyType(
    {
        ua.UserTokenType.Anonymous: "anonymous",
        ua.UserTokenType.UserName: "user",
        ua.UserTokenType.Certificate: "user_certificate",
        ua.UserTokenType.IssuedToken: "token",
    }
)


def _kind(link: SecureLink) -> ua.UserTokenType:
    if link.user is not None:
        return ua.UserTokenType.UserName
    if link.user_certificate is not None:
        return ua.UserTokenType.Certificate
    return ua.UserTokenType.Anonymous


def _no_such_login(kind: ua.UserTokenType, tokens: Sequence[ua.UserTokenPolicy]) -> BadSetting:
    return BadSetting(
        "opcua_no_such_login",
        "the server lets nobody in by this way: {wanted}",
        "it takes: {offered}",
        wanted=_LOGINS[kind],
        offered=", ".join(sorted({_LOGINS[token.TokenType] for token in tokens})),
    )
