"""What the rules make of what is known: faults in force, and the status."""

from dataclasses import replace

from gateway.domain import faults, status
from gateway.domain.events import Event
from gateway.domain.rules import EquipmentRules
from gateway.domain.state import Durable, Live, Moment


def judge(
    durable: Durable, live: Live, rules: EquipmentRules, now: Moment, events: list[Event]
) -> tuple[Durable, Live]:
    """Faults first, because a rule may ask for them, then the status."""
    if rules.faults or durable.faults:
        look = faults.watch(durable, live, rules, now)
        durable, live = look.durable, look.live
        events += look.events
    verdict = status.judge(live, durable, rules, now)
    if verdict is not live.verdict:
        live = live._replace(verdict=verdict)
    believed = status.believe(durable, verdict, rules, now)
    if believed is not None:
        durable = replace(durable, status=believed[0])
        events.append(believed[1])
    return durable, live
