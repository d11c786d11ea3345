"""A long state is told again from time to time, for who came late or missed it.

- A repeat carries the ``since`` of its interval, no ``prev_*``, and opens no interval.
- It comes ``repeat_s`` after the last status event of this run of the gateway; a start
  counts anew, so that a restart repeats nothing twice.
- It waits while another state waits to be believed: it would contradict what that state
  will say of the same moment.
"""

from datetime import datetime

from gateway.domain import status
from gateway.domain.events import Event, Status
from gateway.domain.facts import Fact, Started, Tick
from gateway.domain.rules import EquipmentRules
from gateway.domain.state import EquipmentState, OpenStatus
from gateway.domain.vocabulary import Order, State


def tell(
    state: EquipmentState, events: list[Event], fact: Fact, rules: EquipmentRules
) -> tuple[EquipmentState, list[Event]]:
    """Return the events of a fact with a repeat if one is due, and when status was told."""
    if isinstance(fact, Tick):
        moment_s, held = due_s(state, rules), state.durable.status
        if held is not None and moment_s is not None and fact.mono_s >= moment_s:
            order = None if state.durable.order is None else state.durable.order.order
            events = [*events, _again(held, fact.at, order)]
    types = [event.type for event in events]
    if Status.type in types or isinstance(fact, Started):
        state = state._replace(live=state.live._replace(status_told_s=fact.mono_s))
    return state, events


def due_s(state: EquipmentState, rules: EquipmentRules) -> float | None:
    """Return the monotonic moment of the next repeat, None where there is none."""
    told_s, held, verdict = state.live.status_told_s, state.durable.status, state.live.verdict
    if not rules.repeat_s or told_s is None or held is None:
        return None
    if verdict is not None and not status.same(held, verdict):
        return None
    return told_s + rules.repeat_s


def _again(held: OpenStatus, at: datetime, order: Order | None) -> Status:
    return Status(
        at=max(at, held.since.at),
        since=held.since.at,
        state=held.state,
        cause="sample",
        repeat=True,
        reason=held.reason,
        mode=held.mode,
        order=order,
        quality="bad" if held.state is State.OFFLINE else "good",
    )
