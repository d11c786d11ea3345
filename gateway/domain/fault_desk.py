"""What people do with faults: acknowledge, comment, shelve, and the end of a shelf.

- Only an active occurrence can be commented or shelved; a cleared one can still be
  acknowledged while it stands among the newest unacknowledged ones.
- A shelf belongs to the bit or the code: an occurrence that begins meanwhile is born on it.
- A shelf always ends: at its time, which is bounded, or when somebody says so.
- Shelving hides a fault from people and changes nothing about the machine (IEC 62682: a
  shelved alarm stays active). So a shelved fault that stops the machine still makes its
  state ``fault``, and it counts in every figure.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType

from gateway.domain import fault_memory, faults
from gateway.domain.commands import FaultAction, FaultCommand
from gateway.domain.events import Event, Fault, FaultText
from gateway.domain.rules import EquipmentRules
from gateway.domain.state import (
    ActiveFault,
    ClearedFault,
    Comment,
    Durable,
    EquipmentState,
    Moment,
    Shelf,
)
from gateway.domain.vocabulary import Transition, stamp

MAX_COMMENTS = 10
"""Kept with an occurrence; every one of them is an event."""
MAX_SHELVES = 50

_TRANSITIONS: Mapping[FaultAction, Transition] = MappingProxyType(
    {"ack": "acked", "comment": "updated", "shelve": "shelved", "unshelve": "unshelved"}
)


def refusal(
    state: EquipmentState, command: FaultCommand, now: Moment, rules: EquipmentRules
) -> str | None:
    """Return why the command is not obeyed, None if it is."""
    key = _key_of(state.durable, command.fault_id)
    if key is not None:
        return _REFUSALS[command.action](state.durable, key, command, now, rules)
    if _cleared(state.durable, command.fault_id) is None:
        return f"no fault {command.fault_id} is active or waits for an acknowledgement"
    if command.action != "ack":
        return f"fault {command.fault_id} has cleared; it can only be acknowledged"
    return None


def obey(
    state: EquipmentState, command: FaultCommand, now: Moment, rules: EquipmentRules
) -> tuple[EquipmentState, list[Event]]:
    """Return the state after a command that `refusal` lets pass, and the fault event."""
    durable = state.durable
    key = _key_of(durable, command.fault_id)
    if key is None:
        durable, event = _ack_cleared(durable, command, now, rules)
    else:
        durable, event = _act(durable, key, command, now)
    event = replace(event, by=command.by, comment=command.comment)
    return state._replace(durable=durable), [event]


def expire(durable: Durable, now: Moment) -> tuple[Durable, list[Fault]]:
    """Take down the shelves whose time has come; told of where a fault is on one."""
    memory = durable.fault_memory
    ended = [key for key, shelf in memory.shelves.items() if _is_over(shelf, now)]
    if not ended:
        return durable, []
    left = {key: shelf for key, shelf in memory.shelves.items() if key not in ended}
    durable = replace(durable, fault_memory=replace(memory, shelves=left))
    order = faults.order_of(durable)
    active = [durable.faults[key] for key in ended if key in durable.faults]
    return durable, [faults.told(fault, now.at, "unshelved", order) for fault in active]


def wake(durable: Durable, at: datetime, mono_s: float) -> Durable:
    """Set what waits for a moment to the monotonic clock of this start, by the wall clock."""

    def anchored(moment: Moment) -> Moment:
        return Moment(moment.at, mono_s + (moment.at - at).total_seconds())

    shelves = {
        key: replace(shelf, until=anchored(shelf.until))
        for key, shelf in durable.fault_memory.shelves.items()
    }
    waiting = {
        key: replace(
            fault,
            quiet_since=None if fault.quiet_since is None else anchored(fault.quiet_since),
            told=None,
        )
        for key, fault in durable.faults.items()
    }
    memory = replace(durable.fault_memory, shelves=shelves)
    return replace(durable, faults=waiting, fault_memory=memory)


def due_s(durable: Durable) -> float | None:
    """Return the monotonic moment at which the next shelf ends."""
    ends = [shelf.until.mono_s for shelf in durable.fault_memory.shelves.values()]
    return min((end for end in ends if end is not None), default=None)


def _key_of(durable: Durable, fault_id: str) -> str | None:
    found = (key for key, fault in durable.faults.items() if fault.fault_id == fault_id)
    return next(found, None)


def _cleared(durable: Durable, fault_id: str) -> ClearedFault | None:
    found = (entry for entry in durable.fault_memory.unacked if entry.fault_id == fault_id)
    return next(found, None)


def _act(durable: Durable, key: str, command: FaultCommand, now: Moment) -> tuple[Durable, Fault]:
    fault = _commented(durable.faults[key], command, now)
    shelves = dict(durable.fault_memory.shelves)
    if command.action == "ack":
        fault = replace(fault, acked=True, acked_by=command.by, acked_at=now.at)
    elif command.action == "shelve" and command.until is not None:
        ends_s = None if now.mono_s is None else now.mono_s + _seconds(command, now)
        shelves[key] = Shelf(Moment(command.until, ends_s), command.by, command.comment or "")
    elif command.action == "unshelve":
        shelves.pop(key, None)
    durable = replace(
        durable,
        faults={**durable.faults, key: fault},
        fault_memory=replace(durable.fault_memory, shelves=shelves),
    )
    order, transition = faults.order_of(durable), _TRANSITIONS[command.action]
    event = faults.told(fault, now.at, transition, order, shelves.get(key))
    return durable, replace(event, until=command.until if command.action == "shelve" else None)


def _commented(fault: ActiveFault, command: FaultCommand, now: Moment) -> ActiveFault:
    if command.comment is None:
        return fault
    comment = Comment(now.at, command.by, command.comment)
    return replace(fault, comments=(*fault.comments, comment)[-MAX_COMMENTS:])


def _ack_cleared(
    durable: Durable, command: FaultCommand, now: Moment, rules: EquipmentRules
) -> tuple[Durable, Fault]:
    (entry,) = [one for one in durable.fault_memory.unacked if one.fault_id == command.fault_id]
    memory = fault_memory.without_cleared(durable.fault_memory, entry.fault_id)
    event = Fault(
        at=now.at,
        fault_id=entry.fault_id,
        transition="acked",
        fault=_text(entry, rules),
        raised_at=entry.raised_at,
        cleared_at=entry.cleared_at,
        duration_ms=entry.duration_ms,
        raises=entry.raises,
        first_up=entry.first_up,
        flood=entry.flood,
        acked=True,
        acked_by=command.by,
        acked_at=now.at,
        order=faults.order_of(durable),
    )
    return replace(durable, fault_memory=memory), event


def _text(entry: ClearedFault, rules: EquipmentRules) -> FaultText:
    """The dictionary's row of today; the code alone if the source was taken away since."""
    tag, _, number = entry.key.rpartition("/")
    listed = [rule for rule in rules.faults if rule.tag == tag and rule.kind != "conditions"]
    texts = (faults.text_of(rule, int(number)) for rule in listed)
    return next(texts, FaultText(entry.code, stops_machine=False))


def _is_over(shelf: Shelf, now: Moment) -> bool:
    if shelf.until.mono_s is None or now.mono_s is None:
        return now.at >= shelf.until.at
    return now.mono_s >= shelf.until.mono_s


def _seconds(command: FaultCommand, now: Moment) -> float:
    return 0.0 if command.until is None else (command.until - now.at).total_seconds()


def _cannot_ack(
    durable: Durable, key: str, _command: FaultCommand, _now: Moment, _rules: EquipmentRules
) -> str | None:
    fault = durable.faults[key]
    if not fault.acked:
        return None
    when = "" if fault.acked_at is None else f" at {stamp(fault.acked_at)}"
    return f"fault {fault.fault_id} was acknowledged by {fault.acked_by or 'somebody'}{when}"


def _cannot_comment(
    _durable: Durable, _key: str, command: FaultCommand, _now: Moment, _rules: EquipmentRules
) -> str | None:
    return None if command.comment else "there is no comment"


def _cannot_shelve(
    durable: Durable, key: str, command: FaultCommand, now: Moment, rules: EquipmentRules
) -> str | None:
    shelves = durable.fault_memory.shelves
    if command.until is None or not command.comment:
        return "shelving needs until and, as comment, the reason"
    if _seconds(command, now) <= 0:
        return f"until {stamp(command.until)} is past"
    if _seconds(command, now) > rules.max_shelf_s:
        latest = stamp(now.at + timedelta(seconds=rules.max_shelf_s))
        return f"a fault may be shelved until {latest} at most"
    if key not in shelves and len(shelves) >= MAX_SHELVES:
        return f"{MAX_SHELVES} faults of this equipment are shelved already"
    return None


def _cannot_unshelve(
    durable: Durable, key: str, command: FaultCommand, _now: Moment, _rules: EquipmentRules
) -> str | None:
    if key in durable.fault_memory.shelves:
        return None
    return f"fault {command.fault_id} is not shelved"


_Refuse = Callable[[Durable, str, FaultCommand, Moment, EquipmentRules], str | None]
_REFUSALS: Mapping[FaultAction, _Refuse] = MappingProxyType(
    {
        "ack": _cannot_ack,
        "comment": _cannot_comment,
        "shelve": _cannot_shelve,
        "unshelve": _cannot_unshelve,
    }
)
