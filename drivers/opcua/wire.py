"""Requests made and answers read in the library's words; no I/O."""

from collections.abc import Mapping, Sequence

from asyncua import ua

from drivers.opcua.events import event_filter
from drivers.opcua.limits import Limits
from drivers.opcua.services import Place, Raw, Wanted
from drivers.opcua.settings import LinkSettings

ASK_FOR_KEEPALIVE = 0.8
"""Share of ``keepalive_s`` asked of the server, so that its message is here in time."""
EVENT_QUEUE = 1000
"""Events of one notifier the server keeps between two messages."""
_LIFETIME_KEEPALIVES = 10
_MIN_SESSION_S = 60.0
_MAX_VALUES_PER_MESSAGE = 1000
_LIMIT = "Server_ServerCapabilities_OperationLimits_Max"
LIMITS: Mapping[ua.NodeId, str] = {
    ua.NodeId(getattr(ua.ObjectIds, _LIMIT + name)): ours
    for name, ours in (
        ("MonitoredItemsPerCall", "items_per_call"),
        ("NodesPerRead", "nodes_per_read"),
        ("NodesPerBrowse", "nodes_per_browse"),
        ("NodesPerTranslateBrowsePathsToNodeIds", "paths_per_call"),
    )
}
"""Node -> field of `Limits` (Part 5, 6.3.11)."""


def limit(value: ua.DataValue) -> int:
    """Return a limit the server names, 0 if it names none."""
    named = value.Value.Value if has_value(value) else 0
    return named if isinstance(named, int) else 0


def has_value(value: ua.DataValue) -> bool:
    """Whether there is a value and it is good."""
    return (value.StatusCode is None or value.StatusCode.is_good()) and value.Value is not None


def raw(handle: int, value: ua.DataValue) -> Raw:
    """Return a value in Python's own types."""
    plain = None if value.Value is None else value.Value.Value
    if isinstance(plain, ua.LocalizedText):
        plain = plain.Text
    status = 0 if value.StatusCode is None else value.StatusCode.value
    return Raw(handle, plain, status, value.SourceTimestamp)


def value_of(place: Place) -> ua.ReadValueId:
    """Return the value attribute of a node."""
    return ua.ReadValueId(ua.NodeId(place.identifier, place.namespace), ua.AttributeIds.Value)


def session_lifetime_s(link: LinkSettings) -> float:
    """Return how long the server shall keep a session it hears nothing of."""
    return max(_MIN_SESSION_S, _LIFETIME_KEEPALIVES * link.keepalive_s)


def subscription(link: LinkSettings, limits: Limits) -> ua.CreateSubscriptionParameters:
    """Return how a subscription is asked for: its keepalive comes within ``keepalive_s``."""
    interval_ms = max(float(link.publishing_interval_ms), limits.publishing_ms)
    asked_ms = link.keepalive_s * 1000 * ASK_FOR_KEEPALIVE
    keepalives = max(1, int(asked_ms / interval_ms))
    lifetime = int(session_lifetime_s(link) * 1000 / interval_ms)
    parameters = ua.CreateSubscriptionParameters()
    parameters.RequestedPublishingInterval = interval_ms
    parameters.RequestedMaxKeepAliveCount = keepalives
    parameters.RequestedLifetimeCount = max(lifetime, 3 * keepalives)  # Part 4, 5.13.2
    parameters.MaxNotificationsPerPublish = _MAX_VALUES_PER_MESSAGE
    parameters.PublishingEnabled = True
    return parameters


def item(wanted: Wanted, queue_size: int) -> ua.MonitoredItemCreateRequest:
    """Return how an item is asked for."""
    request = ua.MonitoredItemCreateRequest()
    request.ItemToMonitor.NodeId = ua.NodeId(wanted.place.identifier, wanted.place.namespace)
    request.MonitoringMode = ua.MonitoringMode.Reporting
    asked = request.RequestedParameters
    asked.ClientHandle = wanted.handle
    asked.DiscardOldest = True
    if wanted.conditions:
        request.ItemToMonitor.AttributeId = ua.AttributeIds.EventNotifier
        asked.SamplingInterval = 0.0
        asked.QueueSize = EVENT_QUEUE
        asked.Filter = event_filter()
    else:
        request.ItemToMonitor.AttributeId = ua.AttributeIds.Value
        asked.SamplingInterval = wanted.sampling_ms
        asked.QueueSize = queue_size
    return request


def refresh_calls(subscription_id: int, item_id: int) -> Sequence[ua.CallMethodRequest]:
    """Return the calls that bring up all conditions, the narrower first (Part 9, 5.5.7-8)."""
    return (
        _call(ua.ObjectIds.ConditionType_ConditionRefresh2, subscription_id, item_id),
        _call(ua.ObjectIds.ConditionType_ConditionRefresh, subscription_id),
    )


def _call(method: int, *arguments: int) -> ua.CallMethodRequest:
    call = ua.CallMethodRequest()
    call.ObjectId = ua.NodeId(ua.ObjectIds.ConditionType)
    call.MethodId = ua.NodeId(method)
    call.InputArguments = [ua.Variant(value, ua.VariantType.UInt32) for value in arguments]
    return call
