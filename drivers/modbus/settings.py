"""What an operator may set on a Modbus link: one model per transport.

Milliseconds, because that is how intervals are written in a plant.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, model_validator

from drivers.contract import BadSetting, Home
from drivers.modbus.address import Family
from drivers.modbus.areas import Area, areas_of
from drivers.modbus.assignment import DeviceBlock, names_of

MAX_REGISTERS_PER_READ = 125  # Modbus Application Protocol V1.1b3, 6.3 and 6.4
MAX_BITS_PER_READ = 2000  # the same, 6.1 and 6.2
MIN_POLL_INTERVAL_MS = 10
PollInterval = Annotated[int, Field(ge=MIN_POLL_INTERVAL_MS, le=86_400_000)]
Host = Annotated[str, Field(min_length=1, max_length=253)]
Port = Annotated[int, Field(ge=1, le=65535)]
File = Annotated[str, Field(min_length=1, max_length=4096)]
Client = Literal["pymodbus", "fast"]
"""``fast`` is our own and costs a fraction of the CPU time. Links that share a socket share
the client of the first of them."""
MAX_PIPELINE = 16
Pipeline = Literal["off", "auto"] | Annotated[int, Field(ge=2, le=MAX_PIPELINE)]
"""Requests under way at once, for `Client` ``fast``. ``auto`` finds out how many the device
takes, a number is believed, and either ends at one at a time if the device shows otherwise."""


class Strict(BaseModel):
    """Frozen, and a key nobody reads is an error, not a default."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class GroupSettings(Strict):
    """Tags of the link that are polled at another interval."""

    poll_interval_ms: PollInterval


class LinkSettings(Strict):
    """One unit, whatever leads to it. What the transport needs is in the subclasses."""

    protocol: str
    unit_id: int = Field(1, ge=0, le=255)
    poll_interval_ms: PollInterval = 1000
    timeout_ms: int = Field(1000, ge=10, le=60_000)
    """For connecting, and for each answer."""
    family: Family = "generic"
    """Whose device names (D100, X17) the addresses use."""
    max_registers_per_read: int = Field(MAX_REGISTERS_PER_READ, ge=1, le=MAX_REGISTERS_PER_READ)
    max_bits_per_read: int = Field(MAX_BITS_PER_READ, ge=1, le=MAX_BITS_PER_READ)
    max_gap_registers: int | None = Field(None, ge=0, le=MAX_REGISTERS_PER_READ)
    """Unused registers read along to save a request (16 bits count as one); 0: none, None:
    as many as cost less time than the request."""
    devices: tuple[DeviceBlock, ...] = Field((), max_length=64)
    """Where the PLC's parameters put its devices, if not where ``family`` does."""
    forbidden: tuple[str, ...] = Field((), max_length=256)
    """Areas never to be read, not even as a gap: ``hr:100-119``, ``D100-D119``."""
    one_tag_per_request: bool = False
    """For devices that answer only for one value at a time."""
    pause_ms: int = Field(0, ge=0, le=60_000)
    """How long the bus is left alone before each request to this unit."""
    close_after_read: bool = False
    """Close the connection after every scan, for devices with few of them to give."""
    illegal_retry_ms: int = Field(60_000, ge=1000, le=86_400_000)
    """How long a register the device does not have is left alone."""
    groups: dict[str, GroupSettings] = Field(default_factory=dict, max_length=32)

    @property
    def bus(self) -> str:
        """What leads to the unit: links that agree in it share one socket or line."""
        raise NotImplementedError

    @property
    def areas(self) -> tuple[Area, ...]:
        """What ``forbidden`` names."""
        return areas_of(self.forbidden, self.family, self.devices)

    @model_validator(mode="after")
    def _names_areas(self) -> Self:
        _ = names_of(self.family, self.devices), self.areas
        return self

    @property
    def line(self) -> Mapping[str, object]:
        """The settings in which all links with the same `bus` must agree, by name."""
        return {}

    @property
    def transaction_zero(self) -> bool:
        """Whether an answer with transaction id 0 is taken for the one that was asked for."""
        return False


class NetworkSettings(LinkSettings):
    """A unit behind a host and a port."""

    host: Host
    port: Port = 502

    @property
    def bus(self) -> str:
        """``host:port``."""
        return f"{self.host}:{self.port}"


class TcpSettings(NetworkSettings):
    """A unit behind a Modbus TCP server."""

    protocol: Literal["modbus-tcp"] = "modbus-tcp"
    accept_transaction_zero: bool = False
    """For devices that answer every request with transaction id 0."""
    client: Client = "fast"
    pipeline: Pipeline = "off"

    @model_validator(mode="after")
    def _pipelines_with_our_client_only(self) -> Self:
        if self.pipeline != "off" and self.client != "fast":
            raise BadSetting(
                "modbus_pipeline_of_client",
                "client: {client} sends one request at a time",
                "leave out pipeline, or client",
                client=self.client,
            )
        return self

    @property
    def transaction_zero(self) -> bool:
        """As set."""
        return self.accept_transaction_zero


class RtuTcpSettings(NetworkSettings):
    """A unit on the line of a serial server that passes RTU frames on as they are."""

    protocol: Literal["modbus-rtu-tcp"] = "modbus-rtu-tcp"
    client: Client = "fast"


class AsciiTcpSettings(NetworkSettings):
    """The same with ASCII frames."""

    protocol: Literal["modbus-ascii-tcp"] = "modbus-ascii-tcp"


class UdpSettings(NetworkSettings):
    """A unit behind a Modbus server that is spoken to in datagrams."""

    protocol: Literal["modbus-udp"] = "modbus-udp"


class TlsSettings(NetworkSettings):
    """A unit behind a Modbus/TCP Security server: Protocol Specification v36.

    Files are named as everywhere in the configuration.
    """

    protocol: Literal["modbus-tls"] = "modbus-tls"
    port: Port = 802
    ca_file: File
    """Who must have signed the device's certificate, or that certificate itself (PEM)."""
    cert_file: File | None = None
    key_file: File | None = None
    """Ours, where the device asks for one; the key without a password, readable by us only."""
    server_name: Host | None = None
    """The name in the device's certificate, if it is not ``host``."""
    _home: Home | None = PrivateAttr(None)

    def model_post_init(self, context: Any, /) -> None:
        """Keep where the settings come from."""
        self._home = context if isinstance(context, Home) else None

    def find(self, file: str) -> Path:
        """Return where a file named in these settings lies, whether it exists or not."""
        return Path(file) if self._home is None else self._home.find(file)

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if (self.cert_file is None) != (self.key_file is None):
            raise BadSetting(
                "modbus_key_without_certificate",
                "cert_file and key_file belong together",
                "write both or neither",
            )
        return self


def endpoint_of(link: LinkSettings) -> str:
    """Return ``bus#unit``: links that agree in it share a session."""
    return f"{link.bus}#{link.unit_id}"


def bus_key_of(link: LinkSettings) -> str:
    """Return what links must agree in to share one socket or line."""
    return link.bus
