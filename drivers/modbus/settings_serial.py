"""What an operator may set on a link over a serial port."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from drivers.modbus.settings import LinkSettings

Parity = Literal["none", "even", "odd"]
PARITY_BITS = 1
START_BITS = 1
MIN_GAP_CHARACTERS = 3.5  # MODBUS over Serial Line V1.02, 2.5.1.1
MIN_GAP_S = 0.00175  # the same, above 19200 baud
FASTEST_COUNTED_BAUD = 19200
_LINE = ("baudrate", "parity", "stop_bits", "data_bits", "local_echo")


class SerialSettings(LinkSettings):
    """A unit on a serial line of this machine. All units of a line agree in the line's part."""

    port: Annotated[str, Field(pattern=r"^/.+", max_length=4096)]
    """The device file; one that names the socket or the adapter stays right after a restart:
    ``/dev/serial/by-path/...`` or ``by-id``."""
    baudrate: int = Field(9600, ge=300, le=4_000_000)
    parity: Parity = "none"
    stop_bits: Literal[1, 2] = 1
    data_bits: Literal[7, 8] = 8
    unit_id: int = Field(1, ge=1, le=255)
    quiet_ms: int = Field(0, ge=0, le=60_000)
    """Least silence before the next request after anything went wrong, beside timeout_ms."""
    local_echo: bool = False
    """The adapter hands back what it sends."""

    @property
    def bus(self) -> str:
        """The port."""
        return self.port

    @property
    def line(self) -> Mapping[str, object]:
        """How characters are sent."""
        return {name: getattr(self, name) for name in _LINE}

    @property
    def character_s(self) -> float:
        """How long one character takes on the line."""
        bits = START_BITS + self.data_bits + (self.parity != "none") * PARITY_BITS + self.stop_bits
        return bits / self.baudrate

    @property
    def gap_s(self) -> float:
        """The silence that separates two frames."""
        if self.baudrate > FASTEST_COUNTED_BAUD:
            return MIN_GAP_S
        return MIN_GAP_CHARACTERS * self.character_s


class RtuSettings(SerialSettings):
    """Binary frames, which take 8 data bits."""

    protocol: Literal["modbus-rtu"] = "modbus-rtu"
    data_bits: Literal[8] = 8


class AsciiSettings(SerialSettings):
    """Frames of hexadecimal digits."""

    protocol: Literal["modbus-ascii"] = "modbus-ascii"
    data_bits: Literal[7, 8] = 7
