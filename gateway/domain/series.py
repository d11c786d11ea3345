"""Where an equipment stands when its facts begin anew."""

from collections.abc import Mapping
from dataclasses import replace

from gateway.domain import status
from gateway.domain.events import Status
from gateway.domain.facts import SeriesBegan
from gateway.domain.rules import EquipmentRules
from gateway.domain.state import CounterState, EquipmentState, Moment, OpenStatus, Verdict
from gateway.domain.vocabulary import Order, State

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


def opened(
    held: OpenStatus, began: SeriesBegan, order: Order | None
) -> tuple[OpenStatus, list[Status]]:
    """Begin the states of a series where those of the rival ended.

    What it did not tell up to when it last spoke, nobody tells any more; from then until the
    state in force began the equipment was offline. So intervals abut over series.
    """
    seen = began.rival_seen
    if seen is None:
        return held, [status.restate(held, began.at, order)]
    dark = Verdict(State.OFFLINE, Moment(seen, None), status.NO_ANSWER)
    if held.state is not State.OFFLINE and held.since.at > seen:
        before, first = status.begin(None, dark, "start", order)
        verdict = Verdict(held.state, held.since, held.reason, held.mode)
        now, then = status.begin(before, verdict, "start", order)
        return replace(held, since=now.since), [first, then]
    if held.since.at < seen:
        held = replace(held, since=dark.since)
    return held, [status.restate(held, began.at, order)]
