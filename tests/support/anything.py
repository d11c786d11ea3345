"""An equipment with everything a configuration can give it, and facts that make no sense."""

import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from random import Random
from typing import Literal, TypeVar, get_args

from drivers.contract import Condition, Value, conditions_text
from gateway.domain.commands import (
    Command,
    FaultAction,
    FaultCommand,
    NoteCommand,
    OrderCommand,
    ScrapCommand,
    ScrapKind,
    UsageCommand,
)
from gateway.domain.facts import (
    ClockStepped,
    Commanded,
    Fact,
    LinkLost,
    Observation,
    SeriesBegan,
    Started,
    Tick,
)
from gateway.domain.rules import EquipmentRules
from gateway.domain.vocabulary import Order, Reason
from gateway.settings.load import load
from tests.support.config_site import GATEWAY, write_site
from tests.support.fake_protocol import spec_of

T = TypeVar("T")
EPOCH = datetime(2026, 3, 20, 1, 0, tzinfo=UTC)
BITS = "bit,code,text_en,severity,stops_machine\n0,E01,Stop,950,yes\n3,E04,Hot,400,no\n"
CODES = "code,text_en\n7,Spindle\n"
SHIFTS = """\
day_starts: 08:00
patterns:
  A: {start: 08:00, end: 20:00, breaks: [{start: 12:00, end: 12:45}]}
  C: {start: 20:00, end: 08:00}
week: {mon: [A, C], tue: [A], wed: [C], fri: [A, C], sat: [A]}
"""
EQUIPMENT = """\
equipment: press-07
area: stamping
links:
  plc: {protocol: polled, host: plc}
  meter: {protocol: pushed, host: meter}
link: plc
tags:
  run: {at: 1}
  mode: {at: 2}
  why: {at: 3}
  parts: {at: 4}
  scrap: {at: 5}
  strokes: {at: 6}
  cycle: {at: 7, unit: ms}
  word: {at: 8, publish: false}
  energy: {link: meter, at: 9, deadband: 0.5}
  code: {link: meter, at: 10}
  alarms: {link: meter, at: 11}
status:
  - {state: fault, when: stopping_fault}
  - {state: maintenance, when: "mode == 'service'", mode: maintenance}
  - {state: setup, when: "mode in (2, 3)", mode: setup, reason: {code: M1, category: changeover}}
  - {state: running, when: "run and parts + scrap >= 0"}
  - state: idle
    when: "not run"
    reason_tag: why
    reasons: {1: {code: R1, category: material, text: {zh: 缺料}}, none: {code: R2}}
alive: {tag: strokes, changes_within_s: 60}
min_hold_ms: 700
repeat_s: 300
snapshot_s: 60
max_shelf_s: 900
counters:
  good: {tag: parts, kind: good, modulus: 65536, max_rate_per_s: 5, count_when: "mode != 2"}
  reject: {tag: scrap, kind: reject, factor: 0.3, cycle_time_tag: cycle}
  kwh: {tag: energy, kind: energy, unit: kWh, resolution: 0.001}
balance: {good: good, reject: reject}
usage:
  die: {kind: cycles, counter: good, limit: 50}
  spindle: {kind: run_hours, limit: 0.01}
faults:
  - {tag: word, bits: faults/bits.csv, on_delay_ms: 500, off_delay_ms: 500}
  - {tag: code, codes: faults/codes.csv}
  - {tag: alarms, conditions: true, stops_from: 700}
"""
TAGS = ("run", "mode", "why", "parts", "scrap", "strokes", "cycle", "word")
PUSHED = ("energy", "code", "alarms")
NAMES = (*TAGS, *PUSHED, "unknown_tag")
LINKS = ("press-07.plc", "press-07.plc", "press-07.meter", "nowhere")


@cache
def rules() -> EquipmentRules:
    """Return the rules of the equipment, as the configuration makes them."""
    files = {
        "gateway.yaml": GATEWAY,
        "shifts.yaml": SHIFTS,
        "equipment/press-07.yaml": EQUIPMENT,
        "faults/bits.csv": BITS,
        "faults/codes.csv": CODES,
    }
    with tempfile.TemporaryDirectory() as directory:
        site = load(write_site(Path(directory), files), spec_of=spec_of)
    return site.equipment["press-07"].rules


@cache
def comparing() -> EquipmentRules:
    """Return the same with a balance of three counters."""
    text = EQUIPMENT.replace("{good: good, reject: reject}", "{good: a, reject: b, total: c}")
    counters = "".join(
        f"  {name}: {{tag: {tag}, kind: good, max_rate_per_s: 9}}\n"
        for name, tag in (("a", "parts"), ("b", "scrap"), ("c", "strokes"))
    )
    text = text.replace("balance:", counters + "balance:")
    with tempfile.TemporaryDirectory() as directory:
        files = {
            "gateway.yaml": GATEWAY,
            "equipment/press-07.yaml": text,
            "faults/bits.csv": BITS,
            "faults/codes.csv": CODES,
        }
        site = load(write_site(Path(directory), files), spec_of=spec_of)
    return site.equipment["press-07"].rules


LAWFUL: tuple[Value, ...] = (
    *(-1, 2**31, 2**53, -(2**53), 2**63, 2**64 - 1, -(2**63), 65_535, 65_536, 16_777_217),
    *(0.5, -0.0, 5e-324, 1e300, -1e300, "", "service", "none", "\0", "ü", "缺料", "[1]", "null"),
)
"""What a driver may bring, though no machine means it."""
LAWLESS: tuple[Value, ...] = (
    *(float("nan"), float("inf"), float("-inf"), 2**64, -(2**70), 10**400, "\ud800", "[" * 99_999),
)
"""What no driver may bring."""
TEXTS = ("x", "缺料", "\0", "a" * 99, "b-1", "none")
TIMES = (
    datetime.min.replace(tzinfo=UTC),
    datetime.max.replace(tzinfo=UTC),
    datetime(1601, 1, 1, tzinfo=UTC),
    datetime(1970, 1, 1, tzinfo=UTC),
    datetime(2038, 1, 19, 3, 14, 8, tzinfo=UTC),
    EPOCH,
)
CLOCK_OFF_S = (0.0, 0.0, 0.0, 0.0, 0.0, 3600.0, -3600.0, 1e8)
PASSES_S = (0.0, 0.3, 1.0, 1.0, 1.0, 7.0, 70.0, 40_000.0, -5.0)
"""Between two things that happen; the monotonic clock does not fall, but who knows."""


class Anything:
    """Draws what happens to the equipment."""

    def __init__(self, seed: int, *, lawful: bool = True) -> None:
        self._odd = LAWFUL if lawful else (*LAWFUL, *LAWLESS)
        self._chance = Random(seed)
        self._second = 0.0

    def fact(self, fault_ids: list[str]) -> Fact:
        """Return the next thing that happens; ``fault_ids`` may be spoken of."""
        self._second += self._one(PASSES_S)
        kinds = (self._seen, self._lost, self._tick, self._started, self._series, self._stepped)
        if self._chance.random() < 0.15:
            command = self._command(fault_ids)
            return Commanded(self._at(), self._second, command)
        return self._chance.choices(kinds, (60, 4, 20, 4, 2, 2))[0]()

    def _one(self, of: Sequence[T]) -> T:
        return self._chance.choice(of)

    def _at(self) -> datetime:
        """The wall clock: mostly in step with the other one, at times set."""
        return EPOCH + timedelta(seconds=self._second + self._one(CLOCK_OFF_S))

    def _time(self) -> datetime:
        near = EPOCH + timedelta(seconds=self._second + self._chance.uniform(-900, 900))
        return near if self._chance.random() < 0.7 else self._one(TIMES)

    def _value(self) -> Value:
        kind = self._chance.random()
        if kind < 0.1:
            return self._one(self._odd)
        if kind < 0.2:
            return conditions_text(self._condition() for _ in range(self._chance.randrange(4)))
        return self._chance.randrange(12) if kind < 0.8 else self._chance.random() < 0.5

    def _condition(self) -> Condition:
        language: Literal["zh", "en"] = "zh" if self._chance.random() < 0.5 else "en"
        severity = self._one((1, 500, 900, 1000))
        code, text = self._one(TEXTS), self._one(TEXTS)
        return Condition(self._one(("a", "b", "")), code, text, language, severity)

    def _some(self, of: Sequence[str], most: int) -> list[str]:
        return [self._one(of) for _ in range(self._chance.randrange(most + 1))] if of else []

    def _seen(self) -> Observation:
        named = self._some(NAMES, 6)
        covers = (*named, *(TAGS if self._chance.random() < 0.8 else self._some(NAMES, 4)))
        return Observation(
            self._one(LINKS),
            self._at(),
            self._second,
            frozenset(covers),
            {name: self._value() for name in named},
            {name: self._one(("bad_status", *TEXTS)) for name in self._some(NAMES, 1)},
            {name: self._time() for name in self._some(named, 2)},
            frozenset(self._some(named, 1)),
            {name: self._chance.randrange(9) for name in self._some(named, 1)},
            self._one(("gateway", "device")),
            self._one((None, 0.0, 0.25)),
        )

    def _lost(self) -> LinkLost:
        return LinkLost(self._one(LINKS), self._at(), self._second, 1, {"class": "Unreachable"})

    def _tick(self) -> Tick:
        return Tick(self._at(), self._second)

    def _started(self) -> Started:
        alive = self._one((None, self._time()))
        return Started(self._at(), self._second, self._one(("b-1", "b-2")), alive)

    def _series(self) -> SeriesBegan:
        doubtful, seen = self._one((True, False)), self._one((None, self._time()))
        return SeriesBegan(self._at(), self._second, doubtful=doubtful, rival_seen=seen)

    def _stepped(self) -> ClockStepped:
        return ClockStepped(self._at(), self._second, self._chance.randrange(-99, 99), "b-1")

    def _command(self, fault_ids: list[str]) -> Command:
        id_, by, text = (self._one(TEXTS) for _ in range(3))
        when = self._one((None, self._time()))
        order = Order(self._one(("WO-1", "WO-2")), product=text, planned_qty=self._one((None, 9)))
        reason = self._one((None, Reason("R1", "material", {"zh": text})))
        fault_id = self._one(fault_ids or TEXTS)
        action = self._one(get_args(FaultAction))
        kind = self._one(get_args(ScrapKind))
        quantity, counter = self._one((1, 3, 10**9)), self._one((None, "good", "by_hand"))
        used = self._one((0.0, 0.5, 1e9))
        asked: tuple[Command, ...] = (
            OrderCommand(id_, self._one((None, order)), when, by),
            NoteCommand(id_, self._one(("x", fault_id)), by, reason, text),
            FaultCommand(id_, fault_id, action, by, text, when),
            ScrapCommand(id_, quantity, by, counter, kind, text),
            UsageCommand(id_, self._one(("die", "spindle", "x")), by, used, text),
        )
        return self._one(asked)
