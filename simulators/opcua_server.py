"""Machines on a real OPC UA server; anonymous, and encrypted for those who ask for it.

- Values are written when they change, all that changed at one moment with one stamp.
  What is written while somebody monitors it, or stands there when he begins, is served.
- `stop` closes the listening socket and every connection; `start` comes back on the
  same port. The address space stays, building it takes a second.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import inf

from asyncua import Server, ua
from asyncua.common.callback import CallbackType, ServerItemCallback
from asyncua.server.internal_session import InternalSession

from simulators.certificate import self_signed
from simulators.clock import PlantClock
from simulators.nodes import NAMESPACE, NODES, NodeSpec, folder, node_name
from simulators.served import Record

HOST = "127.0.0.1"
_APPLICATION_URI = "urn:freeopcua:python:server"
_EVERY_ENDPOINT = [
    ua.SecurityPolicyType.NoSecurity,
    ua.SecurityPolicyType.Basic256Sha256_Sign,
    ua.SecurityPolicyType.Basic256Sha256_SignAndEncrypt,
    ua.SecurityPolicyType.Aes128Sha256RsaOaep_Sign,
    ua.SecurityPolicyType.Aes128Sha256RsaOaep_SignAndEncrypt,
    ua.SecurityPolicyType.Aes256Sha256RsaPss_Sign,
    ua.SecurityPolicyType.Aes256Sha256RsaPss_SignAndEncrypt,
]
ANALOG_EVERY_S = 0.2
"""Wall seconds between two writes of readings that swing all the time."""


@dataclass(slots=True)
class Item:
    """One node, what it shows, and who has it in a subscription."""

    record: Record
    spec: NodeSpec
    node_id: ua.NodeId
    shown: int | float | None = None
    subscriptions: set[int] = field(default_factory=set)


@dataclass(slots=True)
class OpcUaController:
    """An OPC UA server with the machines of ``records``."""

    name: str
    records: Sequence[Record]
    clock: PlantClock
    port: int = 0
    secured: bool = False
    """Offer every encrypted endpoint as well, to any client."""
    _server: Server | None = field(default=None, init=False)
    _listening: bool = field(default=False, init=False)
    _items: dict[ua.NodeId, Item] = field(default_factory=dict, init=False)
    _analog_due: float = field(default=-inf, init=False)
    _sessions: dict[ua.NodeId, InternalSession] = field(default_factory=dict, init=False)
    """Every session that ever had a subscription; without power they are gone."""

    async def start(self) -> None:
        """Listen on ``port``, or on a free one that is kept from then on."""
        if self._server is None:
            self._server = await self._build()
            await self._server.start()
            self.port = self._server.bserver.port
        else:
            await self._server.bserver.start()
        self._listening = True

    async def stop(self, why: str = "power_off") -> None:
        """Close the listening socket and every connection."""
        if self._server is None or not self._listening:
            return
        self._listening = False
        self._reachable()
        await self._server.bserver.stop()
        self._forget_gone(set(), why)
        for session in self._sessions.values():
            await session.close_session(delete_subs=True)
        self._sessions.clear()

    async def close(self) -> None:
        """Release everything; there is no start after it."""
        if self._server is not None:
            await self.stop()
            await self._server.iserver.stop()
            self._server = None

    async def tick(self) -> None:
        """Write what changed, record what was served, notice who is gone."""
        if self._server is None or not self._listening:
            return
        self._forget_gone(self._reachable())
        at = self.clock.wall()
        analog = at >= self._analog_due
        if analog:
            self._analog_due = at + ANALOG_EVERY_S
        for record in self.records:
            record.machine.advance(self.clock.virtual_s())
        stamp = datetime.fromtimestamp(at, tz=UTC)
        for item in self._items.values():
            if item.spec.facet or analog:
                await self._show(item, at, stamp)

    def _reachable(self) -> set[int]:
        """Return the subscriptions whose client is connected.

        A session outlives its connection until it times out (Part 4, 6.7), and writes go
        on into its subscriptions; nobody is served by that.
        """
        if self._server is None:
            return set()
        processors = [client.processor for client in self._server.bserver.clients]
        connected = {
            processor.session.session_id: processor.session
            for processor in processors
            if processor is not None and processor.session is not None
        }
        self._sessions |= connected
        subscriptions = self._server.iserver.subscription_service.subscriptions
        return {
            number
            for number, subscription in subscriptions.items()
            if subscription.session_id in connected
        }

    async def _show(self, item: Item, at: float, stamp: datetime) -> None:
        value = item.spec.value(item.record.machine)
        if value == item.shown or self._server is None:
            return
        item.shown = value
        if item.subscriptions and item.spec.facet:
            item.record.served(item.spec.facet, at)
        await self._server.write_attribute_value(item.node_id, _data_value(item.spec, value, stamp))

    async def _build(self) -> Server:
        server = Server()
        await server.init()
        server.set_endpoint(f"opc.tcp://{HOST}:{self.port}/")
        self._secure(server)
        server.set_identity_tokens([ua.AnonymousIdentityToken])
        index = await server.register_namespace(NAMESPACE)
        for record in self.records:
            prefix = folder(record.machine.spec.name)
            parent = await server.nodes.objects.add_object(ua.NodeId(prefix, index), prefix)
            for spec in NODES.values():
                node_id = ua.NodeId(node_name(record.machine.spec.name, spec), index)
                value = spec.value(record.machine)
                await parent.add_variable(node_id, spec.name, value, ua.VariantType[spec.type])
                self._items[node_id] = Item(record, spec, node_id, value)
        server.subscribe_server_callback(CallbackType.ItemSubscriptionCreated, self._subscribed)
        return server

    def _secure(self, server: Server) -> None:
        server.set_security_policy(_EVERY_ENDPOINT if self.secured else _EVERY_ENDPOINT[:1])
        if self.secured:
            server.iserver.certificate, server.iserver.private_key = self_signed(
                f"simulated {self.name}", application_uri=_APPLICATION_URI, host=HOST
            )

    def _subscribed(self, event: ServerItemCallback, _service: object) -> None:
        """A new monitored item is served the present value at once."""
        self._reachable()
        at = self.clock.wall()
        asked, granted = event.request_params, event.response_params
        for wish, result in zip(asked.ItemsToCreate, granted, strict=True):
            item = self._items.get(wish.ItemToMonitor.NodeId)
            if item is None or not result.StatusCode.is_good():
                continue
            item.subscriptions.add(asked.SubscriptionId)
            if item.spec.facet:
                item.record.served(item.spec.facet, at)

    def _forget_gone(self, alive: set[int], why: str = "collector_down") -> None:
        at = self.clock.wall()
        for item in self._items.values():
            if item.subscriptions and not item.subscriptions & alive:
                item.record.cut(at, why)
            item.subscriptions &= alive
        if why == "power_off":
            for record in self.records:
                record.cut(at, why)


def _data_value(spec: NodeSpec, value: float, stamp: datetime) -> ua.DataValue:
    return ua.DataValue(
        ua.Variant(value, ua.VariantType[spec.type]), SourceTimestamp=stamp, ServerTimestamp=stamp
    )
