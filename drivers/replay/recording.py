"""What a device said, written down batch by batch: one JSON object a line. Pure.

The first line is the head::

    {"millgate_recording": 1, "link": "press-07.plc", "protocol": "modbus-tcp",
     "endpoint": "192.168.1.17:502#1", "recorded_at": "2026-03-20T01:01:29.123Z"}

Then, with ``t`` in seconds since the head, never falling::

    {"t": 0.0, "opened": true}                                     a session begins
    {"covers": 0, "keys": ["press-07/run"]}                        a covering, used by number
    {"t": 0.1, "covers": 0, "at": "...Z", "changed": {...}, ...}   a batch, as in the contract
    {"t": 9.8, "error": "Unreachable", "reason": "..."}            the session is lost, or none
    {"t": 60.0, "end": true}                                       the recorder was stopped

Promises:

- What `line_of` writes `parse` reads back the same.
- Whatever the lines hold, `parse` returns a recording or raises Unreadable with the line.
- A last line cut short, as a power cut leaves it, is left out.
"""

import json
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, get_args

from drivers.contract import TimeQuality, Value
from drivers.values import is_sound

VERSION = 1
ErrorKind = Literal["Unreachable", "BadReply", "Rejected", "Misconfigured"]


class Unreadable(ValueError):
    """The file is no recording; says in which line and why."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A session began."""

    t: float


@dataclass(frozen=True, slots=True)
class Said:
    """One batch."""

    t: float
    covers: frozenset[str]
    at: datetime
    """`Batch.read_at` when it was recorded."""
    changed: Mapping[str, Value] = field(default_factory=dict)
    bad: Mapping[str, str] = field(default_factory=dict)
    source_times: Mapping[str, datetime] = field(default_factory=dict)
    uncertain: frozenset[str] = frozenset()
    overflowed: Mapping[str, int] = field(default_factory=dict)
    time_quality: TimeQuality = "gateway"
    rtt_s: float | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """A DriverError: no session could be opened, or reading failed."""

    t: float
    error: ErrorKind
    reason: str
    hint: str = ""


Event = Opened | Said | Failed


@dataclass(frozen=True, slots=True)
class Head:
    """Which device it was, and when."""

    link: str
    protocol: str
    endpoint: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Recording:
    """All of it, in order."""

    head: Head
    events: tuple[Event, ...]
    length_s: float

    def keys(self) -> frozenset[str]:
        """Return every tag it says something of."""
        coverings = {event.covers for event in self.events if isinstance(event, Said)}
        return frozenset[str]().union(*coverings)

    def until(self, t: float) -> int:
        """Return how many events there are up to ``t``, that moment included."""
        return bisect_right(self.events, t, key=lambda event: event.t)


def head_line(head: Head) -> str:
    """Return the first line."""
    return _json(
        {
            "millgate_recording": VERSION,
            "link": head.link,
            "protocol": head.protocol,
            "endpoint": head.endpoint,
            "recorded_at": head.recorded_at.isoformat(),
        }
    )


def end_line(t: float) -> str:
    """Return the last line."""
    return _json({"t": round(t, 6), "end": True})


class Lines:
    """Turns events into lines; numbers the coverings it has written."""

    def __init__(self) -> None:
        self._covers: dict[frozenset[str], int] = {}

    def of(self, event: Event) -> list[str]:
        """Return the lines of one event."""
        t = round(event.t, 6)
        if isinstance(event, Opened):
            return [_json({"t": t, "opened": True})]
        if isinstance(event, Failed):
            said = {"t": t, "error": event.error, "reason": event.reason}
            return [_json({**said, **({"hint": event.hint} if event.hint else {})})]
        lines = []
        number = self._covers.get(event.covers)
        if number is None:
            number = self._covers[event.covers] = len(self._covers)
            lines.append(_json({"covers": number, "keys": sorted(event.covers)}))
        lines.append(_json({"t": t, "covers": number, **_batch(event)}))
        return lines


def parse(lines: Iterable[str]) -> Recording:
    """Return the recording; raises Unreadable."""
    reader = _Reader()
    held: str | None = None
    number = 0
    for number, line in enumerate(lines, start=1):
        if held is not None:
            reader.take(held, number - 1)
        held = line.strip() or None
    if held is not None:
        reader.take_last(held, number)
    return reader.recording()


class _Reader:
    def __init__(self) -> None:
        self._head: Head | None = None
        self._covers: dict[int, frozenset[str]] = {}
        self._events: list[Event] = []
        self._length_s = 0.0

    def take(self, line: str, number: int) -> None:
        """Take in one line."""
        try:
            self._take(json.loads(line, parse_constant=_refuse_constant))
        except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as err:
            raise Unreadable(f"line {number}: {err}") from err

    def take_last(self, line: str, number: int) -> None:
        """Take in the last line if it is whole."""
        try:
            json.loads(line)
        except ValueError:
            if self._head is not None:
                return
        self.take(line, number)

    def recording(self) -> Recording:
        """Return what was taken in."""
        if self._head is None:
            raise Unreadable("the file is empty")
        return Recording(self._head, tuple(self._events), self._length_s)

    def _take(self, said: dict[str, Any]) -> None:
        if self._head is None:
            self._head = _head(said)
        elif "keys" in said:
            self._covers[said["covers"]] = frozenset(map(str, said["keys"]))
        else:
            t = float(said["t"])
            if t < self._length_s:
                raise ValueError("time runs backwards")
            self._length_s = t
            if "end" not in said:
                self._events.append(self._event(t, said))

    def _event(self, t: float, said: Mapping[str, Any]) -> Event:
        if "opened" in said:
            return Opened(t)
        if "error" in said:
            return _failed(t, said)
        covers = self._covers[said["covers"]]
        changed, bad = dict(said.get("changed", {})), dict(said.get("bad", {}))
        if not (changed.keys() | bad.keys() <= covers):
            raise ValueError("a batch lists what it does not cover")
        if not all(isinstance(value, Value) and is_sound(value) for value in changed.values()):
            raise TypeError("a value is a number of 64 bits at most, a text, true or false")
        times = {key: _time(text) for key, text in said.get("source_times", {}).items()}
        return Said(
            t=t,
            covers=covers,
            at=_time(said["at"]),
            changed=changed,
            bad={key: str(cause) for key, cause in bad.items()},
            source_times=times,
            uncertain=frozenset(said.get("uncertain", ())),
            overflowed={key: int(count) for key, count in said.get("overflowed", {}).items()},
            time_quality="device" if said.get("time_quality") == "device" else "gateway",
            rtt_s=None if said.get("rtt_s") is None else float(said["rtt_s"]),
        )


def _head(said: Mapping[str, Any]) -> Head:
    if said.get("millgate_recording") != VERSION:
        raise ValueError(f"this is not the head of a recording of version {VERSION}")
    return Head(
        str(said["link"]),
        str(said["protocol"]),
        str(said["endpoint"]),
        _time(said["recorded_at"]),
    )


def _failed(t: float, said: Mapping[str, Any]) -> Failed:
    for kind in get_args(ErrorKind):
        if kind == said["error"]:
            return Failed(t, kind, str(said["reason"]), str(said.get("hint", "")))
    raise ValueError(f"{said['error']!r} is no error of a driver")


def _batch(event: Said) -> dict[str, Any]:
    times = {key: at.isoformat() for key, at in event.source_times.items()}
    said: dict[str, Any] = {
        "changed": dict(event.changed),
        "bad": dict(event.bad),
        "source_times": times,
        "uncertain": sorted(event.uncertain),
        "overflowed": dict(event.overflowed),
        "rtt_s": event.rtt_s,
    }
    kept = {key: value for key, value in said.items() if value or value == 0}
    quality = {} if event.time_quality == "gateway" else {"time_quality": event.time_quality}
    return {"at": event.at.isoformat(), **kept, **quality}


def _time(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("a time without a zone")
    return at


def _refuse_constant(text: str) -> None:
    raise ValueError(f"{text} is no value")


def _json(said: Mapping[str, Any]) -> str:
    return json.dumps(said, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
