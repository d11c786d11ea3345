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
from drivers.opcua.batches import Arrival
from drivers.opcua.errors import as_driver_errors
from drivers.opcua.settings import LinkSettings
from drivers.opcua.subscription import ASK_FOR_KEEPALIVE, Created, Message, Raw, Wanted

_LIFETIME_KEEPALIVES = 10
_MIN_SESSION_S = 60.0
_RENEW_AFTER = 0.75  # Part 4, 5.5.2.1
_MAX_VALUES_PER_MESSAGE = 1000
_CAPABILITIES = (
    ua.NodeId(ua.ObjectIds.Server_NamespaceArray),
    ua.NodeId(ua.ObjectIds.Server_ServerCapabilities_OperationLimits_MaxMonitoredItemsPerCall),
)


class Connection:
    """An active session with a subscription and no items yet."""

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
        self._subscription_id = 0
        self._renew_at_s = self._next_renewal_s()
        self.keepalive_s = link.keepalive_s
        self.max_items_per_call = 0

    @property
    def endpoint(self) -> str:
        """For people."""
        return self._link.endpoint

    async def prepare(self) -> None:
        """Create the subscription and learn the server's limits."""
        with as_driver_errors(self.endpoint):
            made = await self._services.create_subscription(_parameters(self._link), _ignore)
            limit = (await self._services.read_attributes(_CAPABILITIES[1:], _VALUE))[0]
        self._subscription_id = made.SubscriptionId
        self.keepalive_s = made.RevisedPublishingInterval * made.RevisedMaxKeepAliveCount / 1000
        self.max_items_per_call = limit.Value.Value or 0 if _has_value(limit) else 0

    async def namespaces(self) -> Sequence[str]:
        """Return the URIs, by index, as they are now."""
        with as_driver_errors(self.endpoint):
            [array] = await self._services.read_attributes(_CAPABILITIES[:1], _VALUE)
        return [str(uri) for uri in array.Value.Value or ()] if _has_value(array) else []

    async def create(self, wanted: Sequence[Wanted]) -> Sequence[Created]:
        """Create items; one result each, in order."""
        parameters = ua.CreateMonitoredItemsParameters()
        parameters.SubscriptionId = self._subscription_id
        parameters.TimestampsToReturn = ua.TimestampsToReturn.Both
        parameters.ItemsToCreate = [self._item(item) for item in wanted]
        with as_driver_errors(self.endpoint):
            results = await self._services.create_monitored_items(parameters)
        if len(results) != len(wanted):
            reason = f"{len(wanted)} items asked for, {len(results)} answered"
            raise BadReply(self.endpoint, reason)
        return [Created(result.StatusCode.value, result.MonitoredItemId) for result in results]

    async def delete(self, item_ids: Sequence[int]) -> None:
        """Delete items; one that is gone already is no error."""
        parameters = ua.DeleteMonitoredItemsParameters()
        parameters.SubscriptionId = self._subscription_id
        parameters.MonitoredItemIds = list(item_ids)
        with as_driver_errors(self.endpoint):
            await self._services.delete_monitored_items(parameters)

    async def publish(self, acknowledged: Sequence[int]) -> Message:
        """Tell the server what it may forget and wait for its next message."""
        acks = [ua.SubscriptionAcknowledgement(self._subscription_id, n) for n in acknowledged]
        with as_driver_errors(self.endpoint):
            response = await self._services.publish(acks)
            arrived = Arrival(self._now(), self._monotonic())
            message = response.Parameters.NotificationMessage
            raws = self._raws(message.NotificationData or ())
            return Message(arrived, int(message.SequenceNumber), raws)

    async def confirm(self) -> Arrival:
        """Return when the server confirmed that it still has the subscription."""
        parameters = ua.SetPublishingModeParameters()
        parameters.PublishingEnabled = True
        parameters.SubscriptionIds = [self._subscription_id]
        with as_driver_errors(self.endpoint):
            [status] = await self._services.set_publishing_mode(parameters)
            status.check()
        return Arrival(self._now(), self._monotonic())

    async def renew_channel(self) -> None:
        """Renew the secure channel if three quarters of its life are over."""
        if self._monotonic() < self._renew_at_s:
            return
        with as_driver_errors(self.endpoint):
            await self._client.open_secure_channel(renew=True)
            self._client.uaclient.revolve_security_token()
        self._renew_at_s = self._next_renewal_s()

    def _next_renewal_s(self) -> float:
        lifetime_s: float = self._client.secure_channel_timeout / 1000
        return self._monotonic() + lifetime_s * _RENEW_AFTER

    def _item(self, wanted: Wanted) -> ua.MonitoredItemCreateRequest:
        request = ua.MonitoredItemCreateRequest()
        request.ItemToMonitor.NodeId = ua.NodeId(wanted.identifier, wanted.namespace)
        request.ItemToMonitor.AttributeId = _VALUE
        request.MonitoringMode = ua.MonitoringMode.Reporting
        request.RequestedParameters.ClientHandle = wanted.handle
        request.RequestedParameters.SamplingInterval = self._link.sampling_ms
        request.RequestedParameters.QueueSize = self._link.queue_size
        request.RequestedParameters.DiscardOldest = True
        return request

    def _raws(self, notifications: Sequence[object]) -> list[Raw]:
        raws: list[Raw] = []
        for notification in notifications:
            if isinstance(notification, ua.StatusChangeNotification):
                reason = f"the server ended the subscription: {notification.Status.name}"
                raise Unreachable(self.endpoint, reason)
            if isinstance(notification, ua.DataChangeNotification):
                raws.extend(_raw(item) for item in notification.MonitoredItems)
        return raws


def _parameters(link: LinkSettings) -> ua.CreateSubscriptionParameters:
    asked_ms = link.keepalive_s * 1000 * ASK_FOR_KEEPALIVE
    keepalives = max(1, int(asked_ms / link.publishing_interval_ms))
    lifetime = int(session_lifetime_s(link) * 1000 / link.publishing_interval_ms)
    parameters = ua.CreateSubscriptionParameters()
    parameters.RequestedPublishingInterval = float(link.publishing_interval_ms)
    parameters.RequestedMaxKeepAliveCount = keepalives
    parameters.RequestedLifetimeCount = max(lifetime, 3 * keepalives)  # Part 4, 5.13.2
    parameters.MaxNotificationsPerPublish = _MAX_VALUES_PER_MESSAGE
    parameters.PublishingEnabled = True
    return parameters


_VALUE = ua.AttributeIds.Value


def _ignore(_: object) -> None:
    """The library wants a callback for the loop that does not run."""


def _has_value(value: ua.DataValue) -> bool:
    return (value.StatusCode is None or value.StatusCode.is_good()) and value.Value is not None


def _raw(item: ua.MonitoredItemNotification) -> Raw:
    value = item.Value
    plain = None if value.Value is None else value.Value.Value
    if isinstance(plain, ua.LocalizedText):
        plain = plain.Text
    status = 0 if value.StatusCode is None else value.StatusCode.value
    return Raw(item.ClientHandle, plain, status, value.SourceTimestamp)


def session_lifetime_s(link: LinkSettings) -> float:
    """Return how long the server shall keep a session it hears nothing of."""
    return max(_MIN_SESSION_S, _LIFETIME_KEEPALIVES * link.keepalive_s)
