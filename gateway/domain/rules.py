"""What the configuration says about one equipment, as the domain reads it.

Plain frozen data; `gateway.settings` builds it, nothing here checks it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from drivers.contract import Value
from gateway.domain.events import FaultText
from gateway.domain.expression import Expression
from gateway.domain.shifts import ShiftCalendar
from gateway.domain.vocabulary import CounterKind, Mode, Reason, State, Text

Stage = Literal["commissioning", "live"]
OnDecrease = Literal["auto", "reset_from_zero", "rebaseline"]
BalanceRole = Literal["good", "reject", "total"]

STOPPING_FAULT = "stopping_fault"
"""A name every condition may use: is a fault active that stops the machine?"""


@dataclass(frozen=True, slots=True)
class StatusRule:
    """``state`` while ``when`` holds; the first rule that is true wins."""

    state: State
    when: Expression
    reason: Reason | None = None
    mode: Mode | None = None
    reason_tag: str | None = None
    """Tells the reason more exactly, as far as it shows something that ``reasons`` knows."""
    reasons: Mapping[str, Reason] = field(default_factory=dict)
    """What the reason tag shows, as `written` writes it -> the reason."""


@dataclass(frozen=True, slots=True)
class ModeRule:
    """The mode of operation as a tag shows it; what the table does not know is unknown.

    Texts in ``table`` are in lower case.
    """

    tag: str
    table: Mapping[Value, Mode]


@dataclass(frozen=True, slots=True)
class Alive:
    """A tag that must change, or the controller is frozen."""

    tag: str
    changes_within_s: float


@dataclass(frozen=True, slots=True)
class CounterRule:
    """How the raw readings of one counter become parts."""

    name: str
    tag: str
    kind: CounterKind
    unit: str = "1"
    resolution: float = 1
    """Size of one step of the published figures, in ``unit``."""
    factor: float = 1
    """Units per step of the raw counter: cavities of a mould."""
    modulus: int | None = None
    max_rate_per_s: float | None = None
    """Raw steps the machine can make within a second at most."""
    on_decrease: OnDecrease = "auto"
    confirm_reads: int = 2
    identity: str = ""
    """Changes when the raw reading gets another meaning (address, modulus, factor)."""
    count_when: Expression | None = None
    """Parts count while this holds; what is made otherwise is refused."""
    cycle_time_tag: str | None = None
    """Where the machine says how long its last cycle took."""
    cycle_time_unit_ms: float = 1
    """What 1 in that tag is, in ms."""


@dataclass(frozen=True, slots=True)
class BalanceRule:
    """good + reject = total, by the names of counters.

    ``derived`` is the role that no counter of the machine plays; its own counter bears the
    role's name. None where all three are counted, and compared.
    """

    good: str
    reject: str
    total: str
    derived: BalanceRole | None = None
    tolerance: int = 0
    """So many parts may be between two counters without being a contradiction."""
    unit: str = "1"


@dataclass(frozen=True, slots=True)
class FaultRule:
    """Where faults come from: bits of a word, a register holding a code, or conditions.

    ``texts`` maps a bit number or a code to its row of the dictionary; what is not in
    it is raised all the same, as unknown. A code of 0 means no fault. Conditions are alarms
    that the device keeps itself; they say themselves what they are, and ``texts`` is empty.
    """

    tag: str
    kind: Literal["bits", "code", "conditions"]
    texts: Mapping[int, FaultText]
    on_delay_s: float = 0.0
    off_delay_s: float = 0.0
    inverted: bool = False
    """A bit of the dictionary is a fault while it is 0; bits only."""
    chatter_raises: int = 3
    """So many raises of one number within ``chatter_s`` are one occurrence from there on;
    0 folds nothing."""
    chatter_s: float = 60.0
    """A chattering fault is over when it was quiet for so long."""
    stops_from: int | None = None
    """A condition of at least this severity stops the machine; None: none does."""


@dataclass(frozen=True, slots=True)
class TagRule:
    """What happens to the values of one tag."""

    name: str
    link: str
    group: str
    unit: str = "1"
    deadband: float = 0.0
    """A number is published when it moved by more than this since it was last."""
    publish: bool = True
    text: Text = field(default_factory=dict)
    low: float | None = None
    """Where a value begins to be out of its limits, for people to see."""
    high: float | None = None


UsageKind = Literal["run_hours", "on_hours", "cycles"]


@dataclass(frozen=True, slots=True)
class UsageRule:
    """What wears out: ``limit`` and ``warn_at`` in hours, or in steps of ``counter``."""

    name: str
    kind: UsageKind
    limit: float
    warn_at: float
    counter: str | None = None
    text: Text = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EquipmentRules:
    """Everything `step` needs to know about one equipment."""

    equipment: str
    status: tuple[StatusRule, ...] = ()
    mode: ModeRule | None = None
    """The mode where the rule that decides says none."""
    min_hold_s: float = 1.0
    repeat_s: float = 600.0
    """A status that lasts is told again so often; 0 is never."""
    alive: Alive | None = None
    counters: tuple[CounterRule, ...] = ()
    balance: BalanceRule | None = None
    faults: tuple[FaultRule, ...] = ()
    tags: Mapping[str, TagRule] = field(default_factory=dict)
    snapshot_s: float = 600.0
    """A full set of each reading group at least this often."""
    max_shelf_s: float = 28_800.0
    """The longest time a fault may be shelved for."""
    stage: Stage = "live"
    calendar: ShiftCalendar | None = None
    """When people work on it; None where nobody said."""
    usage: tuple[UsageRule, ...] = ()
    ideal_cycle_ms: float | None = None
    """PRI: the planned time for one part, where the order does not say."""
    decisive: frozenset[str] = field(init=False)
    """Tags that faults, status, reason or mode look at."""
    sole_group: str | None = field(init=False)
    """The group of all tags, where they have but one."""
    held_back: frozenset[str] = field(init=False)
    """Tags of which not each value that changed is published."""

    def __post_init__(self) -> None:
        """Derive once what every reading asks for."""
        names = {name for rule in self.status for name in rule.when.names}
        names |= {rule.reason_tag for rule in self.status if rule.reason_tag is not None}
        names |= {rule.tag for rule in self.faults}
        names |= set() if self.mode is None else {self.mode.tag}
        object.__setattr__(self, "decisive", _shared(frozenset(names)))
        groups = {rule.group for rule in self.tags.values()}
        object.__setattr__(self, "sole_group", groups.pop() if len(groups) == 1 else None)
        held_back = (tag for tag, rule in self.tags.items() if rule.deadband or not rule.publish)
        object.__setattr__(self, "held_back", _shared(frozenset(held_back)))


@lru_cache(maxsize=1024)
def _shared(tags: frozenset[str]) -> frozenset[str]:
    """Return one object for all that are equal: each of a thousand would have to be fetched."""
    return tags
