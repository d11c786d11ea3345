"""The present state of an equipment, derived from its durable state.

One ``data`` object per retained ``state/*`` topic.
"""

from gateway.domain.events import Fault, Health, Json, Status, stamp
from gateway.domain.state import ActiveFault, Durable, EquipmentState, LinkHealth

KINDS: tuple[str, ...] = ("status", "counters", "faults", "health", "order")


def snapshots(state: EquipmentState) -> dict[str, Json]:
    """Return kind -> data object; "status" is absent before the first one is known."""
    durable = state.durable
    result: dict[str, Json] = {
        "counters": _counters(durable),
        "faults": {"active": [_fault(durable, fault) for fault in durable.faults.values()]},
        "health": {"links": [_health(name, link) for name, link in sorted(durable.links.items())]},
        "order": _order(durable),
    }
    status = _status(durable)
    if status is not None:
        result["status"] = status
    return result


def _status(durable: Durable) -> Json | None:
    held = durable.status
    if held is None:
        return None
    order = None if durable.order is None else durable.order.order
    event = Status(
        at=held.since.at,
        since=held.since.at,
        state=held.state,
        cause="sample",
        reason=held.reason,
        mode=held.mode,
        order=order,
        shift=held.shift,
        repeat=True,
        quality="bad" if held.state == "offline" else "good",
    )
    return event.data()


def _counters(durable: Durable) -> Json:
    rows = [
        {
            "counter": name,
            "kind": counter.kind,
            "total": counter.total,
            "raw": counter.raw,
            "unit": counter.unit,
            "at": stamp(counter.booked.at),
        }
        for name, counter in sorted(durable.counters.items())
    ]
    return {"counters": rows}


def _fault(durable: Durable, fault: ActiveFault) -> Json:
    event = Fault(
        at=fault.raised.at,
        fault_id=fault.fault_id,
        transition="raised",
        fault=fault.fault,
        raised_at=fault.raised.at,
        acked=fault.acked,
        quality="uncertain" if fault.frozen else "good",
        order=None if durable.order is None else durable.order.order,
    )
    return event.data()


def _health(name: str, link: LinkHealth) -> Json:
    event = Health(
        at=link.since,
        link=name,
        state=link.state,
        last_ok=link.last_ok,
        rtt_ms=link.rtt_ms,
        failures=link.failures,
        error=link.error,
    )
    return event.data() | {"since": stamp(link.since)}


def _order(durable: Durable) -> Json:
    held = durable.order
    if held is None:
        return {"order": None, "command_id": None, "since": None, "by": None}
    return {
        "order": held.order.data(),
        "planned_qty": held.order.planned_qty,
        "ideal_cycle_ms": held.order.ideal_cycle_ms,
        "command_id": held.command_id,
        "since": stamp(held.since),
        "by": held.by,
    }
