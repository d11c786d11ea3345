"""What equipment files and profiles may say.

Links and tags are open here; the settings classes of their protocol check them
(`drivers.contract.ProtocolSpec`).
"""

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from gateway.domain.map_tables import MAPS
from gateway.domain.rules import OnDecrease, Stage
from gateway.domain.vocabulary import CounterKind, Mode, ReasonCategory
from gateway.settings.usage import UsageFile
from gateway.settings.words import FilePath, Line, Name, Strict, Texts, Unit

MAX_TAGS = 5000
MAX_LINKS = 64
MAX_RULES = 100
MIN_BALANCED = 2
MAX_REASONS = 500
MAX_SAFE_INTEGER = 2**53

StateName = Literal["offline", "running", "idle", "stopped", "fault", "setup", "maintenance"]


def _text_of_truth(value: object) -> object:
    """``when: true`` is a truth for YAML and a condition for us."""
    return str(value).lower() if isinstance(value, bool) else value


class ReasonFile(Strict):
    """Why a state; it refines the state and never changes it."""

    code: Annotated[str, Field(min_length=1, max_length=40)]
    category: ReasonCategory = "unspecified"
    text: Texts = Field(default_factory=dict)
    planned: bool = False


class StatusRuleFile(Strict):
    """``state`` while ``when`` holds; the first rule that is true wins."""

    state: StateName
    when: Annotated[str, Field(min_length=1, max_length=500), BeforeValidator(_text_of_truth)]
    reason: ReasonFile | None = None
    mode: Mode | None = None
    reason_tag: Name | None = None
    reasons: dict[Line, ReasonFile] = Field(default_factory=dict, max_length=MAX_REASONS)
    """What the reason tag shows -> the reason; ``reason`` is for everything else."""

    @model_validator(mode="after")
    def _tag_and_reasons(self) -> Self:
        if (self.reason_tag is None) != (not self.reasons):
            raise PydanticCustomError("reasons_need_tag", "one without the other")
        return self


class StatusMapFile(Strict):
    """A ready-made map and the tags it reads; the map says which of them it needs."""

    map: Annotated[Line, Field(json_schema_extra={"enum": sorted(MAPS)})]
    state: Name
    mode: Name | None = None
    starved: Name | None = None
    blocked: Name | None = None
    functional_mode: Name | None = None
    availability: Name | None = None
    emergency_stop: Name | None = None


class AliveFile(Strict):
    """A tag that must change, or the controller counts as frozen."""

    tag: Name
    changes_within_s: float = Field(gt=0, le=86_400)


class CounterFile(Strict):
    """How the readings of one tag become parts."""

    tag: Name
    kind: CounterKind
    unit: Unit = "1"
    resolution: float = Field(1, gt=0, le=1e9)
    factor: float = Field(1, gt=0, le=1e9)
    modulus: int | None = Field(None, ge=2, le=MAX_SAFE_INTEGER)
    max_rate_per_s: float | None = Field(None, gt=0, le=1e9)
    on_decrease: OnDecrease = "auto"
    confirm_reads: int = Field(2, ge=1, le=10)
    count_when: Annotated[
        str | None, Field(min_length=1, max_length=500), BeforeValidator(_text_of_truth)
    ] = None
    """Parts made while this is false or unknown are refused."""
    cycle_time_tag: Name | None = None
    """Where the machine says how long its last cycle took; its unit is s or ms."""

    @model_validator(mode="after")
    def _rate(self) -> Self:
        if self.modulus is not None and self.max_rate_per_s is None:
            raise PydanticCustomError("modulus_needs_rate", "no rate")
        return self


class BalanceFile(Strict):
    """good + reject = total, by counters; two are enough, the third is derived."""

    good: Name | None = None
    reject: Name | None = None
    total: Name | None = None
    tolerance: int = Field(0, ge=0, le=1_000_000)

    @model_validator(mode="after")
    def _enough(self) -> Self:
        given = [name for name in (self.good, self.reject, self.total) if name is not None]
        if len(given) < MIN_BALANCED or len(set(given)) < len(given):
            raise PydanticCustomError("balance_needs_two", "not two different counters")
        return self


class FaultFile(Strict):
    """Where faults come from; ``bits`` or ``codes`` names a dictionary (CSV or XLSX)."""

    tag: Name
    bits: FilePath | None = None
    codes: FilePath | None = None
    conditions: bool = False
    """The tag lists the alarms that the device keeps itself; they need no dictionary."""
    stops_from: int | None = Field(None, ge=1, le=1000)
    """The severity from which such an alarm stops the machine; none does if not given."""
    on_delay_ms: int = Field(0, ge=0, le=3_600_000)
    off_delay_ms: int = Field(0, ge=0, le=3_600_000)
    inverted: bool = False
    """A bit of the dictionary is a fault while it is 0."""
    chatter_raises: int = Field(3, ge=0, le=100)
    """So many raises within ``chatter_s`` are folded into one occurrence; 0 is never."""
    chatter_s: float = Field(60, gt=0, le=600)

    @model_validator(mode="after")
    def _one(self) -> Self:
        given = (self.bits is not None) + (self.codes is not None) + self.conditions
        if given != 1:
            raise PydanticCustomError("bits_or_codes", "one of the three")
        if self.stops_from is not None and not self.conditions:
            raise PydanticCustomError("stops_from_needs_conditions", "no severity to compare")
        if self.inverted and self.bits is None:
            raise PydanticCustomError("inverted_needs_bits", "a code has no opposite")
        return self


class TagFile(Strict):
    """What every tag may say beside the keys of its protocol."""

    link: Name | None = None
    group: Name | None = None
    """Tags of a group are read and published together; by default the link's name."""
    unit: Unit = "1"
    deadband: float = Field(0.0, ge=0, le=1e12)
    publish: bool = True
    low: float | None = Field(None, ge=-1e15, le=1e15)
    """Below that a value is out of its limits; shown in trends, no fault by itself."""
    high: float | None = Field(None, ge=-1e15, le=1e15)
    """Above that likewise."""
    name: Texts = Field(default_factory=dict)

    @model_validator(mode="after")
    def _low_below_high(self) -> Self:
        if self.low is not None and self.high is not None and self.low >= self.high:
            raise PydanticCustomError("limits_crossed", "low is not below high")
        return self


class Described(Strict):
    """What an equipment file and a profile have in common."""

    name: Texts = Field(default_factory=dict)
    links: dict[Name, dict[str, Any]] = Field(default_factory=dict, max_length=MAX_LINKS)
    tags: dict[Name, dict[str, Any]] = Field(default_factory=dict, max_length=MAX_TAGS)
    status: Annotated[tuple[StatusRuleFile, ...], Field(strict=False, max_length=MAX_RULES)] = ()
    counters: dict[Name, CounterFile] = Field(default_factory=dict, max_length=MAX_RULES)
    balance: BalanceFile | None = None
    faults: Annotated[tuple[FaultFile, ...], Field(strict=False, max_length=MAX_RULES)] = ()
    status_map: StatusMapFile | None = None
    """Decides where no rule of ``status`` does."""
    min_hold_ms: int = Field(1000, ge=0, le=3_600_000)
    repeat_s: float = Field(600, ge=0, le=86_400)
    """A status that lasts is told again so often; 0 is never."""
    snapshot_s: float = Field(600, ge=1, le=86_400)
    max_shelf_s: float = Field(28_800, ge=60, le=604_800)
    """The longest time a fault may be shelved for."""
    alive: AliveFile | None = None
    usage: dict[Name, UsageFile] = Field(default_factory=dict, max_length=MAX_RULES)
    """What wears out, and when maintenance is due."""
    ideal_cycle_ms: float | None = Field(None, gt=0, le=86_400_000)
    """The planned time for one part, where the order does not say."""


class EquipmentFile(Described):
    """``equipment/*.yaml``, after its profile was laid under it."""

    equipment: Name
    area: Name | None = None
    line: Name | None = None
    profile: Name | None = None
    variant: Name | None = None
    """Which of the profile's models this is."""
    parameters: dict[Name, Annotated[float, Field(gt=0, le=1e6)]] = Field(
        default_factory=dict, max_length=MAX_RULES
    )
    """Numbers the profile asks for."""
    compared: bool = False
    """Somebody has compared the profile's values with the machine's own display."""
    stage: Stage = "live"
    link: Name | None = None
    """The link of every tag that names none."""
