"""What the configuration files may say.

Strict and frozen: a key nobody reads is an error, text is not a number, and every list
and text has a bound. Links and tags are open here; the settings classes of their
protocol check them (`drivers.contract.ProtocolSpec`).

Paths are relative to the configuration directory. Secrets stand in files, never here.
"""

from ipaddress import ip_address
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)
from pydantic_core import PydanticCustomError

from gateway.domain.events import CounterKind, Mode, ReasonCategory, Text
from gateway.domain.rules import OnDecrease, Stage

NAME_PATTERN = r"^[a-z0-9][a-z0-9_-]{0,39}$"
"""A name of ours is a topic segment: contract, Topics."""
MAX_TAGS = 5000
MAX_LINKS = 64
MAX_RULES = 100
MAX_SAFE_INTEGER = 2**53

StateName = Literal["offline", "running", "idle", "stopped", "fault", "setup", "maintenance"]
Verified = Literal["manual", "code", "none"]


def _timezone(value: str) -> str:
    if value not in available_timezones():
        raise PydanticCustomError("timezone", "no such time zone")
    return value


def _relative(value: str) -> str:
    parts = value.replace("\\", "/").split("/")
    if ".." in parts or parts[0] == "" or ":" in parts[0]:
        raise PydanticCustomError("unsafe_path", "not inside the configuration directory")
    return value


def _loopback(value: str) -> str:
    try:
        local = value == "localhost" or ip_address(value).is_loopback
    except ValueError:
        local = False
    if not local:
        raise PydanticCustomError("not_loopback", "not a loopback address")
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


def _text_of_number(value: object) -> object:
    """MQTT's ``protocol: 5`` is a number for YAML and a name for us."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _text_of_truth(value: object) -> object:
    """``when: true`` is a truth for YAML and a condition for us."""
    return str(value).lower() if isinstance(value, bool) else value


Name = Annotated[str, Field(pattern=NAME_PATTERN)]
Line = Annotated[str, Field(min_length=1, max_length=200)]
Texts = Annotated[dict[Literal["zh", "en"], Line], Field(min_length=1)]
FilePath = Annotated[Line, AfterValidator(_relative)]
SecretFile = Line
Url = Annotated[Line, AfterValidator(_url)]
Unit = Annotated[str, Field(min_length=1, max_length=20)]
Bytes = Annotated[int, Field(ge=16 * 1024**2, le=2**50)]


def texts(written: Texts) -> Text:
    """Return the texts of a file as the domain keeps them."""
    return {str(language): text for language, text in written.items()}


class Strict(BaseModel):
    """Frozen, and a key nobody reads is an error, not a default."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class TlsFile(Strict):
    """Certificates as PEM files; without ``ca_file`` the system's authorities decide."""

    ca_file: SecretFile | None = None
    cert_file: SecretFile | None = None
    key_file: SecretFile | None = None

    @model_validator(mode="after")
    def _pair(self) -> Self:
        if (self.cert_file is None) != (self.key_file is None):
            raise PydanticCustomError("key_without_certificate", "a pair")
        return self


class MqttFile(Strict):
    """The broker everything is published to."""

    host: Annotated[str, Field(min_length=1, max_length=253)] = "127.0.0.1"
    port: int = Field(1883, ge=1, le=65535)
    root: Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,40}(/[a-z0-9_-]{1,40}){0,3}$")] = "mg/v1"
    protocol: Annotated[Literal["5", "3.1.1"], BeforeValidator(_text_of_number)] = "5"
    """3.1.1 cannot report that the broker refused a message."""
    username: Line | None = None
    password_file: SecretFile | None = None
    tls: TlsFile | None = None
    window: int = Field(50, ge=1, le=1000)
    """Messages sent and not yet confirmed."""
    max_rate_per_s: int = Field(5000, ge=1, le=100_000)
    """Of backlog; replays asked for take a tenth."""

    @model_validator(mode="after")
    def _user(self) -> Self:
        if self.password_file is not None and self.username is None:
            raise PydanticCustomError("password_without_user", "no user name")
        return self


class JournalFile(Strict):
    """The durable store on the gateway."""

    path: Line = "data/journal.db"
    """May be absolute: a service keeps its data away from its configuration."""
    max_bytes: Bytes = 4 * 1024**3
    readings_max_bytes: Bytes = 2 * 1024**3
    heartbeat_s: float = Field(1.0, ge=0.1, le=60)

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
    stores: Annotated[tuple[StoreFile, ...], Field(strict=False, min_length=1, max_length=4)] = (
        Field(default_factory=_default_stores)
    )


class WebFile(Strict):
    """The board."""

    enabled: bool = True
    host: Annotated[str, AfterValidator(_loopback)] = "127.0.0.1"
    port: int = Field(8080, ge=0, le=65535)
    """0 takes a free one."""


class GatewayFile(Strict):
    """``gateway.yaml``."""

    site: Name
    gateway: Name
    timezone: Annotated[str, AfterValidator(_timezone)]
    mqtt: MqttFile = MqttFile()
    journal: JournalFile = JournalFile()
    historian: HistorianFile = HistorianFile()
    web: WebFile = WebFile()


class ReasonFile(Strict):
    """Why a state; it refines the state and never changes it."""

    code: Annotated[str, Field(min_length=1, max_length=40)]
    category: ReasonCategory = "unspecified"
    text: Texts = Field(default_factory=dict)
    planned: bool = False


class StatusRuleFile(Strict):
    """``state`` while ``when`` holds; the first rule that is true wins."""

    state: StateName
    when: Annotated[str, Field(min_length=1, max_length=500), BeforeValidator(_text_of_truth)]
    reason: ReasonFile | None = None
    mode: Mode | None = None


class AliveFile(Strict):
    """A tag that must change, or the controller counts as frozen."""

    tag: Name
    changes_within_s: float = Field(gt=0, le=86_400)


class CounterFile(Strict):
    """How the readings of one tag become parts."""

    tag: Name
    kind: CounterKind
    unit: Unit = "1"
    resolution: float = Field(1, gt=0, le=1e9)
    factor: float = Field(1, gt=0, le=1e9)
    modulus: int | None = Field(None, ge=2, le=MAX_SAFE_INTEGER)
    max_rate_per_s: float | None = Field(None, gt=0, le=1e9)
    on_decrease: OnDecrease = "auto"
    confirm_reads: int = Field(2, ge=1, le=10)

    @model_validator(mode="after")
    def _rate(self) -> Self:
        if self.modulus is not None and self.max_rate_per_s is None:
            raise PydanticCustomError("modulus_needs_rate", "no rate")
        return self


class FaultFile(Strict):
    """Where faults come from; ``bits`` or ``codes`` names a dictionary (CSV)."""

    tag: Name
    bits: FilePath | None = None
    codes: FilePath | None = None
    on_delay_ms: int = Field(0, ge=0, le=3_600_000)
    off_delay_ms: int = Field(0, ge=0, le=3_600_000)

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.bits is None) == (self.codes is None):
            raise PydanticCustomError("bits_or_codes", "one of the two")
        return self


class TagFile(Strict):
    """What every tag may say beside the keys of its protocol."""

    link: Name | None = None
    group: Name | None = None
    """Tags of a group are read and published together; by default the link's name."""
    unit: Unit = "1"
    deadband: float = Field(0.0, ge=0, le=1e12)
    publish: bool = True
    name: Texts = Field(default_factory=dict)


class Described(Strict):
    """What an equipment file and a profile have in common."""

    name: Texts = Field(default_factory=dict)
    links: dict[Name, dict[str, Any]] = Field(default_factory=dict, max_length=MAX_LINKS)
    tags: dict[Name, dict[str, Any]] = Field(default_factory=dict, max_length=MAX_TAGS)
    status: Annotated[tuple[StatusRuleFile, ...], Field(strict=False, max_length=MAX_RULES)] = ()
    counters: dict[Name, CounterFile] = Field(default_factory=dict, max_length=MAX_RULES)
    faults: Annotated[tuple[FaultFile, ...], Field(strict=False, max_length=MAX_RULES)] = ()
    min_hold_ms: int = Field(1000, ge=0, le=3_600_000)
    snapshot_s: float = Field(600, ge=1, le=86_400)
    alive: AliveFile | None = None


class EquipmentFile(Described):
    """``equipment/*.yaml``, after its profile was laid under it."""

    equipment: Name
    area: Name | None = None
    line: Name | None = None
    profile: Name | None = None
    stage: Stage = "live"
    link: Name | None = None
    """The link of every tag that names none."""


class ProfileFile(Described):
    """``profiles/<profile>.yaml``: what the machines of one model have in common."""

    profile: Name
    vendor: Line | None = None
    verified: Verified = "none"
    """What its addresses were checked against: a manual, others' code, nothing yet."""


PROFILE_ONLY = ("profile", "vendor", "verified", "name")
"""Keys of a profile that are about itself and not about the equipment."""
