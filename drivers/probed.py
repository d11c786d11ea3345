"""What looking at a device brings, for the person who connects it. Plain data.

A sentence is named by its code, so that it can be said in every language; the values in it
are in no language's words. Looking never writes to a device.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence, by its code and the values in it."""

    code: str
    fields: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Step:
    """One step on the way to a device: what was tried, how it went, what to try next."""

    name: str
    """``resolve connect port tls dial_in unit endpoint security session tag``."""
    subject: str
    duration_s: float
    detail: str = ""
    """What was found, in no language's words."""
    cause: Said | None = None
    """Why it failed; None: it went well."""
    try_next: tuple[Said, ...] = ()
    """The likeliest first. After a step that went well: what may be wrong all the same."""

    @property
    def went_well(self) -> bool:
        """Whether the next step makes sense."""
        return self.cause is None


Tell = Callable[[Step], None]
"""Called with each step when it is done."""


@dataclass(frozen=True, slots=True)
class RawReading:
    """One tag as it was read, with what stood on the wire."""

    key: str
    place: str
    """Where it lies, in the protocol's own notation."""
    raw: str
    """As it came: hex digits of registers, or the server's own value; "" if nothing did."""
    value: bool | int | float | str | None
    cause: str | None
    """Why there is no value, in a word of `drivers.contract.CAUSES` where one fits."""
    rtt_s: float


ReadRaw = Callable[[], Awaitable[list[RawReading]]]
"""Reads every tag once, in order; raises DriverError."""
