"""The order in force.

- A command puts it there from the moment the gateway obeys; the state goes on in an
  interval of its own.
- The same order again is no second event: only who asked for it last is noted.
- An order for later is refused: what was made until then would be booked on it. One that
  should have been in force before is taken, and the event says since when.
- What was read before the change carries the order of before, whenever it is told; what was
  made between the readings around the change is ambiguous.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from gateway.domain import status
from gateway.domain.commands import OrderCommand
from gateway.domain.events import Event
from gateway.domain.rules import EquipmentRules
from gateway.domain.state import Durable, EquipmentState, Moment, OrderCut, OrderInForce, Verdict
from gateway.domain.vocabulary import Order, State

CLOCKS_APART = timedelta(seconds=5)
"""How far the sender's clock may be ahead of ours."""


def refuse(
    _state: EquipmentState, command: OrderCommand, now: Moment, _rules: EquipmentRules
) -> str | None:
    """Return why the order is not taken."""
    wanted = command.effective_at
    if wanted is not None and wanted > now.at + CLOCKS_APART:
        return "effective_at is in the future: send the order when it begins"
    return None


def obey(
    state: EquipmentState, command: OrderCommand, now: Moment, _rules: EquipmentRules
) -> tuple[EquipmentState, list[Event]]:
    """Return the state with the order in force, and the status that is cut by it."""
    durable = state.durable
    before = _order(durable)
    if _told(before) == _told(command.order):
        return state._replace(durable=_asked_again(durable, command)), []
    held = durable.status
    same = (
        Verdict(State.OFFLINE, now, status.NO_ANSWER)
        if held is None
        else Verdict(held.state, now, held.reason, held.mode)
    )
    opened, event = status.begin(held, same, "order", command.order)
    durable = replace(
        durable,
        order=_in_force(command, now.at),
        order_cut=OrderCut(now.at, before),
        status=opened,
    )
    late = command.effective_at
    if late is not None and late < now.at:
        event = replace(event, order_effective_at=late)
    return EquipmentState(durable, state.live), [event]


def in_force_at(durable: Durable, at: datetime) -> Order | None:
    """Return the order of what was read at ``at``."""
    cut = durable.order_cut
    return cut.before if cut is not None and at <= cut.at else _order(durable)


def crosses(durable: Durable, window_from: datetime | None, at: datetime) -> bool:
    """Whether the order changed between two readings."""
    cut = durable.order_cut
    return cut is not None and window_from is not None and window_from < cut.at < at


def _in_force(command: OrderCommand, since: datetime) -> OrderInForce | None:
    if command.order is None:
        return None
    return OrderInForce(command.order, command.command_id, since, command.by, command.effective_at)


def _asked_again(durable: Durable, command: OrderCommand) -> Durable:
    """Take over what an order says beside its identity, and who asked; it began when it did."""
    held = durable.order
    if held is None or command.order is None:
        return durable
    again = replace(held, order=command.order, command_id=command.command_id, by=command.by)
    return replace(durable, order=again)


def _order(durable: Durable) -> Order | None:
    return None if durable.order is None else durable.order.order


def _told(order: Order | None) -> object:
    """What of an order is told with every fact: another such order cuts the interval."""
    return None if order is None else order.data()
