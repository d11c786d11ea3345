"""Commands: obeyed in the same step as a sample, or refused with the reason.

- What is refused changes nothing and causes no event, also if it is obeyed all the same.
- A reason to refuse is a sentence for the person who asked.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from gateway.domain import fault_desk, notes, orders, scrap, usage
from gateway.domain.commands import (
    Command,
    FaultCommand,
    NoteCommand,
    OrderCommand,
    ScrapCommand,
    UsageCommand,
)
from gateway.domain.events import Event
from gateway.domain.facts import Commanded
from gateway.domain.rules import EquipmentRules
from gateway.domain.state import EquipmentState, Moment

Obeyed = tuple[EquipmentState, list[Event]]


def refusal(state: EquipmentState, asked: Commanded, rules: EquipmentRules) -> str | None:
    """Return why this equipment does not obey, None if it does."""
    refuse = _REFUSALS.get(type(asked.command))
    now = Moment(asked.at, asked.mono_s)
    return None if refuse is None else refuse(state, asked.command, now, rules)


def obey(state: EquipmentState, asked: Commanded, rules: EquipmentRules) -> Obeyed:
    """Return the state after the command and the events it caused, in order."""
    if refusal(state, asked, rules) is not None:
        return state, []
    now = Moment(asked.at, asked.mono_s)
    return _OBEY[type(asked.command)](state, asked.command, now, rules)


_Refuse = Callable[[EquipmentState, Any, Moment, EquipmentRules], str | None]
_REFUSALS: Mapping[type[Command], _Refuse] = MappingProxyType(
    {
        FaultCommand: fault_desk.refusal,
        OrderCommand: orders.refuse,
        ScrapCommand: scrap.refuse,
        UsageCommand: usage.refuse,
    }
)
"""Commands that depend on what is known; the others are always obeyed."""
_Obey = Callable[[EquipmentState, Any, Moment, EquipmentRules], Obeyed]
_OBEY: Mapping[type[Command], _Obey] = MappingProxyType(
    {
        OrderCommand: orders.obey,
        NoteCommand: notes.obey,
        FaultCommand: fault_desk.obey,
        ScrapCommand: scrap.obey,
        UsageCommand: usage.obey,
    }
)
