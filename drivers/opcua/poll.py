"""Reads in turn what a server does not watch for us.

Promises:

- Each tag is read at the interval of its group, tags due together in one request where the
  limits allow it. A slot that passed is not made up for.
- Only what differs from the reading before is told, and the first reading.
"""

from collections.abc import Callable, Mapping, Sequence

from drivers.contract import DriverError
from drivers.opcua.batches import Arrival
from drivers.opcua.errors import too_many_at_once
from drivers.opcua.services import Connection, Place, Raw


class Polling:
    """The polled tags of one session."""

    def __init__(
        self,
        connection: Connection,
        places: Mapping[str, Place],
        intervals_s: Mapping[str, float],
        monotonic: Callable[[], float],
    ) -> None:
        """``places`` may grow; ``intervals_s`` holds every tag that may come into it."""
        self._connection = connection
        self._places = places
        self._intervals_s = intervals_s
        self._monotonic = monotonic
        self._due_s: dict[str, float] = {}
        self._size = connection.limits.read_size
        self._last: dict[str, Raw] = {}

    @property
    def due_s(self) -> float | None:
        """The monotonic moment of the next reading; None if there is nothing to poll."""
        if not self._places:
            return None
        return min(self._due_s.get(key, 0.0) for key in self._places)

    @property
    def awaits_first_values(self) -> bool:
        """Whether a polled tag was never read."""
        return len(self._last) < len(self._places)

    async def read_due(self) -> tuple[Sequence[tuple[str, Raw]], Arrival] | None:
        """Read what is due; return what is new, None if nothing was due. Raises DriverError."""
        now_s = self._monotonic()
        due = [key for key in self._places if self._due_s.get(key, 0.0) <= now_s]
        if not due:
            return None
        read: dict[str, Raw] = {}
        while len(read) < len(due):
            piece = due[len(read) : len(read) + self._size]
            raws, arrived = await self._read(piece)
            read |= zip(piece, raws, strict=False)
        news = [(key, raw) for key, raw in read.items() if self._is_news(key, raw)]
        self._last |= read
        for key in due:
            interval_s = self._intervals_s[key]
            late = self._due_s.get(key, now_s) + interval_s
            self._due_s[key] = late if late > now_s else now_s + interval_s
        return news, arrived

    async def _read(self, piece: Sequence[str]) -> tuple[Sequence[Raw], Arrival]:
        try:
            places = [self._places[key] for key in piece]
            return await self._connection.read(places, cached=False)
        except DriverError as err:
            if not too_many_at_once(err) or len(piece) == 1:
                raise
            self._size = len(piece) // 2
            return await self._read(piece[: self._size])

    def _is_news(self, key: str, raw: Raw) -> bool:
        before = self._last.get(key)
        if before is None or before.status != raw.status:
            return True
        return repr(before.value) != repr(raw.value)
