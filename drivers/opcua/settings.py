"""What an operator may set for an OPC UA link and its tags.

Promises:

- A key nobody reads is an error, and so is a value that cannot work.
- Credentials have no place in an endpoint; it is shown to people.
- What is said about security is in `security_settings`.
"""

from collections.abc import Mapping
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from drivers.contract import BadSetting
from drivers.opcua.brands import BRANDS, BrandName
from drivers.opcua.limits import Limits
from drivers.opcua.nodes import parse
from drivers.opcua.paths import parse_path
from drivers.opcua.security_settings import SecureLink

DEFAULT_PORT = 4840
SERVER_NODE = "i=2253"
"""The Server object: the notifier of all events of a server (Part 5, 8.3.2)."""


def _endpoint(text: str) -> str:
    try:
        parts = urlsplit(text)
        port = DEFAULT_PORT if parts.port is None else parts.port
    except ValueError:  # a port that is no number or too high, a bracket left open
        raise _no_endpoint() from None
    if parts.scheme != "opc.tcp" or not parts.hostname or parts.query or parts.fragment:
        raise _no_endpoint()
    if parts.username is not None or parts.password is not None:
        raise BadSetting(
            "opcua_credentials", "an endpoint holds no user name and no password", "leave them out"
        )
    if not port:
        raise _no_endpoint()
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"opc.tcp://{host}:{port}{'' if parts.path == '/' else parts.path}"


def _no_endpoint() -> BadSetting:
    return BadSetting(
        "opcua_no_endpoint",
        "an OPC UA endpoint looks like opc.tcp://192.168.1.20:4840",
        "opc.tcp://, a host, and a port from 1 to 65535",
    )


def _node(text: str) -> str:
    return str(parse(text))


def _path(text: str) -> str:
    return str(parse_path(text))


def _notifier(text: str) -> str:
    return SERVER_NODE if text.strip() == "server" else _node(text)


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class GroupSettings(_Strict):
    """What a group of tags does otherwise than its link."""

    poll_interval_ms: int | None = Field(None, ge=50, le=3_600_000)
    sampling_interval_ms: int | None = Field(None, ge=0, le=60_000)


class LimitSettings(_Strict):
    """What this one server takes, where neither it nor its brand says so. 0 is no limit."""

    items_per_call: int = Field(0, ge=0)
    nodes_per_read: int = Field(0, ge=0)
    items_per_subscription: int = Field(0, ge=0)
    items_per_session: int = Field(0, ge=0)
    subscriptions_per_session: int = Field(0, ge=0)


class LinkSettings(SecureLink):
    """One session with one server."""

    protocol: Literal["opcua"] = "opcua"
    endpoint: Annotated[str, Field(max_length=500), AfterValidator(_endpoint)]
    publishing_interval_ms: int = Field(500, ge=10, le=60_000)
    """How often the server sends what changed."""
    sampling_interval_ms: int | None = Field(None, ge=0, le=60_000)
    """How often the server looks at a node; half the publishing interval if not given."""
    queue_size: int = Field(100, ge=2, le=100_000)
    """Values of one node the server keeps between two messages."""
    keepalive_s: float = Field(10.0, ge=0.1, le=600)
    """The longest silence of a server that is well."""
    timeout_s: float = Field(10.0, ge=0.1, le=120)
    """How long an answer may take."""
    retry_refused_s: float = Field(30.0, ge=0.1, le=3600)
    """How long a node the server refused is left alone."""
    device_clock: Literal["gateway", "trust"] = "gateway"
    """Whose clock dates a change."""
    max_skew_s: float = Field(5.0, gt=0, le=3600)
    """A trusted clock that is further off than this is not trusted for that value."""
    brand: BrandName = "generic"
    """The make of the server, for limits it does not name itself."""
    limits: LimitSettings = Field(default_factory=LimitSettings)
    mode: Literal["auto", "subscribe", "poll"] = "auto"
    """``auto`` reads in turn what the server will not watch."""
    poll_interval_ms: int = Field(1000, ge=50, le=3_600_000)
    """How often a node is read that the server does not watch."""
    supervise_s: float = Field(30.0, ge=0.1, le=3600)
    """How often what items say is compared with what their nodes hold."""
    groups: Mapping[str, GroupSettings] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _keepalive_holds_two_intervals(self) -> Self:
        if self.keepalive_s * 1000 < 2 * self.publishing_interval_ms:
            raise BadSetting(
                "opcua_short_keepalive",
                "keepalive_s must be at least two publishing intervals long",
                "publishing_interval_ms is {interval_ms}: {least_s} or more",
                interval_ms=self.publishing_interval_ms,
                least_s=f"{2 * self.publishing_interval_ms / 1000:g}",
            )
        return self

    @property
    def known_limits(self) -> Limits:
        """What is known before the server was asked."""
        return BRANDS[self.brand].limits.within(Limits(**self.limits.model_dump()))

    def sampling_ms(self, group: str | None = None) -> float:
        """Return the sampling interval in force for a group."""
        own = self.groups.get(group) if group else None
        if own is not None and own.sampling_interval_ms is not None:
            return float(own.sampling_interval_ms)
        if self.sampling_interval_ms is None:
            return self.publishing_interval_ms / 2
        return float(self.sampling_interval_ms)

    def samples_by_default(self, group: str) -> bool:
        """Return whether nobody has said how often a group is to be looked at."""
        own = self.groups.get(group)
        return self.sampling_interval_ms is None and (
            own is None or own.sampling_interval_ms is None
        )

    def poll_s(self, group: str) -> float:
        """Return how often a node of a group is read that the server does not watch."""
        own = self.groups.get(group)
        if own is not None and own.poll_interval_ms is not None:
            return own.poll_interval_ms / 1000
        return self.poll_interval_ms / 1000


class TagSettings(_Strict):
    """What is read: a node by id or by path, or the active conditions of a notifier.

    ``value = raw * scale + offset``.
    """

    node: Annotated[str, Field(max_length=4200), AfterValidator(_node)] | None = None
    """``nsu=URI;s=NAME`` holds over restarts; ``ns=2;s=NAME`` if the server keeps its order."""
    path: Annotated[str, Field(max_length=4200), AfterValidator(_path)] | None = None
    """Names from the Objects folder down, where the server numbers its nodes anew."""
    conditions: Annotated[str, Field(max_length=4200), AfterValidator(_notifier)] | None = None
    """``server``, or the node id of another notifier; the value lists its active alarms."""
    scale: float = 1.0
    offset: float = 0.0

    @model_validator(mode="after")
    def _one_of_three(self) -> Self:
        given = [one for one in (self.node, self.path, self.conditions) if one is not None]
        if len(given) != 1:
            raise BadSetting(
                "opcua_which_node",
                "a tag has one of node, path and conditions",
                "node: ns=2;s=Line1.Count, or path: 2:Press/2:Count, or conditions: server",
            )
        if self.conditions is not None and (self.scale != 1 or self.offset != 0):
            raise BadSetting(
                "opcua_scaled_conditions", "a list of alarms has no scale", "leave it out"
            )
        return self

    @model_validator(mode="after")
    def _scale_keeps_the_value(self) -> Self:
        if self.scale == 0:
            raise BadSetting(
                "opcua_scale_zero", "scale 0 would make every value the offset", "leave it out"
            )
        return self


def endpoint_of(link: LinkSettings) -> str:
    """Return the identity of the session: scheme, host in lower case, port, path."""
    return link.endpoint
