"""Which names a request may be addressed to.

A page elsewhere can have its own name resolve to this machine (DNS rebinding); the browser
then takes us for that page. It cannot do so with an address, nor with a name that is ours.
"""

import ipaddress

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.web.language import choose
from gateway.web.problems import Problem


class HostCheck:
    """ASGI; refuses what is addressed to somebody else."""

    def __init__(self, app: ASGIApp, names: frozenset[str], *, any_address: bool) -> None:
        self._app = app
        self._names = names
        self._any_address = any_address

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] in {"http", "websocket"}:
            headers = Headers(scope=scope)
            if not self._is_ours(headers.get("host", "")):
                language = choose(None, headers.get("accept-language"))
                await Problem("bad_host").response(language)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _is_ours(self, host: str) -> bool:
        name = _without_port(host).lower()
        if name == "localhost" or name in self._names:
            return True
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return False
        return self._any_address or address.is_loopback


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]
