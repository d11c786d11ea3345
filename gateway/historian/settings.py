"""What the historian must be told."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from gateway.historian.shift_windows import ShiftPlan
from gateway.ops.mqtt_choice import PATIENCE_S
from gateway.ops.mqtt_terms import BrokerSettings
from gateway.wire.topics import PlaceFilter

Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlSettings:
    """The store of record: an SQLAlchemy URL (``sqlite:///...``, ``postgresql+psycopg://...``)."""

    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InfluxSettings:
    """A store for charts that speaks the InfluxDB v2 write API."""

    url: str
    org: str
    bucket: str
    token_file: Path | None = None
    """Read at the start; None where the store asks for none."""
    timeout_s: float = 10.0
    max_future_s: float = 2 * 86400.0
    """Points further ahead are not sent: VictoriaMetrics would confirm and drop them."""
    max_age_s: float | None = None
    """Points older than the store keeps are not sent; None if it keeps all."""

    @property
    def name(self) -> str:
        """What its progress is filed under."""
        return f"influxdb {self.url} {self.org}/{self.bucket}"


@dataclass(frozen=True, slots=True, kw_only=True)
class HistorianSettings:
    """One historian: a site's brokers, one store of record, any number of chart stores."""

    broker: BrokerSettings
    standbys: tuple[BrokerSettings, ...] = ()
    """Used in this order while the broker is away."""
    patience_s: float = PATIENCE_S
    site: str
    stores: tuple[SqlSettings | InfluxSettings, ...]
    root: str = "mg/v1"
    places: tuple[PlaceFilter, ...] = ()
    """Only these are consumed; none means all of the site. Another historian has the rest."""
    timezone: str = "UTC"
    """IANA name; the local hours and days of the views are in it."""
    client_id: str = ""
    """Default: ``millgate-historian-<site>``. Two historians of one site need two ids."""
    session_expiry_s: int = 7 * 86400
    batch: int = 500
    """Messages in one transaction at most; what has arrived is not waited upon."""
    shifts: ShiftPlan = field(default_factory=ShiftPlan)
    """Written into the store ahead of time; of one gateway only."""
    sql: SqlSettings = field(init=False)

    def __post_init__(self) -> None:
        found = [store for store in self.stores if isinstance(store, SqlSettings)]
        if len(found) != 1:
            raise ValueError(f"a historian needs exactly one sql store, not {len(found)}")
        object.__setattr__(self, "sql", found[0])
        if not self.client_id:
            object.__setattr__(self, "client_id", f"millgate-historian-{self.site}")

    @property
    def charts(self) -> tuple[InfluxSettings, ...]:
        """The chart stores."""
        return tuple(store for store in self.stores if isinstance(store, InfluxSettings))
