"""The state of an equipment of which only the totals survived."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from gateway.domain.counts import MAX_TOTAL
from gateway.domain.rules import EquipmentRules
from gateway.domain.series import NO_READING
from gateway.domain.state import CounterState, EquipmentState, Moment


def seeded(rules: EquipmentRules, totals: Mapping[str, int], at: datetime) -> EquipmentState:
    """Return a state whose counters go on from ``totals`` (counter -> whole steps of its unit).

    Raises ValueError for a counter the rules do not have, or a total out of range.
    """
    known = {rule.name: rule for rule in rules.counters}
    counters = {}
    for name, total in totals.items():
        if name not in known:
            raise ValueError(f"{rules.equipment} has no counter {name}")
        if not 0 <= total < MAX_TOTAL:
            raise ValueError(f"{rules.equipment} {name}: {total} is not from 0 to 2^53")
        rule = known[name]
        counters[name] = CounterState(NO_READING, 0, Moment(at, None), total, rule.kind, rule.unit)
    new = EquipmentState.new(rules.equipment)
    return new._replace(durable=replace(new.durable, counters=counters))
