"""Scripts: what happens to each machine of the plant, and when the power goes.

A script is an endless, seeded sequence of steps per machine. States last well longer
than an observer needs to believe them, unless they are short on purpose: then well
shorter than he can be sure to see. No fault comes twice within a minute, so that nobody
may take two occurrences for a chattering one.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from random import Random

from simulators.kinds import MACHINES, fast_sixteen_bits, near_rollover
from simulators.machine import Enter, MachineSpec, Power, Reset, State, Step, Warn

LONG_FACTOR = 3.2
"""A state lasts at least this many times interval + hold."""
SHORT_FACTOR = 0.3
"""A short state lasts this share of an interval."""
FAULT_REST_S = 65.0
"""Wall seconds before the same fault may come again."""
UNSEEN_STEPS = 3


@dataclass(frozen=True, slots=True)
class Pace:
    """What the observer is configured to; wall seconds. ``speed`` is virtual per wall."""

    interval_s: float = 0.25
    hold_s: float = 0.5
    speed: float = 1.0

    @property
    def long_s(self) -> float:
        """Virtual seconds a state lasts at least."""
        return LONG_FACTOR * (self.interval_s + self.hold_s) * self.speed

    @property
    def short_s(self) -> float:
        """Virtual seconds of a state that is short on purpose."""
        return SHORT_FACTOR * self.interval_s * self.speed


@dataclass(frozen=True, slots=True)
class PowerCut:
    """The controller ``server`` is without power between two virtual moments."""

    server: str
    off_s: float
    on_s: float


@dataclass(slots=True)
class Life:
    """The pen a script is written with: it knows the present moment and the dice."""

    spec: MachineSpec
    pace: Pace
    rng: Random
    at_s: float
    long: float
    """How much longer than the shortest a state may last."""
    rested: dict[int, float]

    def stay(self) -> float:
        """Return how long the next state lasts and move the pen to its end."""
        lasts_s = self.pace.long_s * self.rng.uniform(1.0, self.long)
        self.at_s += lasts_s
        return lasts_s

    def rested_fault(self, *, stops: bool) -> int | None:
        """Return a fault that has not been there for a minute, if there is one."""
        rest_s = FAULT_REST_S * self.pace.speed
        free = [
            fault.number
            for fault in self.spec.faults
            if fault.stops == stops and self.rested.get(fault.number, self.at_s) <= self.at_s
        ]
        if not free:
            return None
        number = self.rng.choice(free)
        self.rested[number] = self.at_s + rest_s + 10 * self.pace.long_s
        return number


Act = Callable[[Life], Iterator[Step]]


def _enter(life: Life, state: State, fault: int | None = None) -> Iterator[Step]:
    yield Step(life.at_s, Enter(state, fault))
    life.stay()


def run(life: Life) -> Iterator[Step]:
    """Work."""
    yield from _enter(life, "running")


def starve(life: Life) -> Iterator[Step]:
    """Wait for material."""
    yield from _enter(life, "idle")


def stop(life: Life) -> Iterator[Step]:
    """Stand still because somebody said so."""
    yield from _enter(life, "stopped")


def fault(life: Life) -> Iterator[Step]:
    """Stand still with a fault; idle instead while every fault rests."""
    number = life.rested_fault(stops=True)
    yield from _enter(life, "idle" if number is None else "fault", number)


def change_over(life: Life) -> Iterator[Step]:
    """Stop, set up, wait for release."""
    yield from _enter(life, "stopped")
    yield from _enter(life, "setup")
    yield from _enter(life, "idle")


def maintain(life: Life) -> Iterator[Step]:
    """Be maintained."""
    yield from _enter(life, "maintenance")


def stumble(life: Life) -> Iterator[Step]:
    """Work with a stop in between that is too short to be believed."""
    yield from _enter(life, "running")
    yield Step(life.at_s, Enter("idle"))
    life.at_s += life.pace.short_s
    yield from _enter(life, "running")


def warn(life: Life) -> Iterator[Step]:
    """Work with a warning that comes and goes."""
    number = life.rested_fault(stops=False)
    yield Step(life.at_s, Enter("running"))
    since_s, lasts_s = life.at_s, life.stay()
    if number is not None:
        yield Step(since_s + 0.3 * lasts_s, Warn(number, on=True))
        yield Step(since_s + 0.8 * lasts_s, Warn(number, on=False))


def reset(life: Life) -> Iterator[Step]:
    """Work, and lose the counter on the way."""
    yield Step(life.at_s, Enter("running"))
    since_s, lasts_s = life.at_s, life.stay()
    in_one_poll = life.pace.interval_s * life.pace.speed / life.spec.cycle_s
    enough = round(20 + 8 * in_one_poll)
    yield Step(since_s + 0.5 * lasts_s, Reset(life.spec.counters[0].name, UNSEEN_STEPS, enough))


FORBIDDEN: Mapping[str, frozenset[Act]] = {
    "meter": frozenset({stop, fault, change_over, maintain, reset, warn, stumble}),
    "conveyor": frozenset({maintain, reset, warn}),
    "mould": frozenset({warn}),
    "cnc": frozenset({warn}),
}
"""What a kind of machine cannot show, or would show ambiguously."""
LACKS_MAINTENANCE = frozenset({"press-02"})


@dataclass(frozen=True, slots=True)
class Scenario:
    """A named mix of what may happen."""

    name: str
    about: str
    acts: Mapping[Act, float]
    """What may happen -> how often, relative to the others."""
    first: Mapping[str, tuple[Act, ...]]
    """machine -> what happens first, so that nobody waits for the dice."""
    long: float = 2.0
    power: tuple[str, ...] = ()
    """The servers that lose their power in turn."""
    power_pause: float = 2.0
    """Time between two power cuts, in shortest long states."""
    prepare: Callable[[MachineSpec], MachineSpec] = lambda spec: spec

    def specs(self) -> list[MachineSpec]:
        """Return the machines of the plant as this scenario needs them."""
        return [self.prepare(spec) for spec in MACHINES.values()]

    def script(
        self, spec: MachineSpec, seed: int, pace: Pace, cuts: Iterator[PowerCut]
    ) -> Iterator[Step]:
        """Yield the machine's steps in order, without end."""
        return _merge(self._acts(spec, seed, pace), _switches(cuts))

    def _acts(self, spec: MachineSpec, seed: int, pace: Pace) -> Iterator[Step]:
        rng = Random(f"{seed}/{self.name}/{spec.name}")
        start_s = rng.uniform(0.05, 0.3) * pace.long_s
        life = Life(spec, pace, rng, start_s, self.long, {})
        for act in self.first.get(spec.name, ()):
            yield from act(life)
        possible = {act: often for act, often in self.acts.items() if _can(spec, act)}
        while True:
            act = rng.choices(list(possible), list(possible.values()))[0]
            yield from act(life)

    def power_cuts(self, seed: int, pace: Pace) -> Iterator[PowerCut]:
        """Yield the power cuts of all servers in order, never two at a time."""
        rng = Random(f"{seed}/{self.name}/power")
        at_s = 0.0
        while self.power:
            for server in self.power:
                off_s = at_s + rng.uniform(0.8, 1.2) * self.power_pause * pace.long_s
                on_s = off_s + 2.5 * pace.speed + rng.uniform(1.0, 1.6) * pace.long_s
                yield PowerCut(server, off_s, on_s)
                at_s = on_s


def _can(spec: MachineSpec, act: Act) -> bool:
    if act is maintain and spec.name in LACKS_MAINTENANCE:
        return False
    return act not in FORBIDDEN.get(spec.kind, frozenset())


def _switches(cuts: Iterator[PowerCut]) -> Iterator[Step]:
    for cut in cuts:
        yield Step(cut.off_s, Power(on=False))
        yield Step(cut.on_s, Power(on=True))


def _merge(first: Iterator[Step], second: Iterator[Step]) -> Iterator[Step]:
    """Merge two ordered scripts, of which the first is endless and the second may be."""
    waiting = next(second, None)
    for step in first:  # pragma: no branch
        while waiting is not None and waiting.at_s <= step.at_s:
            yield waiting
            waiting = next(second, None)
        yield step


def _fast_conveyor(spec: MachineSpec) -> MachineSpec:
    return fast_sixteen_bits(spec) if spec.kind == "conveyor" else spec


def _close_to_the_edge(spec: MachineSpec) -> MachineSpec:
    return near_rollover(spec, 5)


LIVELY: Mapping[Act, float] = {
    run: 6, starve: 3, fault: 2, stumble: 1, warn: 1, change_over: 1, reset: 1, maintain: 0.5
}  # fmt: skip

SCENARIOS = {
    scenario.name: scenario
    for scenario in (
        Scenario("run", "work without a stop", {run: 1}, {}),
        Scenario("starve", "work and wait in turn", {run: 2, starve: 1}, {}),
        Scenario("fault", "faults and warnings", {run: 2, fault: 2, warn: 1}, {}),
        Scenario(
            "change-over", "setting up and maintenance", {run: 2, change_over: 2, maintain: 1}, {}
        ),
        Scenario(
            "rollover",
            "every counter wraps at its modulus",
            {run: 4, starve: 1},
            {},
            prepare=_close_to_the_edge,
        ),
        Scenario("reset", "counters fall to zero with parts unseen", {run: 1, reset: 2}, {}),
        Scenario("short-state", "stops shorter than a poll", {run: 1, stumble: 3}, {}),
        Scenario(
            "power-off",
            "controllers lose their power and come back",
            {run: 3, starve: 1, fault: 2},
            {},
            power=("mould", "line1", "cnc"),
        ),
        Scenario(
            "demo",
            "a lively mix of everything",
            LIVELY,
            {
                "press-01": (run, fault, run, warn),
                "press-02": (run, starve, reset),
                "conveyor-01": (run, run, run, run),
                "mould-01": (run, change_over),
                "cnc-01": (run, stumble, fault),
                "meter-01": (run,),
            },
            power=("mould",),
            power_pause=14.0,
        ),
        Scenario(
            "kill",
            "many changes and quick 16-bit rollovers, no resets",
            {run: 3, starve: 2, fault: 2, stop: 1},
            {"conveyor-01": (run, run)},
            long=1.3,
            prepare=_fast_conveyor,
        ),
    )
}
