"""What can happen to an equipment, as `step` is told it. ``at`` is UTC.

``mono_s`` is the monotonic clock of the same moment: durations come from it, never
from differences of wall time.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from drivers.contract import Value
from gateway.domain.commands import Command
from gateway.domain.rules import EquipmentRules
from gateway.domain.vocabulary import NOTHING, Json, StampQuality


class Observation(NamedTuple):
    """What one batch says about this equipment; keys are its own tag names."""

    link: str
    at: datetime
    mono_s: float
    covers: frozenset[str]
    changed: Mapping[str, Value] = NOTHING
    bad: Mapping[str, str] = NOTHING
    source_times: Mapping[str, datetime] = NOTHING
    uncertain: frozenset[str] = frozenset()
    overflowed: Mapping[str, int] = NOTHING
    time_quality: StampQuality = "gateway"
    rtt_s: float | None = None


@dataclass(frozen=True, slots=True)
class LinkLost:
    """A link has no session; everything it carried is unknown since its last reply."""

    link: str
    at: datetime
    mono_s: float
    failures: int
    error: Json


@dataclass(frozen=True, slots=True)
class Tick:
    """Time passed and nothing else."""

    at: datetime
    mono_s: float


@dataclass(frozen=True, slots=True)
class Started:
    """The gateway came up. ``last_alive`` is when it was last known to run."""

    at: datetime
    mono_s: float
    boot_id: str
    last_alive: datetime | None


@dataclass(frozen=True, slots=True)
class Commanded:
    """Somebody asked for something, and it was allowed."""

    at: datetime
    mono_s: float
    command: Command


@dataclass(frozen=True, slots=True)
class SeriesBegan:
    """A new epoch: consumers know nothing of this equipment yet.

    ``doubtful``: another journal may have booked what our readings do not show yet. It told
    what happened up to ``rival_seen``, as far as that is known.
    """

    at: datetime
    mono_s: float
    doubtful: bool = False
    rival_seen: datetime | None = None


@dataclass(frozen=True, slots=True)
class ClockStepped:
    """The wall clock was set: it is ``offset_ms`` ahead of where it would have come to."""

    at: datetime
    mono_s: float
    offset_ms: int
    boot_id: str


@dataclass(frozen=True, slots=True)
class Reconfigured:
    """From here on other rules hold: those the step is given."""

    at: datetime
    mono_s: float
    before: EquipmentRules
    reopened: frozenset[str] = frozenset()
    """Links that get a new session: nothing of them is known until it brings something."""


@dataclass(frozen=True, slots=True)
class Removed:
    """The gateway says nothing of this equipment any more, or not to those who listen."""

    at: datetime
    mono_s: float


Fact = (
    Observation
    | LinkLost
    | Tick
    | Started
    | Commanded
    | SeriesBegan
    | ClockStepped
    | Reconfigured
    | Removed
)
