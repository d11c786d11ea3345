"""An OPC UA server that shows what it is handed: nodes by id or by path, and alarms.

- A node is written ``ns=4;s=Run``, ``nsu=urn:x;s=Run``, or as the names that lead to it
  from the Objects folder, each with its namespace: ``{urn:x}Line/{urn:x}Run``.
- Its type is that of the first value it was handed.
"""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from asyncua import Server, ua
from asyncua.server.internal_server import InternalServer

HOST = "127.0.0.1"
Shown = bool | int | float | str
_URI = re.compile(r"\{([^{}]+)\}([^{}/]+)")
_TYPES: Mapping[type, ua.VariantType] = {
    bool: ua.VariantType.Boolean,
    int: ua.VariantType.Int64,
    float: ua.VariantType.Double,
    str: ua.VariantType.String,
}


class ProfileServer:
    """One machine's server, anonymous, on a free port of this machine."""

    def __init__(self, *, namespaces: int = 2) -> None:
        """Have at least so many namespaces: a bare ``ns=4`` needs five."""
        self._server: Any = None
        self._namespaces = namespaces
        self._nodes: dict[str, Any] = {}
        self._alarms: dict[str, Any] = {}

    @property
    def endpoint(self) -> str:
        """Where it listens."""
        return f"opc.tcp://{HOST}:{self._server.bserver.port}"

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Listen until the context ends."""
        inner = InternalServer()
        inner.bind_condition_methods = True
        self._server = Server(iserver=inner)
        await self._server.init()
        self._server.set_endpoint(f"opc.tcp://{HOST}:0/")
        self._server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
        while len(await self._server.get_namespace_array()) < self._namespaces:
            count = len(await self._server.get_namespace_array())
            await self._server.register_namespace(f"urn:simulated:{count}")
        async with self._server:
            yield

    async def show(self, values: Mapping[str, Shown]) -> None:
        """Set some nodes; one that is not there yet is made."""
        for written, value in values.items():
            if written not in self._nodes:
                self._nodes[written] = await self._made(written, value)
            kind = _TYPES[type(value)]
            await self._nodes[written].write_value(ua.Variant(value, kind))

    async def alarm(self, active: Mapping[str, int]) -> None:
        """Have these alarms active, name -> severity, and no others."""
        for name in self._alarms.keys() | active.keys():
            if name not in self._alarms:
                self._alarms[name] = await self._condition(name)
            source = self._alarms[name]
            is_active = name in active
            source.event.Severity = active.get(name, source.event.Severity)
            source.event.Retain = is_active
            setattr(source.event, "ActiveState/Id", is_active)
            await source.trigger(message=name)

    async def _condition(self, name: str) -> Any:
        source = await self._server.get_event_generator(ua.ObjectIds.AlarmConditionType)
        source.event.NodeId = ua.NodeId(f"alarm {name}", 1)
        source.event.ConditionName, source.event.BranchId = name, ua.NodeId()
        return source

    async def _made(self, written: str, value: Shown) -> Any:
        if not (steps := _URI.findall(written)):
            node_id, index = await self._node_id(written)
            return await self._server.nodes.objects.add_variable(
                node_id, f"{index}:{written}", value
            )
        parent = self._server.nodes.objects
        for uri, name in steps[:-1]:
            browse_name = ua.QualifiedName(name, await self._server.register_namespace(uri))
            parent = await self._child(parent, browse_name)
        uri, name = steps[-1]
        index = await self._server.register_namespace(uri)
        return await parent.add_variable(index, name, value)

    @staticmethod
    async def _child(parent: Any, name: ua.QualifiedName) -> Any:
        for child in await parent.get_children():
            if await child.read_browse_name() == name:
                return child
        return await parent.add_object(name.NamespaceIndex, name.Name)

    async def _node_id(self, written: str) -> tuple[ua.NodeId, int]:
        space, _, identifier = written.partition(";s=")
        if space.startswith("nsu="):
            index = await self._server.register_namespace(space.removeprefix("nsu="))
        else:
            index = int(space.removeprefix("ns="))
        return ua.NodeId(identifier, index), index
