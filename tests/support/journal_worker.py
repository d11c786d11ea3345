"""A process of its own that appends to a journal: ``python -m tests.support.journal_worker``.

After each commit it writes one line to the pipe it was given: equipment, total, seq. What stands
there was acknowledged and must be on the disk whatever happens next.
"""

import asyncio
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import orjson

from gateway.domain.events import Count
from gateway.journal.errors import JournalError
from gateway.journal.journal import Journal
from gateway.journal.reader import JournalReader
from gateway.journal.retention import Limits
from gateway.journal.row import Entry
from tests.support.journal import reading, utc_now

MACHINES = ("press-07", "oven-1", "saw-2")
LIMITS = Limits(max_bytes=10**9, readings_max_bytes=300_000, ballast_bytes=0)
HOLDING = replace(LIMITS, hold_readings=True)
STDOUT = 1
FAILED = 3
"""How it ends where the journal says that it failed; a defect ends otherwise."""


@dataclass(frozen=True, slots=True)
class Word:
    """One acknowledgement."""

    equipment: str
    total: int
    seq: int


def words(told: bytes) -> Iterator[Word]:
    """Return what the worker acknowledged; half a line is no word."""
    for line in told.split(b"\n")[:-1]:
        equipment, total, seq = line.split()
        yield Word(equipment.decode(), int(total), int(seq))


async def produce(
    path: Path, pipe: int, *, rounds: int | None = None, limits: Limits = LIMITS
) -> None:
    """Append from several callers at once, for ever or so many rounds, and then end in order."""
    journal = await asyncio.to_thread(Journal.open, path, now=utc_now, limits=limits)

    async def machine(name: str) -> None:
        total, done = orjson.loads(journal.states().get(name, b"0")), 0
        while rounds is None or done < rounds:
            done += 1
            events = [
                Count(at=utc_now(), counter="good", kind="good", delta=1, total=total + n, raw=0)
                for n in range(1, total % 5 + 2)
            ]
            total += len(events)
            state = b"%d" % total
            seqs = await journal.append([Entry(name, [*events, reading(total)], state)])
            os.write(pipe, b"%s %d %d\n" % (name.encode(), total, seqs[-1]))
            await journal.advance("publish", max(0, journal.head() - 20))

    try:
        await asyncio.gather(*(machine(name) for name in MACHINES))
    finally:
        await journal.close()


def check(path: Path, acknowledged: list[Word], *, all_readings: bool = True) -> None:
    """Hold a journal against what was acknowledged: nothing lost, events and states agree.

    Without ``all_readings`` they may be in memory only, and go with the process.
    """
    with JournalReader(path) as journal:
        rows = journal.rows(0, 1_000_000)
        states = {name: orjson.loads(state) for name, state in journal.states().items()}
        head = journal.head()
    assert len({(row.epoch, row.seq) for row in rows}) == len(rows)
    for name in MACHINES:
        of_machine = [row for row in rows if row.equipment == name]
        counts = [row for row in of_machine if row.type == "count"]
        totals = [orjson.loads(row.data)["total"] for row in counts]
        assert totals == list(range(1, states.get(name, 0) + 1)), "events and state disagree"
        assert [row.streamseq for row in counts] == totals
        kept = [row.streamseq for row in of_machine if row.type == "reading"]
        if kept and all_readings:
            assert kept == list(range(kept[0], kept[-1] + 1)), "readings left a stream's middle"
    for word in acknowledged:
        assert states.get(word.equipment, 0) >= word.total, "an acknowledged state is lost"
        assert head >= word.seq or not all_readings, "an acknowledged row is lost"


def main() -> int:
    """``journal_worker JOURNAL [ROUNDS]``: without rounds for ever."""
    path, *rest = sys.argv[1:]
    try:
        asyncio.run(produce(Path(path), STDOUT, rounds=int(rest[0]) if rest else None))
    except JournalError as err:
        sys.stderr.write(f"{err}\n")
        return FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main())
