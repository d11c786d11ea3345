"""What an operator may set on a tag: where it lies and how its bytes are read.

- Every type has the orders of its width and no others; `WORD_ORDERS` says which are one.
- What cannot be together is refused in words, before any address is looked at.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Literal, Self, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictFloat,
    StrictInt,
    StrictStr,
    model_validator,
)

from drivers.contract import BadSetting

ValueType = Literal[
    "bool",
    "int8h",
    "int8l",
    "uint8h",
    "uint8l",
    "int16",
    "uint16",
    "int32",
    "uint32",
    "int64",
    "uint64",
    "float16",
    "float32",
    "float64",
    "bcd16",
    "bcd32",
    "string",
]
WordOrder = Literal["ABCD", "CDAB", "BADC", "DCBA"]
Order = Literal[
    "AB", "BA", "ABCD", "CDAB", "BADC", "DCBA", "ABCDEFGH", "GHEFCDAB", "BADCFEHG", "HGFEDCBA"
]
"""A is the byte that counts most; they stand in the order in which they are transmitted."""
Encoding = Literal["ascii", "gb18030", "utf-8"]

TYPES: tuple[ValueType, ...] = get_args(ValueType)
WORD_ORDERS: Mapping[Order, WordOrder] = MappingProxyType(
    {
        "AB": "ABCD",
        "BA": "BADC",
        "ABCD": "ABCD",
        "CDAB": "CDAB",
        "BADC": "BADC",
        "DCBA": "DCBA",
        "ABCDEFGH": "ABCD",
        "GHEFCDAB": "CDAB",
        "BADCFEHG": "BADC",
        "HGFEDCBA": "DCBA",
    }
)
"""Each order by what it does to words and to the bytes in them, for any number of words."""
_ORDERS_OF_A_WORD: tuple[Order, ...] = ("AB", "BA", "ABCD", "BADC")
_ORDERS_OF_TWO: tuple[Order, ...] = ("ABCD", "CDAB", "BADC", "DCBA")
_ORDERS_OF_FOUR: tuple[Order, ...] = ("ABCDEFGH", "GHEFCDAB", "BADCFEHG", "HGFEDCBA")

REGISTERS: Mapping[ValueType, int] = MappingProxyType(
    {kind: 4 if "64" in kind else 2 if "32" in kind else 1 for kind in TYPES}
)
"""How many a value takes; a string is as long as its tag says."""
MAX_STRING_REGISTERS = 125


class TagSettings(BaseModel):
    """One value of the device."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    address: StrictInt | Annotated[StrictStr, Field(min_length=1, max_length=40)]
    type: ValueType | None = None
    """None: bool for coils, discrete inputs and bits, what the device is for counters of 32
    bits and the like, uint16 for registers."""
    order: Order = "ABCD"
    """How the bytes of a value lie in its registers."""
    bit: int | None = Field(None, ge=0, le=15)
    """This bit of the register, 0 the least significant."""
    scale: float = 1
    offset: float = 0
    """The tag's value is raw x scale + offset."""
    invalid: tuple[StrictInt | StrictFloat | StrictStr, ...] = Field((), max_length=16)
    """Raw values that mean "no value": a number as the type reads it, before scale and
    offset; ``0x8000``, the bits as they stand in the registers; ``NaN``, which always does."""
    length_registers: int | None = Field(None, ge=1, le=MAX_STRING_REGISTERS)
    length_bytes: int | None = Field(None, ge=1, le=2 * MAX_STRING_REGISTERS)
    """How long a string is: one of the two."""
    encoding: Encoding = "ascii"
    """Of a string. It ends at its first NUL; blanks at its end are left out."""

    @property
    def string_bytes(self) -> int:
        """How many bytes a string has, without what is left over of its last register."""
        return self.length_bytes or 2 * (self.length_registers or 0)

    def registers(self, kind: ValueType) -> int:
        """Return how many registers the tag takes if it is a ``kind``."""
        return (self.string_bytes + 1) // 2 if kind == "string" else REGISTERS[kind]

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.scale == 0:
            raise BadSetting(
                "modbus_scale_zero",
                "scale: 0 would make every value the same",
                "leave it out or write 1",
            )
        self._check_bit()
        self._check_string()
        if self.type is not None or self.bit is not None:
            check_order(self.order, self.type or "bool")
        return self

    def _check_bit(self) -> None:
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
        if boolean and self.invalid:
            refuse_number("invalid", "bool")

    def _check_string(self) -> None:
        lengths = self.length_registers, self.length_bytes
        if self.type != "string":
            if lengths != (None, None) or self.encoding != "ascii":
                raise BadSetting(
                    "modbus_string_only",
                    "length_registers, length_bytes, encoding: only a string has them",
                    "write type: string or leave them out",
                )
            return
        if (lengths[0] is None) == (lengths[1] is None):
            raise BadSetting(
                "modbus_string_length",
                "type: a string must say how long it is",
                "write either length_registers: 8 or length_bytes: 15",
            )
        if self.scale != 1 or self.offset != 0 or self.invalid:
            refuse_number("scale, offset, invalid", "string")


def orders_of(kind: ValueType) -> tuple[Order, ...]:
    """Return the orders a type can lie in, the usual one first."""
    if kind == "string" or REGISTERS[kind] == 1:
        return _ORDERS_OF_A_WORD
    return _ORDERS_OF_TWO if REGISTERS[kind] == 2 else (*_ORDERS_OF_FOUR, *_ORDERS_OF_TWO)  # noqa: PLR2004


def check_order(order: Order, kind: ValueType) -> None:
    """Raise BadSetting if a ``kind`` cannot lie in that order."""
    known = orders_of(kind)
    if order in known:
        return
    if known is _ORDERS_OF_A_WORD and order in _ORDERS_OF_TWO:
        raise BadSetting(
            "modbus_order_of_word",
            "order: {order} swaps words, but a {type} is read word by word",
            "write BA to swap the two bytes of a word",
            order=order,
            type=kind,
        )
    raise BadSetting(
        "modbus_order_of_type",
        "order: {order} is no order of a {type}",
        "it is one of {known}",
        order=order,
        type=kind,
        known=", ".join(known),
    )


def refuse_number(keys: str, kind: ValueType) -> None:
    """Raise BadSetting for settings that only numbers have."""
    raise BadSetting(
        "modbus_no_number",
        "{keys}: a {type} is no number",
        "leave them out",
        keys=keys,
        type=kind,
    )
