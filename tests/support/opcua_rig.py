"""A real OPC UA server in this process, and the rig by which the contract suite uses it."""

import asyncio
import copy
import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, ClassVar

from asyncua import Server, ua
from asyncua.server.internal_server import InternalServer

from drivers.contract import Driver, TagRequest, Value
from drivers.opcua import SPEC
from drivers.opcua.driver import OpcUaDriver
from tests.support.ports import free_port
from tests.support.rig import PATIENT_S, Address, RigFactory

URI = "urn:millgate:test"
KEEPALIVE_S = 0.4
HASTY_S = 1.0
"""A silent server is asked after a keepalive and has this time to answer a hasty driver."""

# It warns of each endpoint without encryption and of each connection that a test cuts.
logging.getLogger("asyncua").setLevel(logging.CRITICAL)


class _OwnCopies(dict[ua.NodeId, Any]):
    """Nodes that are copied from a common source when they are first looked at."""

    def __init__(self, source: Mapping[ua.NodeId, Any]) -> None:
        super().__init__()
        self._source = source

    def __missing__(self, key: ua.NodeId) -> Any:
        self[key] = copy.deepcopy(self._source[key])
        return self[key]

    def __contains__(self, key: object) -> bool:
        return super().__contains__(key) or key in self._source

    def get(self, key: ua.NodeId, default: Any = None) -> Any:
        try:
            return self[key]
        except KeyError:
            return default


class _QuickServer(InternalServer):  # type: ignore[misc]
    """Makes the 6,000 standard nodes once in a process: they take the library a second."""

    _standard: ClassVar[dict[ua.NodeId, Any]] = {}

    async def load_standard_address_space(self, shelf_file: Path | None = None) -> None:
        if not self._standard:
            await super().load_standard_address_space(shelf_file)
            self._standard.update(self.aspace._nodes)  # noqa: SLF001
        self.aspace._nodes = _OwnCopies(self._standard)  # noqa: SLF001


class OpcUaServer:
    """A server on a free port of 127.0.0.1 that can be stopped and started again."""

    def __init__(self, values: Mapping[str, Value], *, uris: tuple[str, ...] = (URI,)) -> None:
        """``values``: name -> value; a name is the string identifier in namespace `URI`."""
        self.values: dict[str, Value] = dict(values)
        self.uris = uris
        self.port = free_port()
        self.refreshes = True
        """Whether it can bring up its conditions again."""
        self._server: Any = None

    @property
    def endpoint(self) -> str:
        return f"opc.tcp://127.0.0.1:{self.port}"

    @property
    def subscriptions(self) -> list[Any]:
        """The library's own objects: for a look at what the server keeps."""
        return list(self._server.iserver.subscription_service.subscriptions.values())

    @property
    def library(self) -> Any:
        """The library's server, for a test that breaks something in it."""
        return self._server

    async def alarm(self, name: str, severity: int = 800) -> "Alarm":
        """Return an alarm of the Server object; nothing was said of it yet."""
        source = await self._server.get_event_generator(ua.ObjectIds.AlarmConditionType)
        event = source.event
        event.NodeId = ua.NodeId(name, await self._server.get_namespace_index(URI))
        event.ConditionName, event.Severity, event.BranchId = name, severity, ua.NodeId()
        return Alarm(source)

    @property
    def items(self) -> list[int]:
        """The numbers of the monitored items; a newer one has a higher number."""
        return [
            number
            for subscription in self.subscriptions
            for number in subscription.monitored_item_srv._monitored_items  # noqa: SLF001
        ]

    @property
    def connections(self) -> int:
        """How many clients hold a socket."""
        return len(self._server.iserver.asyncio_transports)

    @property
    def channel_tokens(self) -> list[int]:
        """The number of each client's security token: the next one after a renewal."""
        return [
            client.processor._connection.security_token.TokenId  # noqa: SLF001
            for client in self._server.bserver.clients
        ]

    async def forget_subscriptions(self) -> None:
        """Lose them without a word, as after a partial restart."""
        service = self._server.iserver.subscription_service
        await service.delete_subscriptions(list(service.subscriptions))

    async def end_subscriptions(self) -> None:
        """Say that they are over, as a server does that has lost its patience."""
        for subscription in self.subscriptions:
            await subscription.enqueue_statuschange(ua.StatusCode(ua.StatusCodes.BadTimeout))
            subscription._startup = True  # noqa: SLF001  its loop overlooks a lone status change

    async def start(self) -> None:
        quick = _QuickServer()
        quick.bind_condition_methods = self.refreshes
        server = Server(iserver=quick)
        await server.init()
        server.set_endpoint(f"{self.endpoint}/")
        self.configure(server)
        for uri in self.uris:
            await server.register_namespace(uri)
        self._server = server
        for name, value in self.values.items():
            await self.add(name, value)
        await server.start()

    def configure(self, server: Server) -> None:
        """Nothing; a server of another kind is made by a subclass."""

    async def add(self, name: str, value: Value) -> None:
        self.values[name] = value
        index = await self._server.get_namespace_index(URI)
        await self._server.nodes.objects.add_variable(ua.NodeId(name, index), name, value)

    async def set(self, name: str, value: Value) -> None:
        self.values[name] = value
        await (await self._node(name)).write_value(value)

    async def tell(self, name: str, value: ua.DataValue) -> None:
        """Hold a value with its status and its stamps."""
        node = await self._node(name)
        await self._server.write_attribute_value(node.nodeid, value)

    async def stop(self) -> None:
        if self._server is None:
            return
        server, self._server = self._server, None
        for session in list(server.iserver._external_sessions.values()):  # noqa: SLF001
            await session.close_session(delete_subs=True)
        # Its clock ends only at its next tick, up to a second away.
        clock, server.iserver.time_task = server.iserver.time_task, None
        clock.cancel()
        with suppress(asyncio.CancelledError):
            await clock
        await server.stop()

    async def _node(self, name: str) -> Any:
        index = await self._server.get_namespace_index(URI)
        return self._server.get_node(ua.NodeId(name, index))


class Alarm:
    """An alarm that a test raises and clears."""

    def __init__(self, source: Any) -> None:
        self.event = source.event
        self._source = source

    async def say(self, text: str, *, active: bool, retain: bool | None = None) -> None:
        """Send an event; without ``retain`` the alarm is retained while it is active."""
        setattr(self.event, "ActiveState/Id", active)
        self.event.Retain = active if retain is None else retain
        await self._source.trigger(message=text)


@asynccontextmanager
async def opcua_server(
    values: Mapping[str, Value], *, uris: tuple[str, ...] = (URI,)
) -> AsyncIterator[OpcUaServer]:
    """Run a server; stop it on exit."""
    server = OpcUaServer(values, uris=uris)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()
        # The library reads its standard nodes in a thread of the loop's own pool.
        await asyncio.get_running_loop().shutdown_default_executor()


def opcua_driver(
    endpoint: str,
    names: Mapping[str, str],
    *,
    monotonic: Callable[[], float] = time.monotonic,
    **link: object,
) -> Driver:
    """Return a driver for tags ``key -> name of the node``, quick enough for tests."""
    settings: dict[str, object] = {
        "endpoint": endpoint,
        "publishing_interval_ms": 50,
        "keepalive_s": KEEPALIVE_S,
        "timeout_s": PATIENT_S,
        "retry_refused_s": 0.2,
    }
    requests = [
        TagRequest(key, "plc", None, SPEC.tag_settings(node=f"nsu={URI};s={name}"))
        for key, name in names.items()
    ]
    return OpcUaDriver(SPEC.link_settings(**settings | link), requests, monotonic=monotonic)


GOOD: Mapping[str, tuple[Value, Value]] = {
    "cell/run": (False, True),
    "cell/count": (41, 42),
    "cell/heat": (20.5, 21.25),
    "cell/program": ("O1000", "O2000"),
}
REFUSED = "cell/missing"


class _Rig:
    good = GOOD
    refused = REFUSED
    gives_up_s = KEEPALIVE_S + HASTY_S + 0.6

    def __init__(self, server: OpcUaServer, link: Mapping[str, Any]) -> None:
        self._server = server
        self._link = link

    def driver(self, *, at: Address | None = None, hasty: bool = False) -> Driver:
        endpoint = self._server.endpoint if at is None else f"opc.tcp://{at[0]}:{at[1]}"
        names = {key: key for key in (*self.good, self.refused)}
        return opcua_driver(
            endpoint, names, **self._link, timeout_s=HASTY_S if hasty else PATIENT_S
        )

    async def set(self, key: str, value: Value) -> None:
        await self._server.set(key, value)

    async def stop_server(self) -> None:
        await self._server.stop()

    async def start_server(self) -> None:
        await self._server.start()


def rig_of(**link: Any) -> RigFactory:
    """Return a rig whose drivers have these settings beside those that make them quick."""

    @asynccontextmanager
    async def rig() -> AsyncIterator[_Rig]:
        async with opcua_server({key: start for key, (start, _) in _Rig.good.items()}) as server:
            yield _Rig(server, link)

    return rig


RIG = rig_of()
POLLED = rig_of(mode="poll", poll_interval_ms=100)
"""The same through readings in turn: nobody outside can tell."""
