"""What a perfect observer could know, given exactly the samples that were served.

- He knows a part only as a difference between two samples: the first sample is his
  baseline; across a reset he knows what the counter shows since, no more.
- He believes a state once it was served for the hold time; its time is that of its first
  sample. How long it was served by the clock of the server is told of each; how far that is
  from what he measured himself, only who judges him can know.
- He is blind from the last sample before an interruption to the first one after it.
- A fault is one occurrence from the first sample that shows it to the first that does not.

Times are wall-clock seconds since 1970 (UTC).
"""

from dataclasses import dataclass, field

from simulators.machine import CounterSpec, State


@dataclass(slots=True)
class Seen:
    """A state as it was served, from its first sample to its last."""

    state: State
    first: float
    last: float
    over: float | None = None
    """When nobody can have taken it for the present any more: another sample, a cut."""


@dataclass(frozen=True, slots=True)
class Stayed:
    """A state as it was served without another in between."""

    state: State
    since: float
    lasted_s: float
    """From its first sample to its last: so long it was seen at least."""
    at_most_s: float
    """Until it cannot have been taken for the present any more."""


@dataclass(frozen=True, slots=True)
class Blind:
    """No sample was served between the two, which are the samples around it."""

    since: float
    until: float
    why: str


@dataclass(slots=True)
class StateObserver:
    """Follows the samples of one state.

    ``pushed``: a value stands until the next one is served, without being served again.
    """

    notice_s: float = 0.0
    """How long after a cut an observer may still trust what he saw last."""
    pushed: bool = False
    runs: list[Seen] = field(default_factory=list)
    blind: list[Blind] = field(default_factory=list)
    last: float | None = None
    _cut: str | None = None

    def see(self, at: float, state: State) -> None:
        """Note a sample."""
        if self._cut is not None and self.last is not None:
            self.blind.append(Blind(self.last, at, self._cut))
        fresh = self._cut is not None or not self.runs
        self._cut = None
        self.last = at
        if not fresh and self.runs[-1].state == state:
            self.runs[-1].last = at
            return
        if not fresh:
            run = self.runs[-1]
            run.over = at
            run.last = at if self.pushed else run.last
        self.runs.append(Seen(state, at, at))

    def cut(self, at: float, why: str) -> None:
        """Note that nobody is served any more; ``power_off`` outranks other reasons."""
        if self.last is None or self._cut == "power_off":
            return
        if self._cut is None:
            run = self.runs[-1]
            run.over = at + self.notice_s
            if self.pushed:
                run.last = self.last = at
        self._cut = why

    @property
    def is_cut(self) -> bool:
        """Whether nobody is served at present."""
        return self._cut is not None

    def stays(self, now: float) -> list[Stayed]:
        """Return the states in order, however short."""
        found = []
        for run in self.runs:
            over = now if run.over is None else run.over
            standing = self.pushed and run.over is None
            last = now if standing else run.last
            found.append(Stayed(run.state, run.first, last - run.first, over - run.first))
        return found


@dataclass(frozen=True, slots=True)
class Uncovered:
    """Raw steps that were made and could not be observed, and what must admit it."""

    steps: int
    anomaly: str
    at: float


@dataclass(slots=True)
class CounterObserver:
    """Follows the samples of one counter, in raw steps."""

    spec: CounterSpec
    steps: int = 0
    baseline_raw: int | None = None
    baseline_at: float | None = None
    last_raw: int | None = None
    last_at: float | None = None
    uncovered: list[Uncovered] = field(default_factory=list)
    _produced: int = 0
    _resets: int = 0

    def see(self, at: float, raw: int, produced: int, resets: int) -> None:
        """Note a sample, with what the machine had really made by then."""
        if self.last_raw is None:
            self.baseline_raw, self.baseline_at = raw, at
        else:
            self._book(at, raw, produced - self._produced, reset=resets != self._resets)
        self.last_raw, self.last_at = raw, at
        self._produced, self._resets = produced, resets

    def _book(self, at: float, raw: int, made: int, *, reset: bool) -> None:
        assert self.last_raw is not None  # noqa: S101 - _book follows the baseline
        fell = raw < self.last_raw
        seen = raw if reset and fell else (raw - self.last_raw) % self.spec.modulus
        self.steps += seen
        if made != seen:
            anomaly = "reset" if reset else "rollover_ambiguous"
            self.uncovered.append(Uncovered(made - seen, anomaly, at))


@dataclass(slots=True)
class Occurrence:
    """One fault, from raised to cleared."""

    number: int
    raised: float
    cleared: float | None = None


@dataclass(slots=True)
class FaultObserver:
    """Follows the samples of one source of faults."""

    occurrences: list[Occurrence] = field(default_factory=list)
    active: dict[int, Occurrence] = field(default_factory=dict)

    def see(self, at: float, shown: frozenset[int]) -> None:
        """Note a sample."""
        for number in sorted(self.active.keys() - shown):
            self.active.pop(number).cleared = at
        for number in sorted(shown - self.active.keys()):
            self.active[number] = Occurrence(number, at)
            self.occurrences.append(self.active[number])
