"""A machine over virtual time that knows the truth about itself.

- What a machine does depends on its seed and its script only, never on how often or in
  which steps `Machine.advance` is called.
- Every part is counted once, at an exact virtual moment: what the machine made is what
  its raw counters show, plus what rollovers and resets took away.
- `Machine.actual` is its whole life: abutting states, faults, resets, power cuts.

Times are virtual seconds since the plant was switched on.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from math import inf, sin
from random import Random
from typing import Literal

State = Literal["running", "idle", "stopped", "fault", "setup", "maintenance"]
Books = Literal["good", "reject", "cycle"]
"""What moves a counter: a good cycle, a rejected one, or any."""


@dataclass(frozen=True, slots=True)
class CounterSpec:
    """One counter of a machine. A raw step is worth ``factor`` units."""

    name: str
    books: Books
    kind: str
    modulus: int
    factor: int = 1
    unit: str = "1"
    start_raw: int = 0
    steps: int = 1
    """Raw steps per cycle that moves it."""


@dataclass(frozen=True, slots=True)
class Analog:
    """A reading that swings around a middle: ``idle`` when not running."""

    name: str
    running: float
    idle: float
    swing: float = 0.0
    period_s: float = 20.0


@dataclass(frozen=True, slots=True)
class FaultSpec:
    """A fault a machine can have. ``number`` is its bit or its code."""

    number: int
    code: str
    stops: bool = True


@dataclass(frozen=True, slots=True)
class MachineSpec:
    """A model of machine: how fast it works and what it shows."""

    name: str
    kind: str
    cycle_s: float
    counters: tuple[CounterSpec, ...]
    faults: tuple[FaultSpec, ...] = ()
    analogs: tuple[Analog, ...] = ()
    reject_share: float = 0.0
    jitter: float = 0.1
    """Cycle times vary by this share of ``cycle_s``, both ways."""


@dataclass(frozen=True, slots=True)
class Enter:
    """The machine changes its state; ``fault`` is the number that stops it."""

    state: State
    fault: int | None = None


@dataclass(frozen=True, slots=True)
class Warn:
    """A fault that does not stop the machine comes or goes."""

    number: int
    on: bool


@dataclass(frozen=True, slots=True)
class Reset:
    """A counter falls to zero, right after ``unseen`` steps nobody could read."""

    counter: str
    unseen: int = 0
    at_least: int = 0
    """Nothing happens while the counter shows less: nobody could tell such a reset."""


@dataclass(frozen=True, slots=True)
class Power:
    """The controller loses its power or gets it back.

    Without power the machine stands still; counters and faults keep their values, and
    what the script wants of it meanwhile begins when the power is back.
    """

    on: bool


Action = Enter | Warn | Reset | Power


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a script."""

    at_s: float
    do: Action


@dataclass(slots=True)
class Span:
    """Something that lasts; ``until_s`` is None while it does."""

    what: str
    since_s: float
    until_s: float | None = None


@dataclass(frozen=True, slots=True)
class ResetDone:
    """A reset as it happened, in raw steps."""

    counter: str
    at_s: float
    raw_before: int
    unseen: int


@dataclass(slots=True)
class Actual:
    """The ground truth of one machine."""

    states: list[Span] = field(default_factory=list)
    faults: list[Span] = field(default_factory=list)
    power_off: list[Span] = field(default_factory=list)
    resets: list[ResetDone] = field(default_factory=list)
    produced: dict[str, int] = field(default_factory=dict)
    """counter -> raw steps made since the beginning; neither wraps nor resets."""


class Machine:
    """One machine; `advance` moves it on, the rest says what it shows at that moment."""

    def __init__(self, spec: MachineSpec, script: Iterable[Step], seed: str) -> None:
        """``script`` is ordered by time and may be endless."""
        self.spec = spec
        self.now_s = 0.0
        self.state: State = "stopped"
        self.powered = True
        self.faults: frozenset[int] = frozenset()
        self.actual = Actual(produced={counter.name: 0 for counter in spec.counters})
        self.resets = {counter.name: 0 for counter in spec.counters}
        self._base = {counter.name: counter.start_raw for counter in spec.counters}
        self._codes = {fault.number: fault.code for fault in spec.faults}
        self._rng = Random(f"{seed}/{spec.name}")
        self._script: Iterator[Step] = iter(script)
        self._next_step = next(self._script, None)
        self._cycle_ends_s = inf
        self._resume = Enter("stopped")
        self.actual.states.append(Span("stopped", 0.0))

    def advance(self, to_s: float) -> None:
        """Let the machine live until the virtual moment ``to_s``; never backwards."""
        while True:
            step_s = inf if self._next_step is None else self._next_step.at_s
            if min(step_s, self._cycle_ends_s) > to_s:
                break
            if self._next_step is not None and step_s <= self._cycle_ends_s:
                self.now_s = step_s
                self._act(self._next_step.do)
                self._next_step = next(self._script, None)
            else:
                self.now_s = self._cycle_ends_s
                self._finish_cycle()
        self.now_s = max(self.now_s, to_s)

    def raw(self, counter: str) -> int:
        """Return what the counter's register shows."""
        modulus = self._counter(counter).modulus
        return (self._base[counter] + self.actual.produced[counter]) % modulus

    def reading(self, name: str) -> float:
        """Return an analog value; a function of time and state alone."""
        analog = next(analog for analog in self.spec.analogs if analog.name == name)
        middle = analog.running if self.state == "running" else analog.idle
        if middle == 0:
            return 0.0  # what stands still does not swing
        return middle + analog.swing * sin(self.now_s * 6.283 / analog.period_s)

    def _counter(self, name: str) -> CounterSpec:
        return next(counter for counter in self.spec.counters if counter.name == name)

    def _act(self, action: Action) -> None:
        match action:
            case Enter(state, fault):
                self._enter(state, fault)
            case Warn(number, on):
                self._show(self.faults | {number} if on else self.faults - {number})
            case Reset() if self.powered and self.raw(action.counter) >= action.at_least:
                self._reset(action.counter, action.unseen)
            case Power(on):
                self._power(on=on)

    def _enter(self, state: State, fault: int | None) -> None:
        if not self.powered:
            self._resume = Enter(state, fault)
            return
        stopping = {spec.number for spec in self.spec.faults if spec.stops}
        self._show(self.faults - stopping | (set() if fault is None else {fault}))
        self._become(state)

    def _become(self, state: State) -> None:
        if state == self.state:
            return
        self.actual.states[-1].until_s = self.now_s
        self.actual.states.append(Span(state, self.now_s))
        self.state = state
        self._schedule_cycle()

    def _show(self, shown: frozenset[int]) -> None:
        for number in sorted(self.faults - shown):
            code = self._codes[number]
            span = next(
                span
                for span in reversed(self.actual.faults)
                if span.what == code and span.until_s is None
            )
            span.until_s = self.now_s
        for number in sorted(shown - self.faults):
            self.actual.faults.append(Span(self._codes[number], self.now_s))
        self.faults = shown

    def _reset(self, counter: str, unseen: int) -> None:
        self.actual.produced[counter] += unseen
        done = ResetDone(counter, self.now_s, self.raw(counter), unseen)
        self.actual.resets.append(done)
        self.resets[counter] += 1
        self._base[counter] = -self.actual.produced[counter]

    def _power(self, *, on: bool) -> None:
        if on:
            self.powered = True
            self.actual.power_off[-1].until_s = self.now_s
            self._enter(self._resume.state, self._resume.fault)
        else:
            stopping = {spec.number for spec in self.spec.faults if spec.stops}
            self._resume = Enter(self.state, next(iter(self.faults & stopping), None))
            self.powered = False
            self.actual.power_off.append(Span("off", self.now_s))
            self._become("stopped")

    def _schedule_cycle(self) -> None:
        if self.state != "running":
            self._cycle_ends_s = inf
            return
        share = self._rng.uniform(-self.spec.jitter, self.spec.jitter)
        self._cycle_ends_s = self.now_s + self.spec.cycle_s * (1 + share)

    def _finish_cycle(self) -> None:
        bad = self._rng.random() < self.spec.reject_share
        for counter in self.spec.counters:
            if counter.books == "cycle" or (counter.books == "reject") == bad:
                self.actual.produced[counter.name] += counter.steps
        self._schedule_cycle()
