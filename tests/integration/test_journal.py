"""kill -9 at any moment, on a real file."""

import asyncio
import os
import select
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random

import orjson

from gateway.domain.events import Count
from gateway.journal.journal import Journal
from gateway.journal.reader import JournalReader
from gateway.journal.retention import Limits
from gateway.journal.row import Entry
from tests.support.journal import entry, open_journal, reading, utc_now

KILLS = 40
MACHINES = ("press-07", "oven-1", "saw-2")
LIMITS = Limits(max_bytes=10**9, readings_max_bytes=300_000, ballast_bytes=0)


async def produce(path: Path, acknowledged: int) -> None:
    """Append for ever from several callers at once; tell the pipe what was acknowledged."""
    journal = Journal.open(path, now=utc_now, limits=LIMITS)

    async def machine(name: str) -> None:
        total = orjson.loads(journal.states().get(name, b"0"))
        while True:
            parts = total % 5
            events = [
                Count(at=utc_now(), counter="good", kind="good", delta=1, total=total + n, raw=0)
                for n in range(1, parts + 2)
            ]
            total += len(events)
            state = b"%d" % total
            seqs = await journal.append([Entry(name, [*events, reading(total)], state)])
            os.write(acknowledged, b"%s %d %d\n" % (name.encode(), total, seqs[-1]))
            await journal.advance("publish", max(0, journal.head() - 20))

    await asyncio.gather(*(machine(name) for name in MACHINES))


@contextmanager
def producer(path: Path) -> Iterator[tuple[int, int]]:
    """A forked child that produces; yields its pid and the pipe it acknowledges to."""
    acknowledgements, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        with suppress(BaseException):  # whatever happens, the child never returns into the tests
            os.close(acknowledgements)
            asyncio.run(produce(path, write_end))
        os._exit(1)
    os.close(write_end)
    try:
        yield pid, acknowledgements
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(acknowledgements)


def kill_after(path: Path, delay_s: float) -> list[bytes]:
    """Let a child produce, kill it this long after its first word, return all its words."""
    with producer(path) as (pid, pipe):
        assert select.select([pipe], [], [], 10)[0], "the child never appended anything"
        time.sleep(delay_s)  # the moment is the point: nothing to wait for
        os.kill(pid, signal.SIGKILL)
        words = b""
        while chunk := os.read(pipe, 1 << 16):
            words += chunk
    return words.splitlines()


def test_kill_9_at_any_moment_leaves_both_or_neither_and_loses_nothing_acknowledged(
    tmp_path: Path,
) -> None:
    random = Random(7)
    path = tmp_path / "journal.db"
    counted: dict[str, list[float]] = {name: [] for name in MACHINES}
    seen = 0
    for _ in range(KILLS):
        words = [word.split() for word in kill_after(path, random.uniform(0, 0.06))]
        assert words, "a kill before the first acknowledgement proves nothing"
        with JournalReader(path) as journal:
            rows = journal.rows(seen, 1_000_000)
            states = {name: orjson.loads(state) for name, state in journal.states().items()}
            head = journal.head()
        for row in rows:
            if row.type == "count":
                counted[row.equipment].append(orjson.loads(row.data)["total"])
        for name, totals in counted.items():
            assert totals == list(range(1, states.get(name, 0) + 1)), "events and state disagree"
        for machine, total, seq in words:
            assert states[machine.decode()] >= int(total), "an acknowledged state is lost"
            assert head >= int(seq), "an acknowledged row is lost"
        seen = head
    check_streams(path)


def test_kill_9_while_it_is_created_leaves_a_journal_that_opens(tmp_path: Path) -> None:
    random = Random(7)
    for n in range(KILLS // 2):
        path = tmp_path / f"{n}.db"
        with producer(path) as (pid, _):
            time.sleep(random.uniform(0, 0.03))
            os.kill(pid, signal.SIGKILL)
        asyncio.run(append_one(path))
        assert not list(tmp_path.glob("*.damaged-*"))


async def append_one(path: Path) -> None:
    async with open_journal(path) as journal:
        head = journal.head()
        assert await journal.append([entry()]) == [head + 1]


def check_streams(path: Path) -> None:
    with JournalReader(path) as journal:
        rows = journal.rows(0, 1_000_000)
    assert len({row.epoch for row in rows}) == 1
    for name in MACHINES:
        of_machine = [row for row in rows if row.equipment == name]
        counts = [row.streamseq for row in of_machine if row.type == "count"]
        assert counts == list(range(1, len(counts) + 1))
        kept = [row.streamseq for row in of_machine if row.type == "reading"]
        assert kept == list(range(kept[0], kept[-1] + 1)), "readings left the middle of a stream"
