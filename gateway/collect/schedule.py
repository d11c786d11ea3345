"""When which tag group of a link is due. Pure arithmetic on the monotonic clock."""

from collections.abc import Collection, Mapping
from math import floor

from drivers.contract import TagGroup

TICK_S = 0.1
"""Scans of a second or slower start on this grid, so that many share one wake-up."""
COARSE_FROM_S = 1.0


def first_due(groups: Collection[TagGroup], now_s: float) -> dict[TagGroup, float]:
    """Return the first due moment of each polled group: at once."""
    return {group: now_s for group in groups if group.poll_interval_s is not None}


def after_read(
    due: Mapping[TagGroup, float], read: Collection[TagGroup], now_s: float, share: float
) -> dict[TagGroup, float]:
    """Return the due moments after ``read`` were read; slots that passed are skipped.

    ``share`` (0..1, the link's place among all links) spreads links over the interval.
    """
    return {
        group: _next_slot(group.poll_interval_s or 0.0, now_s, share) if group in read else when_s
        for group, when_s in due.items()
    }


def _next_slot(interval_s: float, now_s: float, share: float) -> float:
    phase_s = share * interval_s
    if interval_s >= COARSE_FROM_S:
        phase_s = floor(phase_s / TICK_S) * TICK_S
    return (floor((now_s - phase_s) / interval_s) + 1) * interval_s + phase_s


def due_now(due: Mapping[TagGroup, float], now_s: float) -> list[TagGroup]:
    """Return the groups whose moment has come."""
    return [group for group, when_s in due.items() if when_s <= now_s]
