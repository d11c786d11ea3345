"""When which tag group of a link is due. Pure arithmetic on the monotonic clock."""

from collections.abc import Collection
from dataclasses import dataclass
from math import floor

from drivers.contract import TagGroup

TICK_S = 0.1
"""Scans of a second or slower start on this grid, so that many share one wake-up."""
COARSE_FROM_S = 1.0


class Schedule:
    """The polled groups of one link."""

    def __init__(self, groups: Collection[TagGroup], now_s: float, share: float) -> None:
        """All are due at once, then each in its interval.

        ``share`` (0..1, the link's place among all links) spreads links over the interval.
        """
        self._slots = [
            _Slot(group, group.poll_interval_s, _phase_s(group.poll_interval_s, share), now_s)
            for group in groups
            if group.poll_interval_s is not None
        ]

    def due(self, now_s: float) -> list[TagGroup]:
        """Return the groups whose moment has come."""
        return [slot.group for slot in self._slots if slot.when_s <= now_s]

    def after(self, read: Collection[TagGroup], now_s: float) -> float:
        """Take in that these were read; return when the next is due, slots that passed apart."""
        for slot in self._slots:
            if slot.group in read:
                past = floor((now_s - slot.phase_s) / slot.interval_s)
                slot.when_s = (past + 1) * slot.interval_s + slot.phase_s
        return min([slot.when_s for slot in self._slots])


@dataclass(slots=True)
class _Slot:
    group: TagGroup
    interval_s: float
    phase_s: float
    when_s: float


def _phase_s(interval_s: float, share: float) -> float:
    phase_s = share * interval_s
    if interval_s >= COARSE_FROM_S:
        phase_s = floor(phase_s / TICK_S) * TICK_S
    return phase_s
