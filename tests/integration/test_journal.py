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
import pytest

from gateway.journal.reader import JournalReader
from gateway.journal.retention import Limits
from tests.support.journal import entry, open_journal
from tests.support.journal_worker import HOLDING, LIMITS, MACHINES, Word, check, produce, words

KILLS = 40
MANY_KILLS = 1000


@contextmanager
def producer(path: Path, limits: Limits = LIMITS) -> Iterator[tuple[int, int]]:
    """A forked child that produces; yields its pid and the pipe it acknowledges to."""
    acknowledgements, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        with suppress(BaseException):  # whatever happens, the child never returns into the tests
            os.close(acknowledgements)
            asyncio.run(produce(path, write_end, limits=limits))
        os._exit(1)
    os.close(write_end)
    try:
        yield pid, acknowledgements
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(acknowledgements)


def kill_after(path: Path, delay_s: float, limits: Limits = LIMITS) -> bytes:
    """Let a child produce, kill it this long after its first word, return all its words."""
    with producer(path, limits) as (pid, pipe):
        assert select.select([pipe], [], [], 10)[0], "the child never appended anything"
        time.sleep(delay_s)  # the moment is the point: nothing to wait for
        os.kill(pid, signal.SIGKILL)
        told = b""
        while chunk := os.read(pipe, 1 << 16):
            told += chunk
    return told


def killed_again_and_again(path: Path, kills: int) -> None:
    """Kill and look, each time at what is new; at the end at everything."""
    random = Random(7)
    counted: dict[str, list[float]] = {name: [] for name in MACHINES}
    seen = 0
    told: list[Word] = []
    for _ in range(kills):
        told = list(words(kill_after(path, random.uniform(0, 0.06))))
        assert told, "a kill before the first acknowledgement proves nothing"
        with JournalReader(path) as journal:
            rows = journal.rows(seen, 1_000_000)
            states = {name: orjson.loads(state) for name, state in journal.states().items()}
            head = journal.head()
        for row in rows:
            if row.type == "count":
                counted[row.equipment].append(orjson.loads(row.data)["total"])
        for name, totals in counted.items():
            assert totals == list(range(1, states.get(name, 0) + 1)), "events and state disagree"
        for word in told:
            assert states[word.equipment] >= word.total, "an acknowledged state is lost"
            assert head >= word.seq, "an acknowledged row is lost"
        seen = head
    check(path, told)


@pytest.mark.fault(
    1,
    injection="kill -9 of a process that appends, 40 times, 0 to 60 ms after its first commit",
    expectation="nothing acknowledged lost, nothing twice, events and states agree",
)
def test_kill_9_at_any_moment_leaves_both_or_neither_and_loses_nothing_acknowledged(
    tmp_path: Path,
) -> None:
    killed_again_and_again(tmp_path / "journal.db", KILLS)


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.fault(
    1,
    injection="kill -9 of a process that appends, 1,000 times, 0 to 60 ms after its first commit",
    expectation="nothing acknowledged lost, nothing twice, events and states agree",
)
def test_a_thousand_kills_lose_nothing_acknowledged(tmp_path: Path) -> None:
    killed_again_and_again(tmp_path / "journal.db", MANY_KILLS)


@pytest.mark.fault(
    1,
    injection="kill -9, 40 times, of a process whose readings are in memory only",
    expectation="no count is lost, no seq and no streamseq is given twice, a gap names what is"
    " missing of the readings",
)
def test_kill_9_with_readings_in_memory_costs_readings_only(tmp_path: Path) -> None:
    random, path = Random(9), tmp_path / "journal.db"
    newest, known = 0, set[int]()
    for _ in range(KILLS):
        told = list(words(kill_after(path, random.uniform(0, 0.06), HOLDING)))
        with JournalReader(path) as journal:
            found = {row.seq for row in journal.rows(0, 1_000_000)}
        assert {seq for seq in found if seq <= newest} == known, "a seq was given twice"
        newest = max(word.seq for word in told)
        known = {seq for seq in found if seq <= newest}
        check(path, told, all_readings=False)
    with JournalReader(path) as journal:
        rows = journal.rows(0, 1_000_000)
    gaps = [orjson.loads(row.data) for row in rows if row.type == "gap"]
    assert {(gap["stream"], gap["reason"]) for gap in gaps} == {("reading", "not_observed")}
    assert len(gaps) >= KILLS - 1


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
