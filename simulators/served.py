"""The record of one machine: what it was, and what its server showed of it to whom.

A server calls `Record.served` for each facet in each answer, at the moment of the answer,
and `Record.cut` when nobody can be served any more.
"""

from dataclasses import dataclass, field

from simulators.machine import Machine
from simulators.observer import CounterObserver, FaultObserver, StateObserver

NOTICE_S = 1.0
"""How long a lost controller may go unnoticed beyond one interval."""


@dataclass(slots=True)
class Record:
    """The observers of one machine. Times are wall seconds since 1970."""

    machine: Machine
    hold_s: float
    interval_s: float
    pushed: bool = False
    state: StateObserver = field(init=False)
    counters: dict[str, CounterObserver] = field(init=False)
    faults: FaultObserver = field(default_factory=FaultObserver)

    def __post_init__(self) -> None:
        notice_s = self.interval_s + NOTICE_S
        self.state = StateObserver(notice_s=notice_s, pushed=self.pushed)
        spec = self.machine.spec
        self.counters = {counter.name: CounterObserver(counter) for counter in spec.counters}

    def served(self, facet: str, at: float) -> None:
        """Note that an answer showed this facet as the machine is at this moment."""
        kind, _, name = facet.partition(":")
        if kind == "state":
            self.state.see(at, self.machine.state)
        elif kind == "faults":
            self.faults.see(at, self.machine.faults)
        else:
            raw, produced = self.machine.raw(name), self.machine.actual.produced[name]
            self.counters[name].see(at, raw, produced, self.machine.resets[name])

    def cut(self, at: float, why: str) -> None:
        """Note that from now on nobody is served: ``power_off`` or ``collector_down``."""
        self.state.cut(at, why)
