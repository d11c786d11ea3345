"""An OPC UA server made with node-opcua, and the rigs by which the contract suite uses it."""

import asyncio
import atexit
import json
import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization

from drivers.contract import Driver, Value
from drivers.opcua.certificates import read_certificate
from drivers.opcua.trust import TrustList
from tests.support.foreign_process import SHELF, ForeignServer, scripted
from tests.support.opcua_rig import GOOD, HASTY_S, KEEPALIVE_S, REFUSED, opcua_driver
from tests.support.opcua_secure import certificate, key_pem, secure_driver
from tests.support.ports import free_port
from tests.support.rig import PATIENT_S, Address, RigFactory

_KIND = "node-opcua"
ENCRYPTED: Mapping[str, Any] = {
    "security": {"policy": "basic256sha256", "mode": "sign_and_encrypt"}
}
_QUICK = {"keepalive_s": KEEPALIVE_S, "retry_refused_s": 0.2}


@cache
def _place() -> Path:
    """Return where the server finds its certificate; until this process ends."""
    directory = Path(tempfile.mkdtemp(prefix="node-opcua-"))
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    pem = certificate("node-opcua").public_bytes(serialization.Encoding.PEM)
    (directory / "certificate.pem").write_bytes(pem)
    (directory / "key.pem").write_bytes(key_pem())
    return directory


class NodeOpcUa:
    """A server on a free port of 127.0.0.1 that can be killed and started again."""

    def __init__(
        self, values: Mapping[str, Value], capabilities: Mapping[str, Any] | None = None
    ) -> None:
        """``capabilities`` are limits of its own; a server that has some is not lent."""
        self._capabilities = capabilities
        self.values: dict[str, Value] = dict(values)
        self.server: ForeignServer | None = None
        self.port = 0

    @property
    def endpoint(self) -> str:
        return f"opc.tcp://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Return when it serves all its values, on the same port as before if there was one."""
        if not self.port:
            shelf = None if self._capabilities else SHELF.take(_KIND)
            self.server, self.port = shelf or (None, free_port())
        if self.server is None or not self.server.runs:
            command = [*scripted("node_opcua_server.js"), str(self.port), str(_place())]
            command += [json.dumps(self._capabilities)] if self._capabilities else []
            self.server = ForeignServer(command)
            self.server.start()
        for name, value in self.values.items():
            self.hold(name, value)

    def hold(self, name: str, value: Value, stamp: datetime | None = None) -> None:
        """Let a node have this value, since the server's now or a time of its own."""
        self.values[name] = value
        dated = f"hold {name}" if stamp is None else f"dated {name} {stamp.timestamp() * 1000:.0f}"
        self._running().tell(f"{dated} {json.dumps(value)}")

    def lose(self, name: str) -> None:
        """Let a node go."""
        del self.values[name]
        self._running().tell(f"lose {name}")

    def stop(self) -> None:
        """Kill it."""
        self._running().stop()

    def lend(self) -> None:
        """Leave it to the next test, if it runs and is like others."""
        if self._capabilities and self.server is not None:
            self.server.stop()
        if self.server is not None and self.server.runs:
            for name in [*self.values]:
                self.lose(name)
            SHELF.put(_KIND, self.server, self.port)

    async def trusted_by(self, site: Path) -> None:
        """Do what a person does who has compared the fingerprint."""
        shown = read_certificate((_place() / "certificate.pem").read_bytes())
        await asyncio.to_thread(TrustList(site / "pki").trust, shown, self.endpoint)

    def _running(self) -> ForeignServer:
        assert self.server is not None
        return self.server


@asynccontextmanager
async def node_opcua(
    values: Mapping[str, Value], capabilities: Mapping[str, Any] | None = None
) -> AsyncIterator[NodeOpcUa]:
    """Run a server, one that is there if there is one."""
    server = NodeOpcUa(values, capabilities)
    server.start()
    try:
        yield server
    finally:
        server.lend()


def _timeout_s(hasty: bool) -> float:
    return HASTY_S if hasty else PATIENT_S


class _Rig:
    good = GOOD
    refused = REFUSED
    gives_up_s = KEEPALIVE_S + HASTY_S + 0.6

    def __init__(self, server: NodeOpcUa, link: Mapping[str, Any]) -> None:
        self.server = server
        self._link = link

    def driver(self, *, at: Address | None = None, hasty: bool = False) -> Driver:
        endpoint = self.server.endpoint if at is None else f"opc.tcp://{at[0]}:{at[1]}"
        return opcua_driver(endpoint, self.names, **self._link, timeout_s=_timeout_s(hasty))

    @property
    def names(self) -> Mapping[str, str]:
        return {key: key for key in (*self.good, self.refused)}

    async def set(self, key: str, value: Value) -> None:
        self.server.hold(key, value)

    async def stop_server(self) -> None:
        self.server.stop()

    async def start_server(self) -> None:
        self.server.start()


class _EncryptedRig(_Rig):
    def __init__(self, server: NodeOpcUa, link: Mapping[str, Any], site: Path) -> None:
        super().__init__(server, link)
        self._site = site

    def driver(self, *, at: Address | None = None, hasty: bool = False) -> Driver:
        endpoint = self.server.endpoint if at is None else f"opc.tcp://{at[0]}:{at[1]}"
        more = {**self._link, "timeout_s": _timeout_s(hasty)}
        return secure_driver(self._site, endpoint, self.names, **more)


_FIRST = {key: first for key, (first, _) in _Rig.good.items()}


@asynccontextmanager
async def _plain() -> AsyncIterator[_Rig]:
    async with node_opcua(_FIRST) as server:
        yield _Rig(server, {})


@asynccontextmanager
async def _encrypted() -> AsyncIterator[_Rig]:
    # A driver that was cancelled may still be writing there, in a thread.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        async with node_opcua(_FIRST) as server:
            await server.trusted_by(Path(folder))
            yield _EncryptedRig(server, {**ENCRYPTED, **_QUICK}, Path(folder))


RIGS: Mapping[str, RigFactory] = {
    "opcua, node-opcua": _plain,
    "opcua, node-opcua, encrypted": _encrypted,
}
