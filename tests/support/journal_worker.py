"""A process of its own that appends to a journal: ``python -m tests.support.journal_worker``.

After each commit it writes one line to the pipe it was given: equipment, total, seq. What stands
there was acknowledged and must be on the disk whatever happens next.
"""

import asyncio
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path

import orjson

from gateway.domain.events import Count, Event
from gateway.domain.vocabulary import Json
from gateway.journal.errors import JournalError
from gateway.journal.journal import Journal
from gateway.journal.reader import JournalReader
from gateway.journal.retention import Limits
from gateway.journal.row import Entry, Row
from tests.support.journal import reading, utc_now

MACHINES = ("press-07", "oven-1", "saw-2")
LIMITS = Limits(max_bytes=10**9, readings_max_bytes=300_000, ballast_bytes=0)
HOLDING = replace(LIMITS, hold_readings=True)
SHORT = Limits(max_bytes=160_000, readings_max_bytes=60_000, ballast_bytes=0)
"""Nobody takes anything: readings go, then counts become fewer."""
READING_EVERY = 5
KINDS = {"plain": LIMITS, "holding": HOLDING, "short": SHORT}
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
            at = utc_now()
            events: list[Event] = [
                Count(
                    at=at, counter="good", kind="good", delta=1, total=total + n, raw=0,
                    window_from=at,
                )
                for n in range(1, total % 5 + 2)
            ]  # fmt: skip
            total += len(events)
            if limits is not SHORT or done % READING_EVERY == 0:  # while readings go, counts stay
                events.append(reading(total))
            seqs = await journal.append([Entry(name, events, b"%d" % total)])
            os.write(pipe, b"%s %d %d\n" % (name.encode(), total, seqs[-1]))
            taken = 0 if limits is SHORT else max(0, journal.head() - 20)
            await journal.advance("publish", taken)

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
    _check_acknowledged(acknowledged, states, head if all_readings else None)


def check_short(path: Path, acknowledged: list[Word]) -> tuple[int, int]:
    """Hold a journal that was too small against what was acknowledged: not a part is missing.

    Each number is there or named. Return how many counts became one and how many readings went.
    """
    with JournalReader(path) as journal:
        rows = journal.rows(0, 1_000_000)
        states = {name: orjson.loads(state) for name, state in journal.states().items()}
        head = journal.head()
    merged = gone = 0
    for name in MACHINES:
        of_machine = [row for row in rows if row.equipment == name]
        counts = [orjson.loads(row.data) for row in of_machine if row.type == "count"]
        totals = [count["total"] for count in counts]
        assert totals == list(accumulate(count["delta"] for count in counts)), "a part is lost"
        assert states.get(name, 0) == max(totals, default=0), "events and state disagree"
        gaps = [orjson.loads(row.data) for row in of_machine if row.type == "gap"]
        merged += _named(of_machine, gaps, "count", "merged")
        gone += _named(of_machine, gaps, "reading", "retention")
    _check_acknowledged(acknowledged, states, head)
    return merged, gone


def _named(rows: Sequence[Row], gaps: Sequence[Json], stream: str, reason: str) -> int:
    """Return how many of a stream's numbers are named as gone; the others must be there."""
    there = {row.streamseq for row in rows if row.type == stream}
    of_stream = [gap for gap in gaps if gap["stream"] == stream]
    assert {gap["reason"] for gap in of_stream} <= {reason}
    named = {
        number
        for gap in of_stream
        for number in range(gap["from_streamseq"], gap["to_streamseq"] + 1)
    }
    newest = max(there | named, default=0)
    assert there | named == set(range(1, newest + 1)), f"a {stream} is missing and not named"
    return len(named - there)


def _check_acknowledged(
    acknowledged: Iterable[Word], states: Mapping[str, int], head: int | None
) -> None:
    for word in acknowledged:
        assert states.get(word.equipment, 0) >= word.total, "an acknowledged state is lost"
        assert head is None or head >= word.seq, "an acknowledged row is lost"


def main() -> int:
    """``journal_worker JOURNAL [ROUNDS [KIND]]``: without rounds for ever."""
    path, *rest = sys.argv[1:]
    rounds = int(rest[0]) if rest else None
    limits = KINDS[rest[1] if len(rest) > 1 else "plain"]
    try:
        asyncio.run(produce(Path(path), STDOUT, rounds=rounds, limits=limits))
    except JournalError as err:
        sys.stderr.write(f"{err}\n")
        return FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main())
