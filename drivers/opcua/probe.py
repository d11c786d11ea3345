"""The way to an OPC UA session, step by step: what the server offers, security, login.

- Nothing is written and nothing subscribed; each step has a connection of its own.
- What the server answers about certificates and logins is said in the driver's own words.
"""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import MappingProxyType
from urllib.parse import urlsplit

from asyncua import Client
from asyncua.ua import uaerrors as ua

from drivers.clock import utc_now
from drivers.contract import BadSetting, DriverError, TagRequest, Value
from drivers.opcua.client import connect
from drivers.opcua.errors import as_driver_errors
from drivers.opcua.nodes import parse
from drivers.opcua.secure import endpoints, prepare, said
from drivers.opcua.settings import DEFAULT_PORT, LinkSettings, TagSettings
from drivers.opcua.turned_away import turned_away
from drivers.probed import Said, Step, Tell

_CAUSES: Mapping[type[BaseException], tuple[str, str]] = MappingProxyType(
    {
        TimeoutError: ("server_silent", "try_opcua_port"),
        ConnectionError: ("server_hung_up", "try_server"),
        ua.BadTcpEndpointUrlInvalid: ("endpoint_unknown", "try_endpoint_path"),
        ua.BadTooManySessions: ("too_many_sessions", "try_sessions"),
        ua.BadMaxConnectionsReached: ("too_many_sessions", "try_sessions"),
        ua.UaError: ("foreign_server", "try_opcua_port"),
    }
)
"""What was raised -> the sentence, and the one about what to try."""


def reach(link: LinkSettings) -> tuple[str, int]:
    """Return where a TCP connection must be taken."""
    parts = urlsplit(link.endpoint)
    return parts.hostname or "", parts.port or DEFAULT_PORT


async def probe(link: LinkSettings, _: Sequence[TagRequest], tell: Tell) -> bool:
    """Ask for the endpoints, agree on security, open a session; return whether all went well."""
    security = "none"
    if link.secured is not None:
        security = f"{link.secured.policy} {link.secured.mode}"

    async def offered() -> str:
        with as_driver_errors(link.endpoint), turned_away(link):
            found = await endpoints(link)
        return "; ".join(dict.fromkeys(said(one) for one in found))

    async def agreed() -> str:
        with as_driver_errors(link.endpoint), turned_away(link):
            await prepare(Client(link.endpoint, timeout=link.timeout_s), link, utc_now)
        return security

    async def opened() -> str:
        async with connect(link, now=utc_now, monotonic=time.monotonic) as connection:
            return "; ".join((await connection.namespaces())[2:])

    return (
        await _step("endpoint", link.endpoint, offered, tell)
        and await _step("security", security, agreed, tell)
        and await _step("session", _user(link), opened, tell)
    )


async def _step(name: str, subject: str, act: Callable[[], Awaitable[str]], tell: Tell) -> bool:
    began_s = time.monotonic()
    try:
        detail = await act()
    except DriverError as err:
        cause, hints = why(err)
        tell(Step(name, subject, time.monotonic() - began_s, "", cause, hints))
        return False
    tell(Step(name, subject, time.monotonic() - began_s, detail))
    return True


def why(err: DriverError) -> tuple[Said, tuple[Said, ...]]:
    """Return why something failed and what to try: the driver's own sentence where it has one."""
    refusal = getattr(err, "refusal", None)
    if isinstance(refusal, BadSetting):
        said_so = {**refusal.fields, "reason": refusal.problem, "hint": refusal.hint}
        return Said(refusal.code, said_so), ()
    kinds = type(err.__cause__ or err).__mro__
    code, hint = next((_CAUSES[k] for k in kinds if k in _CAUSES), ("driver_error", "try_server"))
    return Said(code, {"reason": err.reason}), (Said(hint),)


async def doubts(
    link: LinkSettings,
    tags: Sequence[TagRequest],
    _: Mapping[str, Value],
    causes: Mapping[str, str],
) -> Mapping[str, tuple[Said, ...]]:
    """Return what to try with each node the server does not have; see `ProtocolSpec.doubts`."""
    missing = [tag for tag in tags if causes.get(tag.key) == "missing_node"]
    if not missing:
        return {}
    try:
        async with connect(link, now=utc_now, monotonic=time.monotonic) as connection:
            namespaces = await connection.namespaces()
    except DriverError:
        return {}
    return {tag.key: (_missing(tag.settings, namespaces),) for tag in missing}


def _missing(tag: TagSettings, namespaces: Sequence[str]) -> Said:
    known = ", ".join(f"{index}={uri}" for index, uri in enumerate(namespaces) if index)
    written = tag.node or tag.conditions
    if written is not None:
        index = parse(written).index(namespaces)
        if index is None or index >= len(namespaces):
            return Said("namespace_absent", {"node": written, "known": known})
    return Said("node_absent", {"node": written or tag.path, "known": known})


def _user(link: LinkSettings) -> str:
    if link.user is not None:
        return link.user.name
    return "anonymous" if link.user_certificate is None else link.user_certificate.cert_file
