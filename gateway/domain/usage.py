"""How much of its life a wearing part has behind it: hours run, hours on, cycles.

- Hours are the sum of ``prev_duration_ms`` of the states that count, and of the open one so
  far: the same figure a consumer gets from the status events, over restarts too.
- Cycles are the sum of what a counter booked. Neither falls but by a command.
- A figure is told at most once a minute, and at once when a state changes, when a threshold
  is reached or when somebody sets it; a `Tick` tells it while time counts.
- Setting it (after maintenance) is a command, and a note says who, when, and what it was.
- What is no longer configured is kept but not shown, so that a slip in a file costs nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType

from gateway.domain.commands import UsageCommand
from gateway.domain.events import Count, Event, Note, Status
from gateway.domain.facts import Fact
from gateway.domain.rules import EquipmentRules, UsageRule
from gateway.domain.state import Durable, EquipmentState, Moment, UsageDue, UsageState
from gateway.domain.vocabulary import Json, Reason, State, stamp

TELL_EVERY_S = 60.0
MS_PER_HOUR = 3_600_000
_COUNTED: Mapping[str, frozenset[State]] = MappingProxyType(
    {
        "run_hours": frozenset({State.RUNNING}),
        "on_hours": frozenset(State) - {State.OFFLINE},
        "cycles": frozenset(),
    }
)


def follow(
    state: EquipmentState, events: Iterable[Event], fact: Fact, rules: EquipmentRules
) -> EquipmentState:
    """Return the state after these events with its usage brought up to date."""
    live = state.live
    told = [event for event in events if isinstance(event, Status | Count)]
    is_due = live.usage_due_s is None or fact.mono_s >= live.usage_due_s
    if not told and not is_due:
        return state
    now = Moment(fact.at, fact.mono_s)
    tell = is_due or any(isinstance(event, Status) for event in told)
    usage = {name: replace(one, active=False) for name, one in state.durable.usage.items()}
    for rule in rules.usage:
        usage[rule.name] = _advanced(state.durable, rule, told, now, tell=tell)
    if is_due:
        live = live._replace(usage_due_s=fact.mono_s + TELL_EVERY_S)
    durable = state.durable
    if usage != durable.usage:
        durable = replace(durable, usage=usage)
    return EquipmentState(durable, live)


def due_s(state: EquipmentState, rules: EquipmentRules) -> float | None:
    """Return the monotonic moment at which hours that count now are told again."""
    held = state.durable.status
    if held is None or not any(held.state in _COUNTED[rule.kind] for rule in rules.usage):
        return None
    return state.live.usage_due_s


def refuse(
    _state: EquipmentState, command: UsageCommand, _now: Moment, rules: EquipmentRules
) -> str | None:
    """Return why the usage cannot be set, None if it can."""
    names = [rule.name for rule in rules.usage]
    if command.usage in names:
        return None
    return f"there is no usage {command.usage!r}; known: {', '.join(names) or 'none'}"


def obey(
    state: EquipmentState, command: UsageCommand, now: Moment, rules: EquipmentRules
) -> tuple[EquipmentState, list[Event]]:
    """Return the state with the usage set, and the note that says so."""
    (rule,) = (rule for rule in rules.usage if rule.name == command.usage)
    held = _advanced(state.durable, rule, (), now, tell=True)
    used = command.used * (1 if rule.kind == "cycles" else MS_PER_HOUR)
    after = replace(
        held,
        before=used - _open_ms(state.durable, rule, now),
        used=used,
        due=_due(used, held),
        since=now.at,
        by=command.by,
        told_at=now.at,
    )
    was, set_to = (f"{_shown(one)} {_unit(one)}".strip() for one in (held, after))
    text = {"zh": f"原为 {was}，设为 {set_to}", "en": f"was {was}, set to {set_to}"}
    note = Note(
        at=now.at,
        about=f"usage:{rule.name}",
        by=command.by,
        comment=command.comment,
        reason=Reason("usage_set", "none", text),
    )
    durable = replace(state.durable, usage={**state.durable.usage, rule.name: after})
    return EquipmentState(durable, state.live), [note]


def snapshot(usage: Mapping[str, UsageState]) -> Json | None:
    """Return the data of ``state/usage``, None where nothing is configured."""
    rows = [_row(name, one) for name, one in sorted(usage.items()) if one.active]
    return {"usage": rows} if rows else None


def _advanced(
    durable: Durable, rule: UsageRule, told: Iterable[Event], now: Moment, *, tell: bool
) -> UsageState:
    open_ms = _open_ms(durable, rule, now)
    held = durable.usage.get(rule.name)
    if held is None or held.kind != rule.kind:
        return UsageState(rule.kind, rule.limit, rule.warn_at, -open_ms, 0.0, now.at, now.at)
    before = held.before + sum(_gained(rule, event) for event in told)
    held = replace(held, limit=rule.limit, warn_at=rule.warn_at, before=before, active=True)
    used = before + open_ms
    if tell or _due(used, held) != held.due:
        return replace(held, used=used, due=_due(used, held), told_at=now.at)
    return held


def _gained(rule: UsageRule, event: Event) -> float:
    if isinstance(event, Count):
        return event.delta if rule.counter == event.counter else 0.0
    if isinstance(event, Status) and event.prev_state in _COUNTED[rule.kind]:
        return event.prev_duration_ms or 0
    return 0.0


def _open_ms(durable: Durable, rule: UsageRule, now: Moment) -> float:
    held = durable.status
    if held is None or held.state not in _COUNTED[rule.kind]:
        return 0.0
    return round(held.since.seconds_until(now) * 1000)


def _due(used: float, held: UsageState) -> UsageDue:
    shown = used if held.kind == "cycles" else used / MS_PER_HOUR
    if shown >= held.limit:
        return "due"
    return "soon" if shown >= held.warn_at else "ok"


def _shown(held: UsageState) -> float:
    return held.used if held.kind == "cycles" else round(held.used / MS_PER_HOUR, 3)


def _unit(held: UsageState) -> str:
    return "" if held.kind == "cycles" else "h"


def _row(name: str, held: UsageState) -> Json:
    return {
        "usage": name,
        "kind": held.kind,
        "used": _shown(held),
        "unit": _unit(held) or "1",
        "limit": held.limit,
        "warn_at": held.warn_at,
        "due": held.due,
        "at": stamp(held.told_at),
        "since": stamp(held.since),
        "by": held.by,
    }
