"""What an operator may set on a tag: where it lies and how its bytes are read."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StrictInt, StrictStr, model_validator

from drivers.contract import BadSetting

ValueType = Literal[
    "bool", "uint16", "int16", "uint32", "int32", "uint64", "int64", "float32", "float64"
]
Order = Literal["ABCD", "CDAB", "BADC", "DCBA"]

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


class TagSettings(BaseModel):
    """One value of the device."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

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
