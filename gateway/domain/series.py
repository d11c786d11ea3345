"""Where an equipment stands when its facts begin anew."""

from collections.abc import Mapping
from dataclasses import replace

from gateway.domain.rules import EquipmentRules
from gateway.domain.state import CounterState, EquipmentState

NO_READING = "-"
"""The identity of a counter without a reading to count from: the next one is a baseline."""


def distrusted(state: EquipmentState, rules: EquipmentRules) -> Mapping[str, CounterState]:
    """Return the counters after another journal may have gone on counting.

    What lies between the reading we hold and the next one may be booked already: a counter
    that was not read since the start, or whose new reading is not believed yet, waits for a
    baseline. Totals stay.
    """
    unread = {rule.name for rule in rules.counters if rule.tag not in state.live.values}
    return {
        name: replace(counter, identity=NO_READING, pending=None)
        if name in unread or counter.pending is not None
        else counter
        for name, counter in state.durable.counters.items()
    }
