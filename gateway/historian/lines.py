"""One fact as points of line protocol: pure.

- Every point has a numeric field: VictoriaMetrics keeps nothing else.
- No text of a fact can end a line, a tag or a field: what has no escape is replaced.
- The quantities of a count are always floats, so their fields keep one type.
- Two facts of one series never share a millisecond: ``Occupied`` moves the later one on.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from gateway.domain.vocabulary import Json
from gateway.wire.cloudevent import Envelope

_UNIX_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)
_INT64 = 2**63
_NO_ESCAPE = re.compile(r"[\x00-\x1f\x7f\\]")
_NO_ESCAPE_IN_TEXT = re.compile(r"[\x00-\x1f\x7f]")
_ESCAPED = re.compile(r"([,= ])")
_ESCAPED_IN_TEXT = re.compile(r'(["\\])')


class Point(NamedTuple):
    """One point; ``series`` (measurement and tags) and ``fields`` are escaped."""

    series: str
    fields: str
    time_ms: int

    def line(self) -> str:
        """Return it as line protocol, stamped in milliseconds."""
        return f"{self.series} {self.fields} {self.time_ms}"


def lines(event: Envelope) -> list[str]:
    """Return the lines of a fact, none moved."""
    return [point.line() for point in points(event)]


def points(event: Envelope) -> list[Point]:
    """Return the points of a fact; none for a type without a measurement."""
    build = _MEASUREMENTS.get(event.type)
    if build is None:
        return []
    tag, fields = build(event.data)
    levels = dict(
        zip(("site", "area", "line", "equipment"), event.subject.split("/"), strict=False)
    )
    tags = {**levels, "gateway": event.source.rpartition("/")[2], **tag}
    series = [event.type]
    series += [f"{name}={_key(str(value))}" for name, value in tags.items() if value]
    written = [
        f"{_key(name)}={text}"
        for name, value in fields.items()
        if name and (text := _value(value)) is not None
    ]
    if not written:
        return []
    return [Point(",".join(series), ",".join(written), (event.time - _UNIX_EPOCH) // _MS)]


class Occupied:
    """The milliseconds that are taken, per series; remembers the last ``size`` of them.

    A fact that is placed again finds its own: ``number`` is that of the fact.
    """

    def __init__(self, size: int = 50_000) -> None:
        self._size = size
        self._taken: dict[tuple[str, int], int] = {}

    def place(self, point: Point, number: int) -> Point:
        """Return the point at its own millisecond, or at the next one that is free."""
        time_ms = point.time_ms
        while self._taken.get((point.series, time_ms), number) != number:
            time_ms += 1
        self._taken[point.series, time_ms] = number
        if len(self._taken) > self._size:
            del self._taken[next(iter(self._taken))]
        return point._replace(time_ms=time_ms)


Fields = Mapping[str, Any]


def _status(data: Json) -> tuple[Fields, Fields]:
    fields = {
        "state_code": data.get("state_code"),
        "state": data.get("state"),
        "prev_duration_ms": data.get("prev_duration_ms"),
    }
    return {}, fields


def _count(data: Json) -> tuple[Fields, Fields]:
    fields = {name: _float(data.get(name)) for name in ("total", "delta", "refused")}
    return {"counter": data.get("counter")}, fields | {"anomaly": data.get("anomaly")}


def _fault(data: Json) -> tuple[Fields, Fields]:
    fields = {
        "active": int(data.get("cleared_at") is None),
        "severity": data.get("severity"),
        "duration_ms": data.get("duration_ms"),
        "raises": data.get("raises"),
        "fault_id": data.get("fault_id"),
        "transition": data.get("transition"),
    }
    return {"code": data.get("code")}, fields


def _reading(data: Json) -> tuple[Fields, Fields]:
    values, bad = data.get("values"), data.get("bad")
    fields: dict[str, Any] = {"_bad": len(bad) if isinstance(bad, dict) else 0}
    return {"group": data.get("group")}, fields | (values if isinstance(values, dict) else {})


def _health(data: Json) -> tuple[Fields, Fields]:
    fields = {
        "up": int(data.get("state") in {"online", "degraded"}),
        "failures": data.get("failures"),
        "rtt_ms": _float(data.get("rtt_ms")),
        "state": data.get("state"),
    }
    return {"link": data.get("link")}, fields


_MEASUREMENTS: Mapping[str, Callable[[Json], tuple[Fields, Fields]]] = {
    "status": _status,
    "count": _count,
    "fault": _fault,
    "reading": _reading,
    "health": _health,
}


def _float(value: Any) -> Any:
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _key(text: str) -> str:
    return _ESCAPED.sub(r"\\\1", _NO_ESCAPE.sub("_", text))


def _value(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return f"{value}i" if -_INT64 <= value < _INT64 else repr(float(value))
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, str):
        return '"' + _ESCAPED_IN_TEXT.sub(r"\\\1", _NO_ESCAPE_IN_TEXT.sub(" ", value)) + '"'
    return None
