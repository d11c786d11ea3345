"""The order in force: a command puts it there, and the state goes on in an interval of its own."""

from dataclasses import replace

from gateway.domain import status
from gateway.domain.commands import OrderCommand
from gateway.domain.events import Event, State
from gateway.domain.rules import EquipmentRules
from gateway.domain.state import EquipmentState, Moment, OrderInForce, Verdict


def obey(
    state: EquipmentState, command: OrderCommand, now: Moment, _rules: EquipmentRules
) -> tuple[EquipmentState, list[Event]]:
    """Return the state with the order in force, and the status that is cut by it."""
    in_force = (
        None
        if command.order is None
        else OrderInForce(command.order, command.command_id, now.at, command.by)
    )
    held = state.durable.status
    same = (
        Verdict(State.OFFLINE, now, status.NO_ANSWER)
        if held is None
        else Verdict(held.state, now, held.reason, held.mode)
    )
    opened, event = status.begin(held, same, "order", command.order)
    durable = replace(state.durable, order=in_force, status=opened)
    return EquipmentState(durable, state.live), [event]
