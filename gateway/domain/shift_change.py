"""The change of shift: the status is cut there, and every fact says in which shift it was.

- A state that lasts over a change is cut by an event of the same state, cause ``shift``,
  dated to the change. It comes with the first fact after it, or by a `Tick` at its moment.
- When the gateway comes up, the offline interval carries the shift in which it began; the
  changes it slept through are cut at the first fact afterwards, `REACH` back at most.
- Another calendar holds from the moment it is taken up; the status is cut there if that is
  another shift.
- A fact has the shift of its own time, whenever it is told.
- A count whose window holds a change says so.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from gateway.domain import status
from gateway.domain.events import Count, Event
from gateway.domain.facts import Fact, Reconfigured, Started
from gateway.domain.rules import EquipmentRules
from gateway.domain.shifts import (
    HORIZON,
    ShiftCalendar,
    changes,
    is_planned,
    next_change,
    shift_at,
)
from gateway.domain.state import Durable, EquipmentState, Live, Moment, Turn, Verdict
from gateway.domain.vocabulary import Shift

REACH = timedelta(days=31)
"""Older changes are not made up for: an interval that long is cut from here on."""
STAMPED = frozenset({"status", "count", "fault", "reading"})


def turn(
    state: EquipmentState, fact: Fact, calendar: ShiftCalendar
) -> tuple[EquipmentState, list[Event]]:
    """Return the state as it stands just before ``fact``: cut where a shift changed."""
    held = state.live.turn
    if isinstance(fact, Started | Reconfigured):
        return state, []
    if held is not None and _holds(held, fact.at) and fact.mono_s < held.ends_s:
        return state, []
    if not is_planned(fact.at):
        return state._replace(live=state.live._replace(turn=None)), []
    durable, events = _cut(state.durable, calendar, fact.at, fact.mono_s)
    live = state.live._replace(turn=_turn(calendar, fact.at, fact.mono_s))
    return EquipmentState(durable, live), events


def marked(
    before: EquipmentState,
    after: EquipmentState,
    events: list[Event],
    fact: Fact,
    calendar: ShiftCalendar,
) -> tuple[EquipmentState, list[Event]]:
    """Return ``after`` and its events with the shift of each."""
    if isinstance(fact, Started):
        asleep = Turn(None, fact.at, fact.at, fact.mono_s)  # due at once
        after = after._replace(live=after.live._replace(turn=asleep))
    opened = after.durable.status
    if opened is not None and opened is not before.durable.status:
        shift = _shift_of(calendar, after.live, opened.since.at)
        after = after._replace(durable=replace(after.durable, status=replace(opened, shift=shift)))
    return after, [_stamped(event, calendar, after.live) for event in events]


def replanned(
    durable: Durable, live: Live, calendar: ShiftCalendar | None, now: Moment, now_s: float
) -> tuple[Durable, Live, list[Event]]:
    """Go over to another calendar: it holds from now on, and changes nothing that was told."""
    turn = None if calendar is None else _turn(calendar, now.at, now_s)
    live = live._replace(turn=turn if is_planned(now.at) else None)
    opened, shift = durable.status, None if turn is None else turn.shift
    if opened is None or opened.shift == shift:
        return durable, live, []
    order = None if durable.order is None else durable.order.order
    same = Verdict(opened.state, now, opened.reason, opened.mode)
    opened, event = status.begin(opened, same, "shift", order)
    return replace(durable, status=opened), live, [event]


def changes_s(live: Live, rules: EquipmentRules) -> float | None:
    """Return the monotonic moment of the next change of shift."""
    return None if rules.calendar is None or live.turn is None else live.turn.ends_s


def _holds(turn: Turn, at: datetime) -> bool:
    return turn.known_from <= at < turn.ends


def _turn(calendar: ShiftCalendar, at: datetime, mono_s: float) -> Turn:
    ends = next_change(calendar, at) or at + HORIZON
    return Turn(shift_at(calendar, at), at, ends, mono_s + (ends - at).total_seconds())


def _cut(
    durable: Durable, calendar: ShiftCalendar, now: datetime, now_s: float
) -> tuple[Durable, list[Event]]:
    opened, events = durable.status, list[Event]()
    if opened is None:
        return durable, events
    order = None if durable.order is None else durable.order.order
    for at in changes(calendar, max(opened.since.at, now - REACH), now):
        since = _moment(at, opened.since, now, now_s)
        same = Verdict(opened.state, since, opened.reason, opened.mode)
        opened, event = status.begin(opened, same, "shift", order)
        events.append(event)
    return (replace(durable, status=opened) if events else durable), events


def _moment(at: datetime, since: Moment, now: datetime, now_s: float) -> Moment:
    """Place a moment of the wall clock on the monotonic one, not before ``since``."""
    mono_s = now_s - (now - at).total_seconds()
    return Moment(at, mono_s if since.mono_s is None else max(mono_s, since.mono_s))


def _stamped(event: Event, calendar: ShiftCalendar, live: Live) -> Event:
    if event.type not in STAMPED:
        return event
    shift = _shift_of(calendar, live, event.at)
    if isinstance(event, Count) and _crosses(event, calendar, live):
        return replace(event, shift=shift, shift_ambiguous=True)
    return replace(event, shift=shift)


def _crosses(event: Count, calendar: ShiftCalendar, live: Live) -> bool:
    begun = event.window_from
    if begun is None or event.anomaly == "baseline":
        return False
    turn = live.turn
    if turn is not None and turn.known_from <= begun and event.at < turn.ends:
        return False
    return next(changes(calendar, begun, event.at), None) is not None


def _shift_of(calendar: ShiftCalendar, live: Live, at: datetime) -> Shift | None:
    turn = live.turn
    if turn is not None and _holds(turn, at):
        return turn.shift
    return shift_at(calendar, at)
