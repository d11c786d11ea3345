"""The faults of a span with those that go on for so long that nothing was told of them lately."""

from collections.abc import Iterable, Sequence

from gateway.domain.shifts import Span
from gateway.domain.vocabulary import Json
from gateway.journal.history import Look
from gateway.web.facts import FAULTS_BEFORE, PastFault, past_faults
from gateway.web.fault_list import FaultItem


def faults_of(
    look: Look, names: Sequence[str], span: Span, present: Iterable[FaultItem]
) -> list[PastFault]:
    """Return the faults that may have been active in the span, of each machine oldest first.

    ``present`` is what the board shows: of a fault that was raised long ago and is still active
    the journal need not hold anything any more.
    """
    before = Span(span.begins - FAULTS_BEFORE, span.ends)
    found = [fault for name in names for fault in past_faults(look, name, before)]
    known = {(one.equipment, one.data["fault_id"]) for one in found}
    lasting = [
        PastFault(one.equipment, _data(one), ())
        for one in present
        if one.active and one.equipment in names and (one.equipment, one.fault_id) not in known
    ]
    return [*(one for one in lasting if one.raised_at < span.ends), *found]


def _data(fault: FaultItem) -> Json:
    """Return what the figures need of an event's data."""
    return {
        "fault_id": fault.fault_id,
        "code": fault.code,
        "text": fault.text,
        "stops_machine": fault.stops_machine,
        "raises": fault.count,
        "raised_at": fault.raised_at,
        "cleared_at": None,
        "acked_at": None if fault.acked is None else fault.acked.at,
    }
