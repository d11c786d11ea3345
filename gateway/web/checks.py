"""What can be well or not with the gateway: a code and values, which the screens put in words.

Pure. ``detail`` says the same in English, for who asks with curl.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal

from pydantic import BaseModel

from gateway.domain.vocabulary import stamp, stamp_or_none
from gateway.journal.history import ClockStep, Extent, Filled, Waiting

LOW_DISK = 0.05
MAX_BACKLOG_AGE = timedelta(minutes=2)
CLOCK_SPAN = timedelta(days=7)
"""How far back steps of the clock are counted."""
GIB = 1024**3
Name = Literal["collector", "links", "broker", "queue", "history", "disk", "clock", "versions"]
Value = str | int | float
Code = Literal[
    "alive",
    "silent",
    "damaged",
    "unusable",
    "unreadable",
    "unknown_state",
    "links",
    "no_links",
    "confirmed",
    "waiting",
    "stuck",
    "filling",
    "kept",
    "empty",
    "busy",
    "too_long",
    "free",
    "low_disk",
    "disk_full",
    "no_disk",
    "synced",
    "vouched",
    "unsynced",
    "version",
]
"""What is the case. For one that is bad the screens also say what to do."""


class Check(BaseModel):
    """One thing that can be well or not; `ok` null: it cannot be told from here.

    `code` does not change and `values` go with it; `detail` is the same in English. `since`: the
    last change, where one is known.
    """

    name: Name
    ok: bool | None
    code: Code
    values: dict[str, Value]
    detail: str
    since: str | None


def collector(told: Mapping[str, str | bool | None]) -> Check:
    """Return what the board knows of the collector."""
    code: Code = "alive" if told["alive"] else "silent"
    if told["problem_code"] is not None:
        code = told["problem_code"]  # type: ignore[assignment]
    since, problem = told["at"], told["problem"]
    return Check(
        name="collector",
        ok=bool(told["alive"]) and problem is None,
        code=code,
        values={} if problem is None else {"error": str(problem)},
        detail=str(problem or code),
        since=None if since is None else str(since),
    )


def links(states: Mapping[str, int]) -> Check:
    """Return how many links are in which state."""
    bad = sum(number for state, number in states.items() if state in {"offline", "degraded"})
    detail = ", ".join(f"{state} {number}" for state, number in sorted(states.items()))
    return Check(
        name="links",
        ok=bad == 0,
        code="links" if states else "no_links",
        values=dict(sorted(states.items())),
        detail=detail or "none",
        since=None,
    )


def delivery(
    waiting: Waiting | None, now: datetime, *, alive: bool, filled: Filled
) -> tuple[Check, Check]:
    """Return what the broker confirmed, and what waits for it; ``filled``: of the quota."""
    backlog = 0 if waiting is None else waiting.events
    cursor = 0 if waiting is None else waiting.cursor
    since = None if waiting is None else waiting.oldest_at
    stuck = since is not None and now - since > MAX_BACKLOG_AGE
    broker = Check(
        name="broker",
        ok=not stuck if alive else None,
        code="confirmed",
        values={"seq": cursor},
        detail=f"confirmed up to {cursor}",
        since=stamp_or_none(since) if stuck else None,
    )
    code: Code = "stuck" if stuck else "waiting"
    values: dict[str, Value] = {"events": backlog}
    detail = f"{backlog} events wait"
    if filled.is_much:
        percent = round(100 * filled.share)
        code, values["percent"] = "filling", percent
        detail += f" and take {percent} % of journal.max_bytes"
    queue = Check(
        name="queue",
        ok=code == "waiting",
        code=code,
        values=values,
        detail=detail,
        since=stamp_or_none(since),
    )
    return broker, queue


def kept(extent: Extent | None) -> Check:
    """Return since when there is a history."""
    if extent is None:
        return Check(name="history", ok=None, code="empty", values={}, detail="empty", since=None)
    begins, ends = stamp(extent.first_at), stamp(extent.last_at)
    return Check(
        name="history",
        ok=True,
        code="kept",
        values={"from": begins, "to": ends},
        detail=f"{begins} .. {ends}",
        since=begins,
    )


def no_history(code: str, error: str) -> Check:
    """Return why there is none to be seen; ``code`` is that of a problem."""
    codes: Mapping[str, Code] = {"busy": "busy", "query_too_long": "too_long"}
    return Check(
        name="history",
        ok=False,
        code=codes.get(code, "unreadable"),
        values={"error": error},
        detail=error,
        since=None,
    )


def disk(free: int, total: int, *, was_full: bool) -> Check:
    """Return the room beside the journal, in bytes; ``was_full``: its ballast is not back."""
    code: Code = "low_disk" if free <= LOW_DISK * total else "free"
    if was_full:
        code = "disk_full"
    return Check(
        name="disk",
        ok=code == "free",
        code=code,
        values={"free_bytes": free, "total_bytes": total},
        detail=f"{free / GIB:.1f} GiB of {total / GIB:.1f} GiB free",
        since=None,
    )


def no_disk(error: str) -> Check:
    """Return that nothing can be said of the disk."""
    return Check(
        name="disk", ok=False, code="no_disk", values={"error": error}, detail=error, since=None
    )


def clock(steps: Sequence[ClockStep], *, trusted: bool, by_person: bool) -> Check:
    """Return what the clock is worth, and how often it was set in `CLOCK_SPAN`."""
    vouched: Code = "vouched" if by_person else "synced"
    code: Code = vouched if trusted else "unsynced"
    last = steps[-1] if steps else None
    values: dict[str, Value] = {"steps": len(steps), "days": CLOCK_SPAN.days}
    detail = {"synced": "synchronised", "vouched": "trusted by configuration"}.get(
        code, "nobody vouches for it"
    )
    if last is not None:
        values["last_step_ms"] = last.offset_ms
        detail += f"; set {len(steps)} times in {CLOCK_SPAN.days} days, last by {last.offset_ms} ms"
    return Check(
        name="clock",
        ok=trusted,
        code=code,
        values=values,
        detail=detail,
        since=None if last is None else stamp(last.at),
    )


def versions(version: str) -> Check:
    """Return what runs."""
    return Check(
        name="versions",
        ok=True,
        code="version",
        values={"version": version},
        detail=f"millgate {version}",
        since=None,
    )
