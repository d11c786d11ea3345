"""What an operator may set on a Modbus TCP link and on its tags.

Milliseconds, because that is how intervals are written in a plant.
"""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StrictInt, StrictStr, model_validator

from drivers.contract import BadSetting
from drivers.modbus.address import Family

ValueType = Literal[
    "bool", "uint16", "int16", "uint32", "int32", "uint64", "int64", "float32", "float64"
]
Order = Literal["ABCD", "CDAB", "BADC", "DCBA"]

MAX_REGISTERS_PER_READ = 125  # Modbus Application Protocol V1.1b3, 6.3 and 6.4
MAX_BITS_PER_READ = 2000  # the same, 6.1 and 6.2
MIN_POLL_INTERVAL_MS = 10
REGISTERS: dict[ValueType, int] = {
    "bool": 1,
    "uint16": 1,
    "int16": 1,
    "uint32": 2,
    "int32": 2,
    "float32": 2,
    "uint64": 4,
    "int64": 4,
    "float64": 4,
}

PollInterval = Annotated[int, Field(ge=MIN_POLL_INTERVAL_MS, le=86_400_000)]


class _Strict(BaseModel):
    """Frozen, and a key nobody reads is an error, not a default."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class GroupSettings(_Strict):
    """Tags of the link that are polled at another interval."""

    poll_interval_ms: PollInterval


class LinkSettings(_Strict):
    """One unit behind one Modbus TCP server."""

    protocol: Literal["modbus-tcp"] = "modbus-tcp"
    host: str = Field(min_length=1, max_length=253)
    port: int = Field(502, ge=1, le=65535)
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


class TagSettings(_Strict):
    """One value of the device."""

    address: StrictInt | Annotated[StrictStr, Field(min_length=1, max_length=40)]
    type: ValueType | None = None
    """None: bool for coils, discrete inputs and bits, uint16 for registers."""
    order: Order = "ABCD"
    """How the bytes of a value lie in its registers; for 64 bits alike, by words of 16."""
    bit: int | None = Field(None, ge=0, le=15)
    """This bit of the register, 0 the least significant."""
    scale: float = 1
    offset: float = 0
    """The tag's value is raw x scale + offset."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.scale == 0:
            raise BadSetting(
                "modbus_scale_zero",
                "scale: 0 would make every value the same",
                "leave it out or write 1",
            )
        boolean = self.bit is not None or self.type == "bool"
        if self.bit is not None and self.type not in {None, "bool"}:
            raise BadSetting(
                "modbus_bit_of_number",
                "bit: a single bit is a bool, not a {type}",
                "leave out type",
                type=self.type,
            )
        if boolean and (self.scale != 1 or self.offset != 0):
            raise BadSetting(
                "modbus_scaled_bool",
                "scale, offset: a bool cannot be scaled",
                "leave out scale and offset",
            )
        narrow = self.type is not None and REGISTERS[self.type] == 1
        if (boolean or narrow) and self.order in {"CDAB", "DCBA"}:
            raise BadSetting(
                "modbus_order_of_word",
                "order: {order} swaps words, but a {type} is one word",
                "write BADC to swap its two bytes",
                order=self.order,
                type=self.type or "bit",
            )
        return self
