"""Bits, codes and conditions -> occurrences, from raised to cleared.

- One occurrence has one ``fault_id`` for its whole life, and no other ever has it.
- A source out of sight freezes its faults; the first good sample afterwards says which
  of them are still there. A value that cannot be read as a number says nothing either.
- A delay counts from the first sample that shows the edge; an edge out of sight begins anew.
- A chattering fault is one occurrence (`gateway.domain.chatter`).
- The fault that stopped a machine no other fault had stopped is ``first_up``; of several
  in one sample that of the first source and the lowest number.
"""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from gateway.domain import chatter, fault_memory, fault_sources
from gateway.domain.events import Fault, FaultText
from gateway.domain.rules import EquipmentRules, FaultRule
from gateway.domain.state import ActiveFault, Durable, Live, Moment, Shelf
from gateway.domain.vocabulary import Order, Quality, Transition

_WORDS = {
    "bits": ("报警位", "alarm bit"),
    "code": ("报警代码", "alarm code"),
    "conditions": ("设备报警", "alarm of the device"),
}
BASE36 = "0123456789abcdefghijklmnopqrstuvwxyz"


class FaultStep(NamedTuple):
    """What one look at the sources changed; what it did not is the same object."""

    durable: Durable
    live: Live
    events: tuple[Fault, ...]


def watch(durable: Durable, live: Live, rules: EquipmentRules, now: Moment) -> FaultStep:
    """Compare the sources with the faults in force."""
    look = _Look(durable, live, now)
    for source in rules.faults:
        seen = fault_sources.seen(source, live.values.get(source.tag))
        if seen is None:
            look.freeze(source.tag)
        else:
            look.compare(*seen)
    look.end_all_but({rule.tag for rule in rules.faults})
    return look.result()


def text_of(rule: FaultRule, number: int) -> FaultText:
    """Return the row of the dictionary, or a row that says the number is not in it."""
    known = rule.texts.get(number)
    if known is not None:
        return known
    what = _WORDS[rule.kind]
    code = f"{rule.tag}.{number}" if rule.kind == "bits" else str(number)
    return FaultText(
        code=code,
        text={"zh": f"未知{what[0]} {number}", "en": f"Unknown {what[1]} {number}"},
        stops_machine=False,
    )


def told(
    fault: ActiveFault,
    at: datetime,
    transition: Transition,
    order: Order | None,
    shelf: Shelf | None = None,
) -> Fault:
    """Return a step in the life of an active occurrence, as it stands now."""
    quality: Quality = "uncertain" if fault.frozen else "good"
    return Fault(
        at=at,
        fault_id=fault.fault_id,
        transition=transition,
        fault=fault.fault,
        raised_at=fault.raised.at,
        raises=fault.raises,
        acked=fault.acked,
        quality=quality,
        first_up=fault.first_up,
        flood=fault.flood,
        acked_by=fault.acked_by,
        acked_at=fault.acked_at,
        shelved_until=None if shelf is None else shelf.until.at,
        order=order,
    )


def told_all(durable: Durable, at: datetime | None = None) -> list[Fault]:
    """Return every active occurrence as raised, ``at`` one moment or each at its own."""
    order = order_of(durable)
    shelves = durable.fault_memory.shelves
    return [
        told(fault, at or fault.raised.at, "raised", order, shelves.get(key))
        for key, fault in durable.faults.items()
    ]


def order_of(durable: Durable) -> Order | None:
    """Return the order that a fault is stamped with."""
    return None if durable.order is None else durable.order.order


def due_s(durable: Durable, live: Live, rules: EquipmentRules) -> float | None:
    """Return the earliest monotonic moment at which a delay or a chatter ends."""
    by_tag = {rule.tag: rule for rule in rules.faults}
    ends = []
    for key, first in live.fault_edges.items():
        rule, fault = by_tag.get(_tag(key)), durable.faults.get(key)
        if rule is not None and first.mono_s is not None:
            comes = fault is None or fault.quiet_since is not None
            ends.append(first.mono_s + (rule.on_delay_s if comes else rule.off_delay_s))
    for key, fault in durable.faults.items():
        rule = by_tag.get(_tag(key))
        end_s = None if rule is None or key in live.fault_edges else chatter.over_at_s(fault, rule)
        if end_s is not None:
            ends.append(end_s)
    return min(ends, default=None)


class _Look:
    """One look at all sources: collects what it changes."""

    def __init__(self, durable: Durable, live: Live, now: Moment) -> None:
        self._durable = durable
        self._live = live
        self._now = now
        self._order = order_of(durable)
        self._faults = dict(durable.faults)
        self._waiting = dict(live.fault_edges)
        self._memory = durable.fault_memory
        self._raises = live.raises
        self._was_stopped = any(fault.stopping for fault in durable.faults.values())
        self._events: list[Fault] = []

    def freeze(self, tag: str) -> None:
        """Take in that a source is out of sight."""
        for key in _keys(self._waiting, tag):
            del self._waiting[key]
        for key in _keys(self._faults, tag):
            if not self._faults[key].frozen:
                self._faults[key] = replace(self._faults[key], frozen=True)
                self._tell(key, "updated", self._now)

    def compare(self, rule: FaultRule, shown: AbstractSet[int]) -> None:
        """Take in what a source shows."""
        thawed = [key for key in _keys(self._faults, rule.tag) if self._faults[key].frozen]
        for key in thawed:
            self._faults[key] = replace(self._faults[key], frozen=False)
        active = {_number(key) for key in _keys(self._faults, rule.tag)}
        for key in _keys(self._waiting, rule.tag):
            if _number(key) not in shown | active:
                del self._waiting[key]  # a pulse shorter than its delay leaves no trace
        for number in sorted(shown | active):
            self._follow(rule, number, shows=number in shown)
        if rule.kind == "conditions":
            self._reword(rule)
        spoken = {event.fault_id for event in self._events}
        for key in thawed:
            if key in self._faults and self._faults[key].fault_id not in spoken:
                self._tell(key, "updated", self._now)

    def end_all_but(self, tags: AbstractSet[str]) -> None:
        """End what no source speaks of any more: nobody would ever clear it."""
        for key in [key for key in self._faults if _tag(key) not in tags]:
            self._faults[key] = replace(self._faults[key], frozen=True)
            self._clear(key, self._now)

    def result(self) -> FaultStep:
        """Return what came of it."""
        durable, live = self._durable, self._live
        if self._faults != durable.faults or self._memory is not durable.fault_memory:
            durable = replace(durable, faults=self._faults, fault_memory=self._memory)
        if self._waiting != live.fault_edges or self._raises is not live.raises:
            live = live._replace(fault_edges=self._waiting, raises=self._raises)
        return FaultStep(durable, live, tuple(self._events))

    def _follow(self, rule: FaultRule, number: int, *, shows: bool) -> None:
        key = f"{rule.tag}/{number}"
        fault = self._faults.get(key)
        showed = fault is not None and fault.quiet_since is None
        if shows == showed:
            self._waiting.pop(key, None)
            ended = None if fault is None else chatter.over_since(fault, rule, self._now)
            if ended is not None:
                self._clear(key, ended)
            return
        first = self._waiting.setdefault(key, self._now)
        if not first.lasted(rule.on_delay_s if shows else rule.off_delay_s, self._now):
            return
        del self._waiting[key]
        if fault is None:
            self._raise(rule, number, key, first)
        elif shows:
            self._raise_again(rule, number, key, first)
        elif fault.chattering:
            self._faults[key] = replace(fault, quiet_since=first)
        else:
            self._clear(key, first)

    def _raise(self, rule: FaultRule, number: int, key: str, first: Moment) -> None:
        self._raises = chatter.remember(self._raises, key, first)
        self._memory = fault_memory.numbered(self._memory, first.at)
        self._note_unknown(rule, number, key, first)
        text = text_of(rule, number)
        id_ = f"{self._durable.equipment}.{rule.tag}.{number}.{_base36(self._memory.last_number)}"
        self._faults[key] = ActiveFault(
            id_,
            text,
            first,
            chattering=chatter.chatters(self._raises, key, first, rule),
            first_up=text.stops_machine and not self._was_stopped,
            flood=chatter.floods(self._raises, first),
        )
        self._was_stopped = self._was_stopped or text.stops_machine
        self._tell(key, "raised", first)

    def _raise_again(self, rule: FaultRule, number: int, key: str, first: Moment) -> None:
        """The same occurrence: its source was quiet too shortly to believe in its end."""
        self._note_unknown(rule, number, key, first)
        fault = self._faults[key]
        fault = replace(fault, raises=fault.raises + 1, quiet_since=None)
        tell = chatter.may_tell(fault, first)
        self._faults[key] = replace(fault, told=first) if tell else fault
        if tell:
            self._tell(key, "updated", first)

    def _reword(self, rule: FaultRule) -> None:
        """Take in that conditions say something else of themselves than before."""
        for key in _keys(self._faults, rule.tag):
            fault, text = self._faults[key], rule.texts.get(_number(key))
            if text is None or text == fault.fault:
                continue
            tell = chatter.may_tell(fault, self._now)
            self._faults[key] = replace(fault, fault=text, told=self._now if tell else fault.told)
            if tell:
                self._tell(key, "updated", self._now)

    def _note_unknown(self, rule: FaultRule, number: int, key: str, first: Moment) -> None:
        if number not in rule.texts:
            self._memory = fault_memory.with_unknown(self._memory, key, first)

    def _clear(self, key: str, at: Moment) -> None:
        event = self._step(key, "cleared", at)
        fault = self._faults.pop(key)
        duration_ms = round(fault.raised.seconds_until(at) * 1000)
        cleared = replace(event, cleared_at=at.at, duration_ms=duration_ms)
        self._events.append(cleared)
        if not fault.acked:
            self._memory = fault_memory.with_cleared(self._memory, key, cleared, at.at)

    def _tell(self, key: str, transition: Transition, at: Moment) -> None:
        self._events.append(self._step(key, transition, at))

    def _step(self, key: str, transition: Transition, at: Moment) -> Fault:
        shelf = self._memory.shelves.get(key)
        return told(self._faults[key], at.at, transition, self._order, shelf)


def _tag(key: str) -> str:
    return key.rpartition("/")[0]


def _number(key: str) -> int:
    return int(key.rpartition("/")[2])


def _keys(of: Mapping[str, object], tag: str) -> list[str]:
    return [key for key in of if _tag(key) == tag]


def _base36(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = BASE36[digit] + digits
    return digits or "0"
