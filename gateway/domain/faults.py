"""Bits and codes -> occurrences, from raised to cleared.

One occurrence has one ``fault_id`` for its whole life. A source out of sight freezes
its faults; the first good sample afterwards says which of them are still there.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from drivers.contract import Value
from gateway.domain.events import Fault, FaultText, Order, Quality, Transition
from gateway.domain.rules import EquipmentRules, FaultRule
from gateway.domain.state import ActiveFault, Moment

MAX_BITS = 64
BASE36 = "0123456789abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class FaultStep:
    """What one look at the sources changed."""

    active: Mapping[str, ActiveFault]
    edges: Mapping[str, Moment]
    events: tuple[Fault, ...]


def watch(
    active: Mapping[str, ActiveFault],
    edges: Mapping[str, Moment],
    values: Mapping[str, Value],
    rules: EquipmentRules,
    *,
    equipment: str,
    now: Moment,
    order: Order | None,
) -> FaultStep:
    """Compare the sources with the faults in force; a source not in ``values`` freezes."""
    faults, waiting, events = dict(active), dict(edges), list[Fault]()
    for rule in rules.faults:
        value = values.get(rule.tag)
        if value is None:
            _freeze(faults, rule.tag, now, order, events)
            continue
        shown = numbers(value, rule)
        _thaw(faults, rule.tag, shown, now, order, events)
        for number in sorted(shown | _numbers_active(faults, rule.tag)):
            key = f"{rule.tag}/{number}"
            if (number in shown) == (key in faults):
                waiting.pop(key, None)
                continue
            first = waiting.setdefault(key, now)
            delay_s = rule.on_delay_s if number in shown else rule.off_delay_s
            if first.seconds_until(now) < delay_s:
                continue
            del waiting[key]
            if number in shown:
                faults[key] = _raise(equipment, key, rule, number, first, order, events)
            else:
                events.append(_cleared(faults.pop(key), first, order))
        _drop_stale_edges(waiting, rule.tag, shown, faults)
    return FaultStep(
        active if faults == active else faults,
        edges if waiting == edges else waiting,
        tuple(events),
    )


def numbers(value: Value, rule: FaultRule) -> frozenset[int]:
    """Return the bit numbers or the code that a source shows."""
    if isinstance(value, str | float) and not (isinstance(value, float) and value.is_integer()):
        return frozenset()
    number = int(value)
    if rule.kind == "code":
        return frozenset((number,)) if number else frozenset()
    return frozenset(bit for bit in range(MAX_BITS) if number >> bit & 1)


def text_of(rule: FaultRule, number: int) -> FaultText:
    """Return the row of the dictionary, or a row that says the number is not in it."""
    known = rule.texts.get(number)
    if known is not None:
        return known
    what = {"bits": ("报警位", "alarm bit"), "code": ("报警代码", "alarm code")}[rule.kind]
    code = f"{rule.tag}.{number}" if rule.kind == "bits" else str(number)
    return FaultText(
        code=code,
        text={"zh": f"未知{what[0]} {number}", "en": f"Unknown {what[1]} {number}"},
        stops_machine=False,
    )


def restate(fault: ActiveFault, at: datetime, order: Order | None) -> Fault:
    """Return an active occurrence as the first event of a new series."""
    quality: Quality = "uncertain" if fault.frozen else "good"
    return _event(fault, Moment(at, None), "raised", order, quality)


def delay_ends_s(
    edges: Mapping[str, Moment], active: Mapping[str, ActiveFault], rules: EquipmentRules
) -> float | None:
    """Return the earliest monotonic moment at which a delayed edge is due."""
    by_tag = {rule.tag: rule for rule in rules.faults}
    ends = []
    for key, first in edges.items():
        rule = by_tag.get(key.rpartition("/")[0])
        if rule is not None and first.mono_s is not None:
            ends.append(first.mono_s + (rule.off_delay_s if key in active else rule.on_delay_s))
    return min(ends, default=None)


def _numbers_active(faults: Mapping[str, ActiveFault], tag: str) -> frozenset[int]:
    prefix = tag + "/"
    return frozenset(int(key[len(prefix) :]) for key in faults if key.startswith(prefix))


def _raise(
    equipment: str,
    key: str,
    rule: FaultRule,
    number: int,
    first: Moment,
    order: Order | None,
    events: list[Fault],
) -> ActiveFault:
    fault_id = f"{equipment}.{key.replace('/', '.')}.{_base36(round(first.at.timestamp() * 1000))}"
    raised = ActiveFault(fault_id, text_of(rule, number), first)
    events.append(_event(raised, first, "raised", order))
    return raised


def _freeze(
    faults: dict[str, ActiveFault],
    tag: str,
    now: Moment,
    order: Order | None,
    events: list[Fault],
) -> None:
    for key in _keys_of(faults, tag):
        if not faults[key].frozen:
            faults[key] = replace(faults[key], frozen=True)
            events.append(_event(faults[key], now, "updated", order, "uncertain"))


def _thaw(
    faults: dict[str, ActiveFault],
    tag: str,
    shown: frozenset[int],
    now: Moment,
    order: Order | None,
    events: list[Fault],
) -> None:
    for key in _keys_of(faults, tag):
        if faults[key].frozen:
            faults[key] = replace(faults[key], frozen=False)
            if int(key.rpartition("/")[2]) in shown:
                events.append(_event(faults[key], now, "updated", order))


def _keys_of(faults: Mapping[str, ActiveFault], tag: str) -> list[str]:
    return [key for key in faults if key.rpartition("/")[0] == tag]


def _drop_stale_edges(
    waiting: dict[str, Moment],
    tag: str,
    shown: frozenset[int],
    faults: Mapping[str, ActiveFault],
) -> None:
    """A pulse shorter than its delay leaves no trace."""
    for key in [key for key in waiting if key.rpartition("/")[0] == tag]:
        if (int(key.rpartition("/")[2]) in shown) == (key in faults):
            del waiting[key]


def _event(
    fault: ActiveFault,
    now: Moment,
    transition: Transition,
    order: Order | None,
    quality: Quality = "good",
) -> Fault:
    return Fault(
        at=now.at,
        fault_id=fault.fault_id,
        transition=transition,
        fault=fault.fault,
        raised_at=fault.raised.at,
        acked=fault.acked,
        quality=quality,
        order=order,
    )


def _cleared(fault: ActiveFault, at: Moment, order: Order | None) -> Fault:
    return Fault(
        at=at.at,
        fault_id=fault.fault_id,
        transition="cleared",
        fault=fault.fault,
        raised_at=fault.raised.at,
        cleared_at=at.at,
        duration_ms=round(fault.raised.seconds_until(at) * 1000),
        acked=fault.acked,
        order=order,
    )


def _base36(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = BASE36[digit] + digits
    return digits or "0"
