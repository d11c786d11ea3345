"""What is asked, what comes back, and the seam behind which every transport looks alike."""

from dataclasses import dataclass
from typing import Protocol

from drivers.modbus.address import BIT_TABLES, Table

FUNCTIONS: dict[Table, int] = {"coil": 1, "di": 2, "hr": 3, "ir": 4}
"""The function codes that read: Modbus Application Protocol V1.1b3, 6.1 to 6.4."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the device answered: the data, or the exception code of its refusal."""

    answer: bytes | int
    mono_s: float
    """The monotonic clock when its last byte arrived."""
    rtt_s: float


class Request:
    """A read, encoded once and asked many times. Compared by identity."""

    __slots__ = (
        "accept_transaction_zero",
        "body",
        "count",
        "function",
        "size",
        "start",
        "table",
        "timeout_s",
        "unit",
    )

    def __init__(
        self,
        *,
        unit: int,
        table: Table,
        start: int,
        count: int,
        timeout_s: float,
        accept_transaction_zero: bool = False,
    ) -> None:
        """``count`` addresses of ``table`` from the 0-based ``start``."""
        self.unit = unit
        self.table = table
        self.start = start
        self.count = count
        self.timeout_s = timeout_s
        self.accept_transaction_zero = accept_transaction_zero
        self.function = FUNCTIONS[table]
        self.size = (count + 7) // 8 if table in BIT_TABLES else 2 * count
        """The data bytes a good answer carries."""
        self.body = bytes([unit, self.function]) + start.to_bytes(2) + count.to_bytes(2)
        """Unit and PDU: what every framing wraps."""


class Wire(Protocol):
    """One transport, open or not. Not for two callers at once; see `drivers.modbus.bus`.

    - A wire on which anything went wrong, a timeout and a cancelled wait included, has made
      sure before the caller hears of it that a late answer finds nobody.
    - Nothing is retried and nothing reconnects by itself.
    - Only DriverError and cancellation come out.
    """

    @property
    def is_open(self) -> bool:
        """Whether it is open, as far as can be known without asking."""
        ...

    async def open(self, timeout_s: float) -> None:
        """Open it, closing what was open before; raises Unreachable."""
        ...

    def close(self) -> None:
        """Close it at once, if it is open."""
        ...

    async def ask(self, request: Request) -> Reply:
        """Return the device's answer; raises DriverError."""
        ...
