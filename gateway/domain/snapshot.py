"""The present state of an equipment, derived from its durable state.

One ``data`` object per retained ``state/*`` topic.
"""

from gateway.domain import faults, usage
from gateway.domain.events import Health, Status
from gateway.domain.state import ClearedFault, Durable, EquipmentState, LinkHealth
from gateway.domain.vocabulary import Json, stamp

KINDS: tuple[str, ...] = ("status", "counters", "faults", "health", "order", "usage")


def snapshots(state: EquipmentState) -> dict[str, Json]:
    """Return kind -> data object; "status" is absent before the first one is known.

    "usage" is absent where none is configured.
    """
    durable = state.durable
    result: dict[str, Json] = {
        "counters": _counters(durable),
        "faults": _faults(durable),
        "health": {"links": [_health(name, link) for name, link in sorted(durable.links.items())]},
        "order": _order(durable),
    }
    status = _status(durable)
    if status is not None:
        result["status"] = status
    used = usage.snapshot(durable.usage)
    if used is not None:
        result["usage"] = used
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
            "origin": counter.origin,
            "withheld": counter.withheld,
            "out_of_order": counter.out_of_order,
            "dark_since": None if counter.dark_since is None else stamp(counter.dark_since.at),
        }
        for name, counter in sorted(durable.counters.items())
    ]
    return {"counters": rows}


def _faults(durable: Durable) -> Json:
    """What is active, what waits for a person, what is hidden, what no dictionary explains."""
    memory = durable.fault_memory
    return {
        "active": [
            event.data() | _said(durable, key)
            for key, event in zip(durable.faults, faults.told_all(durable), strict=True)
        ],
        "unacked": [_cleared(entry) for entry in memory.unacked],
        "shelved": [
            _named(key) | {"until": stamp(shelf.until.at), "by": shelf.by, "comment": shelf.reason}
            for key, shelf in memory.shelves.items()
        ],
        "unknown": [
            _named(key)
            | {
                "first_seen": stamp(entry.first_seen),
                "last_seen": stamp(entry.last_seen),
                "count": entry.count,
            }
            for key, entry in memory.unknown.items()
        ],
    }


def _said(durable: Durable, key: str) -> Json:
    comments = durable.faults[key].comments
    return {
        "comments": [
            {"at": stamp(comment.at), "by": comment.by, "comment": comment.text}
            for comment in comments
        ]
    }


def _cleared(entry: ClearedFault) -> Json:
    return {
        "fault_id": entry.fault_id,
        "code": entry.code,
        "raised_at": stamp(entry.raised_at),
        "cleared_at": stamp(entry.cleared_at),
        "duration_ms": entry.duration_ms,
        "raises": entry.raises,
    }


def _named(key: str) -> Json:
    tag, _, number = key.rpartition("/")
    return {"tag": tag, "number": int(number)}


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
        "effective_at": None if held.effective_at is None else stamp(held.effective_at),
    }
