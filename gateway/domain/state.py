"""What is known of one equipment between two facts.

``Durable`` is stored in the transaction of the events it came with; ``Live`` is
rebuilt from the next complete reading. A step that changes nothing durable gives back
the same ``Durable`` object, so identity tells whether there is something to store.

What every reading makes anew is a named tuple: making one takes a fifth of the time.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NamedTuple

from drivers.contract import Value
from gateway.domain.events import FaultText
from gateway.domain.rules import UsageKind
from gateway.domain.vocabulary import (
    NOTHING,
    CounterKind,
    Json,
    LinkState,
    Mode,
    Order,
    Reason,
    Shift,
    State,
)


@dataclass(frozen=True, slots=True)
class Moment:
    """One instant on both clocks; ``mono_s`` None where it belongs to another boot."""

    at: datetime
    mono_s: float | None

    def seconds_until(self, later: "Moment") -> float:
        """Seconds to ``later``: monotonic if both clocks knew it, else wall, never < 0."""
        if self.mono_s is not None and later.mono_s is not None:
            return max(0.0, later.mono_s - self.mono_s)
        return max(0.0, (later.at - self.at).total_seconds())

    def lasted(self, duration_s: float, now: "Moment") -> bool:
        """Whether ``duration_s`` has passed by ``now``.

        True exactly from the monotonic moment ``mono_s + duration_s``, which a difference
        of floats need not be: a tick at that moment must find it true.
        """
        if self.mono_s is not None and now.mono_s is not None:
            return now.mono_s >= self.mono_s + duration_s
        return self.seconds_until(now) >= duration_s


@dataclass(frozen=True, slots=True)
class OpenStatus:
    """The state in force."""

    state: State
    since: Moment
    reason: Reason | None = None
    mode: Mode = "unknown"
    shift: Shift | None = None


@dataclass(frozen=True, slots=True)
class Pending:
    """A reading too large to believe at once."""

    raw: int
    read: Moment
    reads: int
    """How many in a row agree."""
    since: Moment
    """The last reading that was believed."""
    tries: int
    """How many there were since then."""


@dataclass(frozen=True, slots=True)
class CounterState:
    """One counter: the last raw reading that was booked and what it added up to."""

    identity: str
    """What the raw reading means; another identity makes a new baseline."""
    raw: int
    booked: Moment
    total: int
    kind: CounterKind
    unit: str
    pending: Pending | None = None
    dark_since: Moment | None = None
    """The last reading, where none could be had since."""
    unusable: bool = False
    """What it shows since then cannot be a counter's."""
    withheld: int = 0
    """Raw steps made while they did not count, not yet told in an event."""
    carry: int = 0
    """What is left of a fraction of a part, in parts of the factor's denominator."""
    part_at: Moment | None = None
    """When the last part was seen; None where that says nothing about the next one's time."""
    out_of_order: int = 0
    """Readings dropped because the device had stamped them before one already taken."""
    origin: Literal["device", "manual"] = "device"


@dataclass(frozen=True, slots=True)
class Comment:
    """What somebody said about a fault."""

    at: datetime
    by: str
    text: str


@dataclass(frozen=True, slots=True)
class ActiveFault:
    """One occurrence that has not cleared."""

    fault_id: str
    fault: FaultText
    raised: Moment
    acked: bool = False
    frozen: bool = False
    """Its source is out of sight: still active as far as anybody knows."""
    raises: int = 1
    """How often its source showed it anew within this occurrence."""
    chattering: bool = False
    """It stays open over short clears."""
    quiet_since: Moment | None = None
    """Chattering, and its source has not shown it since."""
    told: Moment | None = None
    """When ``raises`` was last published, if not with the raise itself."""
    first_up: bool = False
    flood: bool = False
    acked_by: str | None = None
    acked_at: datetime | None = None
    comments: tuple[Comment, ...] = ()
    """The newest, oldest first."""

    @property
    def stopping(self) -> bool:
        """Whether the machine is stopped by it, as far as its source was last seen."""
        return self.fault.stops_machine and self.quiet_since is None


@dataclass(frozen=True, slots=True)
class ClearedFault:
    """An occurrence that cleared before anybody acknowledged it."""

    fault_id: str
    key: str
    """"tag/number"."""
    code: str
    raised_at: datetime
    cleared_at: datetime
    duration_ms: int
    raises: int = 1
    first_up: bool = False
    flood: bool = False


@dataclass(frozen=True, slots=True)
class Shelf:
    """A bit or a code that somebody took out of sight for a while."""

    until: Moment
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class UnknownFault:
    """A bit or a code that was raised and stands in no dictionary."""

    first_seen: datetime
    last_seen: datetime
    count: int


@dataclass(frozen=True, slots=True)
class FaultMemory:
    """What is remembered of faults beyond those in force. All of it is bounded."""

    unacked: tuple[ClearedFault, ...] = ()
    """Cleared and not acknowledged, oldest first."""
    shelves: Mapping[str, Shelf] = field(default_factory=dict)
    """"tag/number" -> its shelf: the next occurrence is born on it."""
    unknown: Mapping[str, UnknownFault] = field(default_factory=dict)
    """"tag/number" -> when it was seen."""
    last_number: int = 0
    """Of the newest fault_id; grows, so that no two occurrences share one."""


@dataclass(frozen=True, slots=True)
class Raised:
    """One occurrence began: what chatter and flood are told by."""

    key: str
    moment: Moment


@dataclass(frozen=True, slots=True)
class LinkHealth:
    """What a link was worth when that last changed."""

    state: LinkState
    since: datetime
    last_ok: datetime | None = None
    failures: int = 0
    rtt_ms: float | None = None
    error: Json | None = None


@dataclass(frozen=True, slots=True)
class OrderInForce:
    """The order and the command that brought it."""

    order: Order
    command_id: str
    since: datetime
    by: str | None = None
    effective_at: datetime | None = None
    """Since when it should have been, where the sender said so."""


@dataclass(frozen=True, slots=True)
class OrderCut:
    """When the order in force last changed, and which one was before."""

    at: datetime
    before: Order | None


@dataclass(frozen=True, slots=True)
class BalanceCheck:
    """How far the total is from good and reject together."""

    of: str
    """What is compared; another comparison begins anew."""
    apart: int
    """How far they were apart when it began."""
    told: bool = False
    """An event has said that they do not fit."""


UsageDue = Literal["ok", "soon", "due"]


@dataclass(frozen=True, slots=True)
class UsageState:
    """One usage: hours in milliseconds, cycles in steps of their counter."""

    kind: UsageKind
    limit: float
    warn_at: float
    before: float
    """Without the open interval; below zero if it was set within that."""
    used: float
    """As it was last told."""
    told_at: datetime
    since: datetime
    """When it was last set, at first when it was configured."""
    by: str | None = None
    due: UsageDue = "ok"
    active: bool = True


@dataclass(frozen=True, slots=True)
class Durable:
    """The part of the state that must survive a crash together with its events."""

    equipment: str
    boot_id: str = ""
    status: OpenStatus | None = None
    counters: Mapping[str, CounterState] = field(default_factory=dict)
    faults: Mapping[str, ActiveFault] = field(default_factory=dict)
    """"tag/number" -> occurrence."""
    fault_memory: FaultMemory = field(default_factory=FaultMemory)
    links: Mapping[str, LinkHealth] = field(default_factory=dict)
    order: OrderInForce | None = None
    order_cut: OrderCut | None = None
    balance: BalanceCheck | None = None
    usage: Mapping[str, UsageState] = field(default_factory=dict)
    local: bool = False
    """In commissioning: nobody was told of it since."""


@dataclass(frozen=True, slots=True)
class Turn:
    """The shift that is worked now, None for none, and when that changes."""

    shift: Shift | None
    known_from: datetime
    ends: datetime
    ends_s: float
    """The same on the monotonic clock, as far as could be told."""


class Verdict(NamedTuple):
    """What the rules say now, before the hold time. ``since`` is its first moment."""

    state: State
    since: Moment
    reason: Reason | None = None
    mode: Mode = "unknown"


class Live(NamedTuple):
    """The part that the next complete reading rebuilds."""

    values: Mapping[str, Value] = NOTHING
    """tag -> its present value; only tags that are good."""
    bad: Mapping[str, str] = NOTHING
    """tag -> cause; a tag in neither mapping was never read."""
    lost: Mapping[str, Moment] = NOTHING
    """tag that went bad -> the last moment it was good."""
    last_ok: Mapping[str, Moment] = NOTHING
    """link -> its last reply."""
    published: Mapping[str, Value] = NOTHING
    """Up to here is what a batch brings: `gateway.domain.quality.absorb` makes it anew."""
    read_at: Mapping[str, Moment] = NOTHING
    """Tag of a counter -> when it was last read."""
    stamps: Mapping[str, datetime] = NOTHING
    """Tag of a counter -> the newest stamp the device gave it."""
    unbalanced_reads: int = 0
    """In how many readings in a row good and reject did not make the total."""
    verdict: Verdict | None = None
    status_told_s: float | None = None
    """Monotonic moment of the last status event of this run."""
    fault_edges: Mapping[str, Moment] = NOTHING
    """"tag/number" waiting out a delay -> when the edge was first seen."""
    raises: tuple[Raised, ...] = ()
    """The newest raises, oldest first."""
    snapshot_due_s: Mapping[str, float] = NOTHING
    """reading group -> monotonic moment of its next full set."""
    alive_changed: Moment | None = None
    turn: Turn | None = None
    usage_due_s: float | None = None
    """Monotonic moment before which no usage is told again for its figure alone."""


class EquipmentState(NamedTuple):
    """Everything about one equipment."""

    durable: Durable
    live: Live = Live()

    @classmethod
    def new(cls, equipment: str) -> "EquipmentState":
        """Nothing is known yet."""
        return cls(Durable(equipment))
