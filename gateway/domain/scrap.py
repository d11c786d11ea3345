"""Parts that a person found bad: counted beside the machine's counters, never instead of them.

- A manual counter bears a name of its own; no counter of the machine can be written to.
- It only rises. Who said it, and why, stands in the event.
"""

from collections.abc import Mapping
from dataclasses import replace

from gateway.domain.commands import ScrapCommand
from gateway.domain.counts import MAX_TOTAL
from gateway.domain.events import Count, Event
from gateway.domain.orders import in_force_at
from gateway.domain.rules import EquipmentRules
from gateway.domain.state import CounterState, EquipmentState, Moment

MAX_COUNTERS = 50
IDENTITY = "manual"


def refuse(
    state: EquipmentState, command: ScrapCommand, _now: Moment, rules: EquipmentRules
) -> str | None:
    """Return why the parts are not taken."""
    name, counters = command.name, state.durable.counters
    held = counters.get(name)
    derived = None if rules.balance is None else rules.balance.derived
    if name == derived or any(rule.name == name for rule in rules.counters):
        return f"{name} is a counter of the machine; name another one or none"
    if held is None:
        return _too_many(counters)
    if held.origin != "manual":
        return f"{name} was a counter of the machine; name another one or none"
    if held.kind != command.kind:
        return f"{name} counts {held.kind}, not {command.kind}"
    if command.quantity > MAX_TOTAL - held.total:
        return f"{name} stands at {held.total} and cannot take {command.quantity} more"
    return None


def obey(
    state: EquipmentState, command: ScrapCommand, now: Moment, _rules: EquipmentRules
) -> tuple[EquipmentState, list[Event]]:
    """Return the state with the parts counted, and the event."""
    durable = state.durable
    held = durable.counters.get(command.name)
    before = 0 if held is None else held.total
    total = before + command.quantity
    counted = CounterState(IDENTITY, total, now, total, command.kind, "1", origin="manual")
    event = Count(
        at=now.at,
        counter=command.name,
        kind=command.kind,
        delta=command.quantity,
        total=total,
        raw=total,
        origin="manual",
        order=in_force_at(durable, now.at),
        reason=command.reason,
        by=command.by,
    )
    durable = replace(durable, counters={**durable.counters, command.name: counted})
    return state._replace(durable=durable), [event]


def _too_many(counters: Mapping[str, CounterState]) -> str | None:
    manual = sum(counter.origin == "manual" for counter in counters.values())
    return None if manual < MAX_COUNTERS else f"there are {MAX_COUNTERS} manual counters already"
