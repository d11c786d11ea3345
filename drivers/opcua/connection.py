"""The services of one open session that we use, in the library's words.

Promises:

- A publish request is sent when, and acknowledges what, the caller says.
- Whatever goes wrong comes out as a DriverError.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from asyncua import Client, ua
from asyncua.client.ua_session import UaSession

from drivers.contract import BadReply, Unreachable
from drivers.opcua import wire
from drivers.opcua.batches import Arrival
from drivers.opcua.errors import as_driver_errors
from drivers.opcua.expiry import Watch
from drivers.opcua.limits import Limits, smaller
from drivers.opcua.notifications import told_by
from drivers.opcua.paths import Step
from drivers.opcua.services import Created, Message, Opened, Place, Raw, Revised, Wanted
from drivers.opcua.settings import LinkSettings
from drivers.opcua.walk import follow

_RENEW_AFTER = 0.75  # Part 4, 5.5.2.1
_ANY_AGE_MS = 0x7FFF_FFFF  # Part 4, 5.11.2.2: what the server holds already
_NAMESPACES = ua.NodeId(ua.ObjectIds.Server_NamespaceArray)
_CLOCK = ua.NodeId(ua.ObjectIds.Server_ServerStatus_CurrentTime)


class Connection:
    """An active session without a subscription."""

    def __init__(
        self,
        client: Client,
        link: LinkSettings,
        now: Callable[[], datetime],
        monotonic: Callable[[], float],
    ) -> None:
        self._client = client
        self._services: UaSession = client.uaclient.session
        self._link = link
        self._now = now
        self._monotonic = monotonic
        self._certificates = Watch(link, now)
        self._renew_at_s = self._next_renewal_s()
        self.limits = link.known_limits
        self.revised: dict[str, Revised] = {}

    @property
    def endpoint(self) -> str:
        """For people."""
        return self._link.endpoint

    @property
    def queue_size(self) -> int:
        """The length of a queue that items are asked for with."""
        return smaller(self._link.queue_size, self.limits.queue_size)

    async def prepare(self) -> None:
        """Learn the server's limits; most need not be named, and a refusal is none."""
        with as_driver_errors(self.endpoint):
            answers = await self._services.read_attributes(list(wire.LIMITS), ua.AttributeIds.Value)
        named = {
            name: wire.limit(answer)
            for name, answer in zip(wire.LIMITS.values(), answers, strict=True)
        }
        self.limits = self.limits.within(Limits(**named))
        await self._certificates.look()

    async def namespaces(self) -> Sequence[str]:
        """Return the URIs, by index, as they are now."""
        with as_driver_errors(self.endpoint):
            [array] = await self._services.read_attributes([_NAMESPACES], ua.AttributeIds.Value)
        return [str(uri) for uri in array.Value.Value or ()] if wire.has_value(array) else []

    async def resolve(self, paths: Sequence[Sequence[Step]]) -> Sequence[Place | None]:
        """Return where browse paths from the Objects folder lead; None: nowhere, or to many."""
        with as_driver_errors(self.endpoint):
            return [
                None if found is None else Place(found.NamespaceIndex, found.Identifier)
                for found in await follow(self._services, paths)
            ]

    async def subscribe(self) -> Opened:
        """Create a subscription."""
        asked = wire.subscription(self._link, self.limits)
        with as_driver_errors(self.endpoint):
            made = await self._services.create_subscription(asked, _ignore)
        got_ms = made.RevisedPublishingInterval
        if got_ms > asked.RequestedPublishingInterval:
            asked_ms = asked.RequestedPublishingInterval
            self.revised["publishing_interval_ms"] = Revised(
                "publishing_interval_ms", asked_ms, got_ms
            )
        return Opened(made.SubscriptionId, got_ms, got_ms * made.RevisedMaxKeepAliveCount / 1000)

    async def create(self, subscription: int, wanted: Sequence[Wanted]) -> Sequence[Created]:
        """Create items; one result each, in order."""
        parameters = ua.CreateMonitoredItemsParameters()
        parameters.SubscriptionId = subscription
        parameters.TimestampsToReturn = ua.TimestampsToReturn.Both
        parameters.ItemsToCreate = [wire.item(item, self.queue_size) for item in wanted]
        with as_driver_errors(self.endpoint):
            results = await self._services.create_monitored_items(parameters)
        self._same_number(len(wanted), len(results))
        return [
            Created(
                result.StatusCode.value,
                result.MonitoredItemId,
                result.RevisedSamplingInterval or 0.0,
                result.RevisedQueueSize or 0,
            )
            for result in results
        ]

    async def delete(self, subscription: int, item_ids: Sequence[int]) -> None:
        """Delete items; one that is gone already is no error."""
        parameters = ua.DeleteMonitoredItemsParameters()
        parameters.SubscriptionId = subscription
        parameters.MonitoredItemIds = list(item_ids)
        with as_driver_errors(self.endpoint):
            await self._services.delete_monitored_items(parameters)

    async def refresh(self, subscription: int, item_id: int) -> bool:
        """Ask for all conditions there are (Part 9, 5.5.7); False if the server cannot tell."""
        with as_driver_errors(self.endpoint):
            for call in wire.refresh_calls(subscription, item_id):
                [result] = await self._services.call([call])
                if result.StatusCode.is_good():
                    return True
        return False

    async def publish(self, acknowledged: Sequence[tuple[int, int]]) -> Message:
        """Say what may be forgotten (subscription, number); wait for the next message."""
        request = ua.PublishRequest()
        request.Parameters.SubscriptionAcknowledgements = [
            ua.SubscriptionAcknowledgement(number, n) for number, n in acknowledged
        ]
        with as_driver_errors(self.endpoint):
            answer = await self._services._send_request(request, timeout=0)  # noqa: SLF001
            arrived = Arrival(self._now(), self._monotonic())
            told = told_by(bytes(answer))
        if told.ended is not None:
            reason = f"the server ended the subscription: {told.ended}"
            raise Unreachable(self.endpoint, reason)
        return Message(
            arrived,
            told.sequence,
            told.raws,
            subscription=told.subscription,
            notices=told.notices,
        )

    async def confirm(self, subscriptions: Sequence[int]) -> Arrival:
        """Return when the server confirmed that it still has them; any answer if none."""
        parameters = ua.SetPublishingModeParameters()
        parameters.PublishingEnabled = True
        parameters.SubscriptionIds = list(subscriptions)
        with as_driver_errors(self.endpoint):
            if subscriptions:
                for status in await self._services.set_publishing_mode(parameters):
                    status.check()
            else:
                await self._services.read_attributes([_CLOCK], ua.AttributeIds.Value)
        return Arrival(self._now(), self._monotonic())

    async def read(self, places: Sequence[Place], *, cached: bool) -> tuple[list[Raw], Arrival]:
        """Return the present values in order, in one request; their handles mean nothing."""
        parameters = ua.ReadParameters()
        parameters.MaxAge = _ANY_AGE_MS if cached else 0
        parameters.TimestampsToReturn = ua.TimestampsToReturn.Source
        parameters.NodesToRead = [wire.value_of(place) for place in places]
        with as_driver_errors(self.endpoint):
            answers = await self._services.read(parameters)
        arrived = Arrival(self._now(), self._monotonic())
        self._same_number(len(places), len(answers))
        return [wire.raw(0, answer) for answer in answers], arrived

    async def renew_channel(self) -> None:
        """Renew the secure channel if three quarters of its life are over."""
        if self._monotonic() < self._renew_at_s:
            return
        with as_driver_errors(self.endpoint):
            await self._client.open_secure_channel(renew=True)
            self._client.uaclient.revolve_security_token()
        self._renew_at_s = self._next_renewal_s()
        await self._certificates.look()

    @property
    def services(self) -> UaSession:
        """The library's own, for what looks around in the address space."""
        return self._services

    def _next_renewal_s(self) -> float:
        lifetime_s: float = self._client.secure_channel_timeout / 1000
        return self._monotonic() + lifetime_s * _RENEW_AFTER

    def _same_number(self, asked: int, answered: int) -> None:
        if asked != answered:
            reason = f"{asked} items asked for, {answered} answered"
            raise BadReply(self.endpoint, reason)


def _ignore(_: object) -> None:
    """The library wants a callback for the loop that does not run."""
