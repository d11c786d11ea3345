"""A press on one link, and facts that happen to it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from drivers.contract import Value
from gateway.domain.equipment import next_due_s, step, waits_alike
from gateway.domain.events import Event, FaultText
from gateway.domain.expression import compile_expression
from gateway.domain.facts import Fact, LinkLost, Observation, Started, Tick
from gateway.domain.rules import (
    CounterRule,
    EquipmentRules,
    FaultRule,
    StatusRule,
    TagRule,
)
from gateway.domain.state import EquipmentState, Moment
from gateway.domain.vocabulary import State

EPOCH = datetime(2026, 3, 20, 1, 0, tzinfo=UTC)
TAGS = ("run", "ready", "good_parts", "temperature", "alarm_word")


def at(second: float) -> datetime:
    return EPOCH + timedelta(seconds=second)


def moment(second: float) -> Moment:
    return Moment(at(second), second)


def rule(state: str, when: str) -> StatusRule:
    return StatusRule(State(state), compile_expression(when))


def press(**changes: Any) -> EquipmentRules:
    """Rules of a press; keyword arguments replace fields."""
    fields: dict[str, Any] = {
        "equipment": "press-07",
        "status": (
            rule("fault", "stopping_fault"),
            rule("running", "run"),
            rule("idle", "ready"),
        ),
        "min_hold_s": 0.0,
        "repeat_s": 0.0,
        "counters": (CounterRule("good", "good_parts", "good", modulus=65536, max_rate_per_s=5),),
        "faults": (
            FaultRule(
                "alarm_word",
                "bits",
                {
                    0: FaultText("E01", {"zh": "急停", "en": "Emergency stop"}, severity=950),
                    3: FaultText("E04", {"zh": "油温高", "en": "Oil hot"}, stops_machine=False),
                },
            ),
        ),
        "tags": {tag: TagRule(tag, "plc", "plc") for tag in TAGS},
    }
    return EquipmentRules(**(fields | changes))


IDLE: dict[str, Value] = {
    "run": False,
    "ready": True,
    "good_parts": 100,
    "temperature": 40.5,
    "alarm_word": 0,
}


def seen(second: float, bad: Mapping[str, str] | None = None, /, **changed: Value) -> Observation:
    return Observation(
        link="plc",
        at=at(second),
        mono_s=second,
        covers=frozenset(TAGS),
        changed=changed,
        bad=bad or {},
    )


def lost(second: float) -> LinkLost:
    return LinkLost("plc", at(second), second, 1, {"class": "Unreachable", "text": "gone"})


def tick(second: float) -> Tick:
    return Tick(at(second), second)


def started(second: float, last_alive: float | None = None, boot: str = "boot-1") -> Started:
    alive = None if last_alive is None else at(last_alive)
    return Started(at(second), second, boot, alive)


def assert_waits(before: EquipmentState, after: EquipmentState, rules: EquipmentRules) -> None:
    """Where a step leaves alone what is waited for, nothing may be waited for anew."""
    if waits_alike(before, after, rules):
        assert next_due_s(before, rules) == next_due_s(after, rules)


@dataclass
class Play:
    """Feeds facts to one equipment and keeps what came out."""

    rules: EquipmentRules = field(default_factory=press)
    state: EquipmentState = field(default_factory=lambda: EquipmentState.new("press-07"))
    events: list[Event] = field(default_factory=list)

    def feed(self, *facts: Fact) -> list[Event]:
        """Return the events of these facts alone."""
        fresh: list[Event] = []
        for fact in facts:
            before = self.state
            self.state, events = step(before, fact, self.rules)
            assert_waits(before, self.state, self.rules)
            fresh += events
        self.events += fresh
        return fresh

    def awake(self) -> "Play":
        """Start at 0, read everything at 1 and believe it: idle, 100 parts."""
        self.feed(started(0), seen(1, **IDLE), tick(1 + self.rules.min_hold_s))
        self.events.clear()
        return self


def of_type(events: Iterable[Event], kind: str) -> list[dict[str, Any]]:
    return [event.data() for event in events if event.type == kind]
