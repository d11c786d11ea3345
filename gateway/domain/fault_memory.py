"""What is remembered of faults beyond those in force; every part of it is bounded.

- No two occurrences share a number, also when the wall clock goes back.
- Of cleared faults that nobody acknowledged the newest `MAX_UNACKED` are kept.
- Of numbers that stand in no dictionary the `MAX_UNKNOWN` seen last are kept.

The bounds are small because all of this is written with each change of the equipment.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from gateway.domain.events import Fault
from gateway.domain.state import ClearedFault, FaultMemory, Moment, UnknownFault

MAX_UNACKED = 10
MAX_UNKNOWN = 200


def numbered(memory: FaultMemory, at: datetime) -> FaultMemory:
    """Return the memory with the number of the next occurrence, near its milliseconds."""
    number = max(round(at.timestamp() * 1000), memory.last_number + 1)
    return replace(memory, last_number=number)


def with_cleared(memory: FaultMemory, key: str, cleared: Fault, at: datetime) -> FaultMemory:
    """Return the memory with an occurrence that ended ``at`` and waits for a person."""
    entry = ClearedFault(
        fault_id=cleared.fault_id,
        key=key,
        code=cleared.fault.code,
        raised_at=cleared.raised_at,
        cleared_at=at,
        duration_ms=cleared.duration_ms or 0,
        raises=cleared.raises,
        first_up=cleared.first_up,
        flood=cleared.flood,
    )
    return replace(memory, unacked=(*memory.unacked, entry)[-MAX_UNACKED:])


def without_cleared(memory: FaultMemory, fault_id: str) -> FaultMemory:
    """Return the memory after somebody acknowledged a cleared occurrence."""
    rest = tuple(entry for entry in memory.unacked if entry.fault_id != fault_id)
    return replace(memory, unacked=rest)


def with_unknown(memory: FaultMemory, key: str, moment: Moment) -> FaultMemory:
    """Return the memory after a number was raised that no dictionary explains."""
    held = memory.unknown.get(key, UnknownFault(moment.at, moment.at, 0))
    rest = {name: entry for name, entry in memory.unknown.items() if name != key}
    seen = UnknownFault(held.first_seen, max(held.last_seen, moment.at), held.count + 1)
    return replace(memory, unknown=_newest({**rest, key: seen}))


def _newest(unknown: Mapping[str, UnknownFault]) -> Mapping[str, UnknownFault]:
    """The order of insertion is that of the last sight."""
    return dict(list(unknown.items())[-MAX_UNKNOWN:])
