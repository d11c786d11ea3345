"""What is asked, what comes back, and the seam behind which every transport looks alike."""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple, Protocol

from drivers.modbus.address import BIT_TABLES, Table

FUNCTIONS: dict[Table, int] = {"coil": 1, "di": 2, "hr": 3, "ir": 4}
"""The function codes that read: Modbus Application Protocol V1.1b3, 6.1 to 6.4."""


class Reply(NamedTuple):
    """What the device answered: the data, or the exception code of its refusal."""

    answer: bytes | int
    mono_s: float
    """The monotonic clock when its last byte arrived."""
    rtt_s: float


class Answers(NamedTuple):
    """What the device answered to several requests, in their order."""

    answers: list[bytes | int]
    """As in `Reply`."""
    mono_s: float
    """The monotonic clock when the last byte of the last arrived."""
    rtt_s: float
    """The longest."""


def together(replies: Sequence[Reply]) -> Answers:
    """Return as one what came one by one: at least one."""
    return Answers(
        [reply.answer for reply in replies],
        replies[-1].mono_s,
        max(reply.rtt_s for reply in replies),
    )


class Request:
    """A read, encoded once and asked many times. Compared by identity."""

    __slots__ = (
        "accept_transaction_zero",
        "body",
        "count",
        "function",
        "mbap_answer",
        "mbap_question",
        "pause_s",
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
        pause_s: float = 0.0,
    ) -> None:
        """``count`` addresses of ``table`` from the 0-based ``start``.

        ``pause_s`` is how long the bus is left alone before it, after any answer.
        """
        self.unit = unit
        self.table = table
        self.start = start
        self.count = count
        self.timeout_s = timeout_s
        self.accept_transaction_zero = accept_transaction_zero
        self.pause_s = pause_s
        self.function = FUNCTIONS[table]
        self.size = (count + 7) // 8 if table in BIT_TABLES else 2 * count
        """The data bytes a good answer carries."""
        self.body = bytes([unit, self.function]) + start.to_bytes(2) + count.to_bytes(2)
        """Unit and PDU: what every framing wraps."""
        self.mbap_question = bytes([0, 0, 0, len(self.body)]) + self.body
        """A frame of Modbus TCP without its transaction."""
        head = bytes([unit, self.function, self.size])
        self.mbap_answer = bytes([0, 0, 0, len(head) + self.size]) + head
        """What a good answer over Modbus TCP has between its transaction and its data."""


shared_request = lru_cache(maxsize=1024)(Request)
"""A Request, the same one for devices that are asked alike: it stays in the processor's cache."""


class Wire(Protocol):
    """One transport, open or not. Not for two callers at once; see `drivers.modbus.bus`.

    - A wire on which anything went wrong, a timeout and a cancelled wait included, has made
      sure before the caller hears of it that a late answer finds nobody.
    - Nothing is retried and nothing reconnects by itself.
    - Only DriverError and cancellation come out.

    Every transport names it as its base, and inherits `ask_all`.
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

    async def ask_all(self, requests: Sequence[Request]) -> Answers:
        """Return the answers to at least one request, all or none; raises DriverError."""
        return together([await self.ask(request) for request in requests])
