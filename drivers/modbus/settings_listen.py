"""What an operator may set on a link to a DTU that dials in to the gateway."""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from drivers.contract import BadSetting
from drivers.modbus.settings import Host, LinkSettings, Port, Strict
from drivers.modbus.wire import FUNCTIONS

MAX_PACKET_BYTES = 256
_REFUSED = 0x80


class Packet(Strict):
    """Bytes a DTU sends by itself, as text or as hexadecimal digits."""

    text: Annotated[str, Field(min_length=1, max_length=MAX_PACKET_BYTES)] | None = None
    hex: Annotated[str, Field(min_length=2, max_length=3 * MAX_PACKET_BYTES)] | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if (self.text is None) == (self.hex is None):
            raise BadSetting(
                "modbus_packet_text_or_hex",
                "a packet is written as text or as hex, one of the two",
                'such as text: SN0001 or hex: "FE 01"',
            )
        try:
            bytes.fromhex(self.hex or "")
        except ValueError:
            raise BadSetting(
                "modbus_packet_not_hex",
                "'{text}' are not pairs of hexadecimal digits",
                'such as "FE 01"',
                text=self.hex,
            ) from None
        return self

    @property
    def data(self) -> bytes:
        """The bytes; text in UTF-8."""
        return bytes.fromhex(self.hex) if self.hex is not None else (self.text or "").encode()


class Registration(Packet):
    """What a DTU says first, by which it is known."""

    match: Literal["whole", "prefix"] = "whole"
    """``prefix``: more may follow it, such as a firmware version."""


class ListenSettings(LinkSettings):
    """A unit behind a DTU that dials in. Several DTUs may share a port."""

    protocol: Literal["modbus-listen"] = "modbus-listen"
    host: Host = "0.0.0.0"  # noqa: S104 -- a DTU comes from outside; the manual says so
    """The address of this machine to listen on."""
    port: Port
    framing: Literal["rtu", "tcp"] = "rtu"
    registration: Registration | None = None
    """None: the only DTU of this port, which says nothing by itself."""
    heartbeat: Packet | None = None
    """Dropped wherever it comes."""

    @model_validator(mode="after")
    def _is_told_apart(self) -> Self:
        packets = [self.registration, self.heartbeat]
        for data in (packet.data for packet in packets if packet is not None):
            if self.framing == "rtu" and self._may_begin_an_answer(data):
                raise BadSetting(
                    "modbus_packet_like_answer",
                    "{data} could be the beginning of an answer of unit {unit}",
                    "set another packet in the DTU, such as a text",
                    data=data.hex(" ").upper(),
                    unit=self.unit_id,
                )
        return self

    @property
    def bus(self) -> str:
        """``listen:host:port`` and the DTU."""
        name = "" if self.registration is None else f"/{shown(self.registration.data)}"
        return f"listen:{self.host}:{self.port}{name}"

    @property
    def line(self) -> Mapping[str, object]:
        """How the DTU speaks."""
        match = None if self.registration is None else self.registration.match
        beat = None if self.heartbeat is None else shown(self.heartbeat.data)
        return {"framing": self.framing, "heartbeat": beat, "registration.match": match}

    def _may_begin_an_answer(self, data: bytes) -> bool:
        functions = {*FUNCTIONS.values(), *(code | _REFUSED for code in FUNCTIONS.values())}
        return data[0] == self.unit_id and (len(data) == 1 or data[1] in functions)


def shown(data: bytes) -> str:
    """Return a packet for people: its text if it can be read, its bytes if not."""
    text = data.decode("utf-8", errors="replace")
    return text if text.isprintable() and "\ufffd" not in text else f"hex {data.hex(' ').upper()}"
