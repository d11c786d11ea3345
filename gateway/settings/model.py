"""What ``gateway.yaml`` may say.

Paths are relative to the configuration directory. Secrets stand in files, never here.
"""

from ipaddress import ip_address
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from gateway.domain.vocabulary import ReasonCategory
from gateway.settings.equipment_model import ReasonFile
from gateway.settings.words import Line, Name, PlaceFilter, Strict, Texts

EVENT_FIELDS = frozenset(
    {
        *("id", "source", "type", "subject", "time", "recordedtime", "epoch", "streamseq"),
        *("replay", "seq", "stream", "site", "area", "line", "equipment", "data"),
    }
)
"""What a flat field may be taken from; of ``data`` by a path."""


def _timezone(value: str) -> str:
    if value not in available_timezones():
        raise PydanticCustomError("timezone", "no such time zone")
    return value


def _address(value: str) -> str:
    if value != "localhost":
        try:
            ip_address(value)
        except ValueError:
            raise PydanticCustomError("not_an_address", "not an address") from None
    return value


def _url(value: str) -> str:
    try:
        parts = urlsplit(value)
        secret = parts.password is not None or "password=" in parts.query.lower()
    except ValueError:
        raise PydanticCustomError("bad_url", "not a URL") from None
    if secret:
        raise PydanticCustomError("secret_in_url", "a URL holds no password")
    if not parts.scheme or not value.startswith(f"{parts.scheme}://"):
        raise PydanticCustomError("bad_url", "not a URL")
    return value


def _event_path(value: str) -> str:
    first, _, rest = value.partition(".")
    if first not in EVENT_FIELDS or bool(rest) != (first == "data"):
        known = ", ".join(sorted(EVENT_FIELDS))
        raise PydanticCustomError("bad_event_path", "no such field", {"known": known})
    return value


def _http(value: str) -> str:
    if urlsplit(value).scheme not in {"http", "https"} or not urlsplit(value).hostname:
        raise PydanticCustomError("bad_push_url", "neither http nor https")
    return value


def _text_of_number(value: object) -> object:
    """MQTT's ``protocol: 5`` is a number for YAML and a name for us."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


SecretFile = Line
Url = Annotated[Line, AfterValidator(_url)]
Stream = Literal["status", "count", "fault", "reading", "health", "gap", "note"]
FieldName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_.-]{0,63}$")]
EventPath = Annotated[str, AfterValidator(_event_path)]
Bytes = Annotated[int, Field(ge=16 * 1024**2, le=2**50)]


def _both(cert_file: str | None, key_file: str | None) -> None:
    if (cert_file is None) != (key_file is None):
        raise PydanticCustomError("key_without_certificate", "a pair")


class TlsFile(Strict):
    """Certificates as PEM files; without ``ca_file`` the system's authorities decide."""

    ca_file: SecretFile | None = None
    cert_file: SecretFile | None = None
    key_file: SecretFile | None = None

    @model_validator(mode="after")
    def _pair(self) -> Self:
        _both(self.cert_file, self.key_file)
        return self


class BrokerFile(Strict):
    """One broker and our account there."""

    host: Annotated[str, Field(min_length=1, max_length=253)] = "127.0.0.1"
    port: int = Field(1883, ge=1, le=65535)
    protocol: Annotated[Literal["5", "3.1.1"], BeforeValidator(_text_of_number)] = "5"
    """3.1.1 cannot report that the broker refused a message."""
    username: Line | None = None
    password_file: SecretFile | None = None
    tls: TlsFile | None = None

    @model_validator(mode="after")
    def _user(self) -> Self:
        if self.password_file is not None and self.username is None:
            raise PydanticCustomError("password_without_user", "no user name")
        return self


class MqttFile(BrokerFile):
    """The broker everything is published to, or several of which one is used at a time."""

    brokers: Annotated[tuple[BrokerFile, ...], Field(strict=False, max_length=4)] = ()
    """In order of preference; then nothing of a broker stands outside of the list."""
    root: Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,40}(/[a-z0-9_-]{1,40}){0,3}$")] = "mg/v1"
    window: int = Field(50, ge=1, le=1000)
    """Messages sent and not yet confirmed."""
    max_rate_per_s: int = Field(5000, ge=1, le=100_000)
    """Of backlog; replays asked for take a tenth."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        beside = sorted(self.model_fields_set & BrokerFile.model_fields.keys())
        if self.brokers and beside:
            raise PydanticCustomError(
                "broker_beside_brokers", "said twice", {"name": ", ".join(beside)}
            )
        return self

    @property
    def in_order(self) -> tuple[BrokerFile, ...]:
        """The brokers, the preferred one first."""
        return self.brokers or (self,)


class JournalFile(Strict):
    """The durable store on the gateway."""

    path: Line = "data/journal.db"
    """May be absolute: a service keeps its data away from its configuration."""
    max_bytes: Bytes = 4 * 1024**3
    readings_max_bytes: Bytes = 2 * 1024**3
    heartbeat_s: float = Field(1.0, ge=0.1, le=60)
    readings: Literal["disk", "memory"] = "disk"
    """``memory`` spares a flash card: on the disk only where the broker is late."""

    @model_validator(mode="after")
    def _share(self) -> Self:
        if self.readings_max_bytes > self.max_bytes:
            raise PydanticCustomError("readings_exceed_journal", "more than everything")
        return self


class SqlStoreFile(Strict):
    """A SQL database as SQLAlchemy names it; a relative SQLite file lies in the directory."""

    kind: Literal["sql"]
    url: Url = "sqlite:///data/history.db"
    password_file: SecretFile | None = None


class InfluxStoreFile(Strict):
    """A store that speaks the InfluxDB v2 write API."""

    kind: Literal["influxdb"]
    url: Url
    org: Line = "factory"
    bucket: Line = "millgate"
    token_file: SecretFile | None = None


StoreFile = Annotated[SqlStoreFile | InfluxStoreFile, Field(discriminator="kind")]


def _default_stores() -> tuple[StoreFile, ...]:
    return (SqlStoreFile(kind="sql"),)


class HistorianFile(Strict):
    """Where the facts are kept for queries."""

    enabled: bool = True
    name: Name | None = None
    """Part of its name at the broker: where several historians divide a plant."""
    topics: Annotated[tuple[PlaceFilter, ...], Field(strict=False, max_length=100)] = ()
    """``area/line/equipment`` with ``+`` and a ``#`` at the end; empty for all of the site."""
    stores: Annotated[tuple[StoreFile, ...], Field(strict=False, min_length=1, max_length=4)] = (
        Field(default_factory=_default_stores)
    )

    @model_validator(mode="after")
    def _named(self) -> Self:
        if self.topics and self.name is None:
            raise PydanticCustomError("topics_without_name", "no name")
        return self


class WebFile(Strict):
    """The screens and the API."""

    enabled: bool = True
    host: Annotated[str, AfterValidator(_address)] = "127.0.0.1"
    """An address of this machine; 0.0.0.0 is all of them."""
    port: int = Field(8080, ge=0, le=65535)
    """0 takes a free one."""
    names: Annotated[tuple[Line, ...], Field(strict=False, max_length=20)] = ()
    """Host names people type into the browser, beside localhost and this machine's own."""
    contact: Line | None = None
    """Whom to ask for a role; stands where somebody may not do something."""
    quick_comments: Annotated[tuple[Texts, ...], Field(strict=False, max_length=12)] = ()
    """Offered where a fault is acknowledged; without them those that come with the program."""
    ack_comment_for: Annotated[tuple[ReasonCategory, ...], Field(strict=False)] = ()
    """Categories of faults that nobody acknowledges here without a comment."""
    stop_reasons: Annotated[tuple[ReasonFile, ...], Field(strict=False, max_length=40)] = ()
    """Offered where a stop is given its reason; without them the categories."""
    path: Line = "data/web.db"
    """Users, sessions, tokens and the audit trail. May be absolute, as `journal`."""
    cert_file: SecretFile | None = None
    """A certificate and its key make it HTTPS."""
    key_file: SecretFile | None = None

    @model_validator(mode="after")
    def _pair(self) -> Self:
        _both(self.cert_file, self.key_file)
        return self

    @property
    def is_open(self) -> bool:
        """Whether other machines reach it."""
        return self.host != "localhost" and not ip_address(self.host).is_loopback


class MetricsFile(Strict):
    """``/metrics`` for a Prometheus server; without this section there is none."""

    host: Annotated[str, Field(min_length=1, max_length=253)] = "127.0.0.1"
    """There is no login: on another address everybody in that network may read."""
    port: int = Field(9464, ge=0, le=65535)
    """Of `collect` and `run`; 0 takes a free one."""
    historian_port: int = Field(9465, ge=0, le=65535)
    """Of a historian that is a process of its own."""


class PushFile(Strict):
    """An HTTP endpoint that gets batches of facts, for those who cannot subscribe."""

    name: Name
    url: Annotated[Url, AfterValidator(_http)]
    secret_file: SecretFile
    """The key of the signature."""
    token_file: SecretFile | None = None
    """A bearer token."""
    ca_file: SecretFile | None = None
    """The authority of an https endpoint; without it the system's."""
    types: Annotated[tuple[Stream, ...], Field(strict=False, max_length=10)] = ()
    """Of events; without it all of them."""
    equipment: Annotated[tuple[Name, ...], Field(strict=False, max_length=1000)] = ()
    """Likewise."""
    flat: Annotated[dict[FieldName, EventPath], Field(max_length=100)] = Field(default_factory=dict)
    """Their field -> path in the event; without it CloudEvents are sent."""
    max_events: int = Field(200, ge=1, le=1000)
    """In one request."""
    timeout_s: float = Field(10.0, ge=0.5, le=120)
    backlog: Literal["oldest", "newest"] = "newest"
    """Where a new one begins: with everything the journal still has, or from now on."""


def _each_once(targets: tuple[PushFile, ...]) -> tuple[PushFile, ...]:
    names = [target.name for target in targets]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise PydanticCustomError("push_twice", "said twice", {"name": ", ".join(twice)})
    return targets


class GatewayFile(Strict):
    """``gateway.yaml``."""

    site: Name
    gateway: Name
    timezone: Annotated[str, AfterValidator(_timezone)]
    clock: Literal["kernel", "trusted"] = "kernel"
    """Who vouches for this machine's clock: the kernel, which knows of NTP and PTP, or a person."""
    mqtt: MqttFile = MqttFile()
    journal: JournalFile = JournalFile()
    historian: HistorianFile = HistorianFile()
    web: WebFile = WebFile()
    push: Annotated[
        tuple[PushFile, ...], Field(strict=False, max_length=8), AfterValidator(_each_once)
    ] = ()
    metrics: MetricsFile | None = None
    pki: Line = "pki"
    """Keys and certificates of ours and of the devices we trust. May be absolute, as `journal`."""
