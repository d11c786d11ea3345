"""A counter register that wraps, is reset, torn and out of reach, and what must come of it.

The oracle knows what was made. Between two readings that were believed it holds what the
domain booked, refused and withheld against it:

- nothing is booked that was not made;
- all that was made is accounted for, unless the register was reset meanwhile, may have gone
  round more than once, or an anomaly says so; the rest is summed up as ``uncovered``.

One thing no one can tell, and the table decides it: a reset just below the modulus looks
like a rollover.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import ceil
from random import Random
from typing import Literal

from gateway.domain import durable
from gateway.domain.equipment import step
from gateway.domain.events import Count
from gateway.domain.expression import compile_expression
from gateway.domain.facts import Fact, LinkLost, Observation, Started
from gateway.domain.rules import CounterRule, EquipmentRules, TagRule
from gateway.domain.state import CounterState, EquipmentState

EPOCH = datetime(2026, 3, 20, 1, 0, tzinfo=UTC)
TAGS = frozenset({"parts", "auto"})
Kind = Literal["work", "reset", "torn", "lost", "restart", "reboot", "mode"]
KINDS: tuple[Kind, ...] = ("work", "reset", "torn", "lost", "restart", "reboot", "mode")
WEIGHTS = (60, 2, 4, 3, 2, 1, 3)
TORN_WITHIN_S = 60.0
"""After a longer time between readings a torn one may be as likely as the true one."""


@dataclass(frozen=True, slots=True)
class Action:
    """Something happens, then ``seconds`` of work at ``pace`` (0..1 of the rate), then a read."""

    kind: Kind
    seconds: float
    pace: float


def actions(random: Random, count: int) -> Iterator[Action]:
    """Draw actions as a factory sees them: mostly work, now and then a night without power."""
    for _ in range(count):
        (kind,) = random.choices(KINDS, WEIGHTS)
        long = kind in {"lost", "restart", "reboot"} and random.random() < 0.2
        seconds = random.uniform(0.1, 50_000) if long else random.uniform(0.1, 5)
        yield Action(kind, seconds, random.random())


@dataclass
class Register:
    """Plays actions to one equipment with one counter and checks what it books."""

    modulus: int | None = 10_000
    rate: float = 5.0
    state: EquipmentState = field(default_factory=lambda: EquipmentState.new("press-07"))
    made: int = 0
    refused: int = 0
    uncovered: int = 0
    taken_for_rollover: int = 0
    """Booked though not made: resets just below the modulus."""
    _second: float = 0.0
    _boot: int = 0
    _raw: int = 0
    _auto: bool = True
    _reset: bool = False
    _believed: "_Believed | None" = None

    def __post_init__(self) -> None:
        """Start the gateway and read for the first time."""
        rule = CounterRule(
            "good",
            "parts",
            "good",
            modulus=self.modulus,
            max_rate_per_s=self.rate,
            count_when=compile_expression("auto"),
        )
        tags = {tag: TagRule(tag, "plc", "plc") for tag in TAGS}
        self.rules = EquipmentRules("press-07", counters=(rule,), tags=tags, repeat_s=0)
        self._feed(Started(self._at, self._second, "0", None))
        self._see(self._shown, everything=True)

    @property
    def total(self) -> int:
        """What the domain booked."""
        return self._counter.total

    @property
    def withheld(self) -> int:
        """What was made while it did not count and is not yet told."""
        return self._counter.withheld

    def play(self, script: Iterable[Action]) -> None:
        """Play every action; raises AssertionError where the domain is wrong."""
        for action in script:
            self._before(action)
            self._second += action.seconds
            self._work(int(action.pace * self.rate * action.seconds))
            self._after(action)

    def settle(self) -> None:
        """Read until everything is believed."""
        for _ in range(3):
            self._second += 1
            self._see(self._shown)

    @property
    def _at(self) -> datetime:
        return EPOCH + timedelta(seconds=self._second)

    @property
    def _shown(self) -> int:
        return self._raw if self.modulus is None else self._raw % self.modulus

    @property
    def _counter(self) -> CounterState:
        return self.state.durable.counters["good"]

    def _before(self, action: Action) -> None:
        if action.kind == "lost":
            lost = LinkLost("plc", self._at, self._second, 1, {"class": "Unreachable"})
            self._feed(lost)
        elif action.kind == "mode":
            self._auto = not self._auto
        elif action.kind == "reset":
            self._raw, self._reset = 0, True

    def _work(self, parts: int) -> None:
        self.made += parts
        self._raw += parts

    def _after(self, action: Action) -> None:
        restarted = action.kind in {"restart", "reboot"}
        if restarted:
            self._restart(other_boot=action.kind == "reboot", slept_s=action.seconds)
        settled = self._counter.dark_since is None and self._counter.pending is None
        if action.kind == "torn" and settled and action.seconds <= TORN_WITHIN_S:
            self._see(self._torn())
            self._second += 0.5
        self._see(self._shown, everything=restarted or action.kind == "lost")

    def _torn(self) -> int:
        """Far from what is there, in both directions."""
        far = self._shown + (self.modulus or 1_000_000) // 2
        return far if self.modulus is None else far % self.modulus

    def _restart(self, *, other_boot: bool, slept_s: float) -> None:
        self.state = durable.load(durable.dump(self.state))
        self._boot += other_boot
        alive = self._at - timedelta(seconds=slept_s)
        self._feed(Started(self._at, self._second, str(self._boot), alive))

    def _see(self, shown: int, *, everything: bool = False) -> None:
        known = {} if everything else self.state.live.values
        fresh = {"parts": shown, "auto": self._auto}
        changed = {tag: value for tag, value in fresh.items() if known.get(tag) != value}
        seen = Observation("plc", self._at, self._second, TAGS, changed)
        before = self.state.durable.counters.get("good")
        self._weigh(before, self._feed(seen))

    def _feed(self, fact: Fact) -> Count | None:
        self.state, events = step(self.state, fact, self.rules)
        counts = [event for event in events if isinstance(event, Count)]
        assert len(counts) <= 1
        if counts:
            self.refused += int(counts[0].refused)
        return counts[0] if counts else None

    def _weigh(self, before: CounterState | None, event: Count | None) -> None:
        now = self._counter
        if now.pending is not None or now.dark_since is not None:
            return
        here = _Believed(
            self.made, now.total, now.total + self.refused + now.withheld, self._second
        )
        then, self._believed = self._believed, here
        reset, self._reset = self._reset, False
        if then is None or before is None:
            return
        made, booked = here.made - then.made, here.booked - then.booked
        open_s = here.second - then.second
        laps = self.modulus is not None and ceil(self.rate * open_s * 1.5) + 10 >= self.modulus
        anomaly = "none" if event is None else event.anomaly
        unaccounted = made - (here.accounted - then.accounted)
        if reset and (anomaly == "rollover" or (event is None and unaccounted < 0)):
            self.taken_for_rollover += max(0, booked - made)
        else:
            assert booked <= made, (event, made, booked)
            assert unaccounted == 0 or reset or laps, (event, made, here, then)
        self.uncovered += unaccounted


@dataclass(frozen=True, slots=True)
class _Believed:
    """How everything stood at a reading that was believed."""

    made: int
    booked: int
    accounted: int
    second: float
