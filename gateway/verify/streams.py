"""Identity, order and completeness of events: duplicates, order of seq, holes of streamseq.

- Only events that do not say ``replay`` are judged for order and begin a hole: a backlog and a
  replay that somebody asked for cannot be told apart, and the latter may jump.
- A hole is one only if neither a replay nor a ``gap`` event fills it before the end.
- Memory is bounded: identities are remembered for the newest `REMEMBERED` events.
"""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field

import orjson

from gateway.verify.findings import Flaw
from gateway.wire.cloudevent import Envelope

REMEMBERED = 200_000

Ranges = list[tuple[int, int]]
"""Numbers from the first to the second, both included; in order, apart from each other."""


def without(ranges: Ranges, first: int, last: int) -> Ranges:
    """Return the ranges less the numbers ``first`` to ``last``."""
    return [
        (low, high)
        for begin, end in ranges
        for low, high in ((begin, min(end, first - 1)), (max(begin, last + 1), end))
        if low <= high
    ]


@dataclass(slots=True)
class _Stream:
    topic: str
    top: int = 0
    """Newest number that came as it happened; 0 before the first."""
    ahead: Ranges = field(default_factory=list)
    """Numbers above ``top`` that are here or accounted for."""
    missing: Ranges = field(default_factory=list)

    def account(self, first: int, last: int) -> None:
        """Take that these numbers came, or that a gap names them."""
        self.missing = without(self.missing, first, last)
        if last > self.top:
            if self.ahead and self.ahead[-1][1] + 1 == first:
                first = self.ahead.pop()[0]
            self.ahead.append((first, last))

    def live(self, number: int) -> None:
        """Take that this number came as it happened: all before it must have come."""
        if self.top and number > self.top + 1:
            lacking = [(self.top + 1, number - 1)]
            for first, last in self.ahead:
                lacking = without(lacking, first, last)
            self.missing += lacking
        self.account(number, number)
        self.top = max(self.top, number)
        self.ahead = [(first, last) for first, last in self.ahead if last > self.top]


class Streams:
    """Judges the events of all gateways as they come."""

    def __init__(self) -> None:
        self._facts: OrderedDict[tuple[str, str], int] = OrderedDict()
        self._newest: dict[str, tuple[str, int]] = {}
        self._streams: dict[tuple[str, str, str, str], _Stream] = {}

    def take(self, topic: str, event: Envelope) -> list[Flaw]:
        """Return what is wrong with this event, given those before it."""
        flaws = self._identity(event)
        if not event.replay and not flaws:
            flaws += self._order(event)
        stream = self._stream(event, event.type, topic)
        if event.replay:
            stream.account(event.streamseq, event.streamseq)
        else:
            stream.live(event.streamseq)
        if event.type == "gap":
            self._account(event, topic)
        return flaws

    def interrupted(self) -> None:
        """Take that we were not listening for a while: what was missed then is no hole."""
        for stream in self._streams.values():
            stream.top, stream.ahead = 0, []
        self._newest.clear()

    def holes(self) -> Iterator[tuple[str, Flaw]]:
        """Yield topic and flaw of the numbers that are missing by now."""
        for (_, epoch, _, _), stream in self._streams.items():
            for first, last in stream.missing:
                yield stream.topic, Flaw("hole", f"streamseq {first} to {last} of epoch {epoch}")

    def _identity(self, event: Envelope) -> list[Flaw]:
        content = (event.type, event.subject, event.time, event.recordedtime, event.streamseq)
        digest = hash((content, orjson.dumps(event.data)))
        key = (event.source, event.id)
        before = self._facts.get(key)
        if before is None:
            self._facts[key] = digest
            if len(self._facts) > REMEMBERED:
                self._facts.popitem(last=False)
            return []
        if before != digest:
            return [Flaw("changed", event.id)]
        return [] if event.replay else [Flaw("repeated", event.id)]

    def _order(self, event: Envelope) -> list[Flaw]:
        here = (event.epoch, event.seq)
        newest = self._newest.get(event.source, ("", 0))
        self._newest[event.source] = max(here, newest)
        if here < newest:
            return [Flaw("order", f"{event.id} after {newest[0]}-{newest[1]}")]
        return []

    def _stream(self, event: Envelope, type_: str, topic: str) -> _Stream:
        key = (event.source, event.epoch, event.subject.rpartition("/")[2], type_)
        if key not in self._streams:
            self._streams[key] = _Stream(topic)
        return self._streams[key]

    def _account(self, gap: Envelope, topic: str) -> None:
        type_, first, last = (gap.data.get(k) for k in ("stream", "from_streamseq", "to_streamseq"))
        if isinstance(type_, str) and isinstance(first, int) and isinstance(last, int):
            named = topic.removesuffix("gap") + type_
            self._stream(gap, type_, named).account(first, last)
