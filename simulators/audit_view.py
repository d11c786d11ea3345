"""One machine's truth as the checks of the audit read it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from simulators.clock import wall_seconds

SLACK_S = 0.25
"""What scheduling may add to a boundary, beside what the machine was seen to be late."""
UNCOMMITTED_S = 0.5
"""A sample served this shortly before a kill may not have been committed; and the same beside.

A collector that has just been started shares two busy cores with what it needs to start.
"""
APART_S = 0.04
"""How far two processes are apart that nobody keeps waiting: one serves a sample, one stamps it."""
STARTING_S = 2.0
"""So long after its first sample a collector may still be loading what it needs."""
NOTICEABLE_S = 1.0
"""A blind window this much longer than interval plus hold has to be noticed."""


@dataclass(frozen=True, slots=True)
class Kill:
    """The collector was down between the two; wall seconds."""

    down: float
    up: float


@dataclass(slots=True)
class Findings:
    """Sentences, sorted by what they mean."""

    missing: list[str] = field(default_factory=list)
    duplicated: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    not_admitted: list[str] = field(default_factory=list)
    uncovered: int = 0


@dataclass(frozen=True, slots=True)
class Window:
    """Nothing was served between the two; wall seconds."""

    since: float
    until: float
    why: str


@dataclass(frozen=True)
class View:
    """One machine of a truth file. ``machine`` is its entry there."""

    name: str
    machine: dict[str, Any]
    truth: dict[str, Any]
    kills: Sequence[Kill]
    heartbeat_s: float
    late_s: float = 0.0
    """How late this machine was seen to be, at its worst."""

    @property
    def slack_s(self) -> float:
        """Return how far a moment may be off."""
        return SLACK_S + self.late_s

    @property
    def scan_s(self) -> float:
        """Return how far apart two answers of one scan, or serving and stamping, may be."""
        return APART_S + self.late_s

    @property
    def observable(self) -> dict[str, Any]:
        """Return what a perfect observer could know."""
        found: dict[str, Any] = self.machine["observable"]
        return found

    @property
    def interval_s(self) -> float:
        """Return the observer's poll interval."""
        return float(self.machine["interval_s"])

    @property
    def hold_s(self) -> float:
        """Return how long a state must stand."""
        return float(self.machine["hold_s"])

    def apart_s(self, since: float, at_most_s: float) -> float:
        """Return how much longer or shorter a stay may look to who watched than to who served.

        The first sample of it and the last may each have been under way as long as one of
        the two was kept waiting: that was measured, beside them. In a collector that has just
        started it is as long as a sample before a kill.
        """
        apart_s = self.scan_s
        firsts = [window.until for window in self.windows if window.why != "power_off"]
        is_starting = any(
            since <= first + STARTING_S and first <= since + at_most_s for first in firsts
        )
        return apart_s + UNCOMMITTED_S if is_starting else apart_s

    @property
    def tolerance_s(self) -> float:
        """Return how far a boundary may be off: one interval plus hold."""
        return self.interval_s + self.hold_s + self.slack_s

    @cached_property
    def ended(self) -> float:
        """Return when the truth was written."""
        return wall_seconds(self.truth["ended_at"])

    @cached_property
    def windows(self) -> list[Window]:
        """Return the blind windows in order."""
        return [
            Window(wall_seconds(blind["from"]), wall_seconds(blind["until"]), blind["why"])
            for blind in self.observable["blind"]
        ]

    def seconds(self, text: str) -> float:
        """Return an ISO time as wall seconds."""
        return wall_seconds(text)

    @cached_property
    def doubtful(self) -> list[tuple[float, float]]:
        """Return when samples were served that may not have been committed.

        What is pushed arrives up to one interval later, so that also a power cut takes
        what was about to be sent.
        """
        pushed = self.machine["protocol"] == "opcua"
        ends = [kill.down for kill in self.kills]
        ends += [window.since for window in self.windows if pushed]
        early_s = self._uncommitted_s + (self.interval_s if pushed else 0.0)
        return [(end - early_s, end + self.slack_s) for end in ends]

    def is_doubtful(self, since: float, until: float | None = None) -> bool:
        """Whether what was decided between the two moments may not have been committed."""
        until = since if until is None else until
        return any(since <= last and first <= until for first, last in self.doubtful)

    def first_sample_after(self, at: float) -> float:
        """Return when something was served again after ``at``, ``at`` if it never was not."""
        early_s = self._uncommitted_s
        return max(
            (w.until for w in self.windows if w.since - early_s <= at <= w.until), default=at
        )

    @property
    def _uncommitted_s(self) -> float:
        return UNCOMMITTED_S + self.late_s


def merged(windows: Iterable[Window], gap_s: float) -> list[Window]:
    """Join windows that are at most ``gap_s`` apart."""
    joined: list[Window] = []
    for window in windows:
        if joined and window.since - joined[-1].until <= gap_s:
            joined[-1] = Window(joined[-1].since, window.until, joined[-1].why)
        else:
            joined.append(window)
    return joined
