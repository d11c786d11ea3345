"""What an operator may set on a Modbus link: one model per transport.

Milliseconds, because that is how intervals are written in a plant.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from drivers.modbus.address import Family

MAX_REGISTERS_PER_READ = 125  # Modbus Application Protocol V1.1b3, 6.3 and 6.4
MAX_BITS_PER_READ = 2000  # the same, 6.1 and 6.2
MIN_POLL_INTERVAL_MS = 10
PollInterval = Annotated[int, Field(ge=MIN_POLL_INTERVAL_MS, le=86_400_000)]
Host = Annotated[str, Field(min_length=1, max_length=253)]
Port = Annotated[int, Field(ge=1, le=65535)]
Client = Literal["pymodbus", "fast"]
"""``fast`` costs a fraction of the CPU time. Links that share a socket share the client of
the first of them."""
MAX_PIPELINE = 16
Pipeline = Literal["off", "auto"] | Annotated[int, Field(ge=2, le=MAX_PIPELINE)]
"""Requests under way at once, for `Client` ``fast``. ``auto`` finds out how many the device
takes, a number is believed, and either ends at one at a time if the device shows otherwise."""


class _Strict(BaseModel):
    """Frozen, and a key nobody reads is an error, not a default."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class GroupSettings(_Strict):
    """Tags of the link that are polled at another interval."""

    poll_interval_ms: PollInterval


class LinkSettings(_Strict):
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
    max_gap_registers: int = Field(16, ge=0, le=MAX_REGISTERS_PER_READ)
    """Unused registers read along to save a request (16 bits count as one); 0: none."""
    illegal_retry_ms: int = Field(60_000, ge=1000, le=86_400_000)
    """How long a register the device does not have is left alone."""
    accept_transaction_zero: bool = False
    """For devices that answer every request with transaction id 0."""
    groups: dict[str, GroupSettings] = Field(default_factory=dict, max_length=32)

    @property
    def bus(self) -> str:
        """What leads to the unit: links that agree in it share one socket or line."""
        raise NotImplementedError


class TcpSettings(LinkSettings):
    """A unit behind a Modbus TCP server."""

    protocol: Literal["modbus-tcp"] = "modbus-tcp"
    host: Host
    port: Port = 502
    client: Client = "pymodbus"
    pipeline: Pipeline = "off"

    @property
    def bus(self) -> str:
        """``host:port``."""
        return f"{self.host}:{self.port}"


def endpoint_of(link: LinkSettings) -> str:
    """Return ``bus#unit``: links that agree in it share a session."""
    return f"{link.bus}#{link.unit_id}"


def bus_key_of(link: LinkSettings) -> str:
    """Return what links must agree in to share one socket or line."""
    return link.bus
