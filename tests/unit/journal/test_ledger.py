"""The file against a simple model of it, over random histories with crashes."""

import shutil
import tempfile
from collections import defaultdict
from pathlib import Path
from random import Random

import orjson
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from gateway.journal import tables
from gateway.journal.ledger import EPOCH_ENDS_AT, Ledger
from gateway.journal.lineage import Rival
from gateway.journal.numbering import prepare
from gateway.journal.opening import open_ledger
from gateway.journal.reader import JournalReader
from gateway.journal.retention import Limits
from gateway.journal.row import CommandRecord, Entry, Row
from gateway.journal.space import Space
from tests.support.clock import FakeClock
from tests.support.journal import count, entry, reading

LIMITS = Limits(max_bytes=72_000, readings_max_bytes=4_000, ballast_bytes=0)
NAMES = st.sampled_from(["press-07", "oven-1"])


def open_at(path: Path, clock: FakeClock, limits: Limits = LIMITS) -> tuple[Ledger, Space]:
    return open_ledger(path, at=clock.now(), limits=limits, randbelow=Random(1).randrange)


class JournalModel(RuleBasedStateMachine):
    """Every row ever written is remembered; the file may have lost only what may be lost."""

    @initialize()
    def begin(self) -> None:
        self.scratch = Path(tempfile.mkdtemp())
        self.copies = 0
        self.clock = FakeClock()
        self.path = self.scratch / "0" / "j.db"
        self.path.parent.mkdir()
        self.ledger, self.space = open_at(self.path, self.clock)
        self.written: dict[int, Row] = {}
        self.states: dict[str, bytes] = {}
        self.excused: set[int] = set()
        self.epochs = [self.ledger.epoch]

    def teardown(self) -> None:
        self.ledger.abandon()
        shutil.rmtree(self.scratch)

    @rule(name=NAMES, counts=st.integers(0, 3), readings=st.integers(0, 8), local=st.booleans())
    def append(self, name: str, counts: int, readings: int, *, local: bool) -> None:
        state = b"%d" % len(self.written)
        events = [*map(count, range(counts)), *(reading(i) for i in range(readings))]
        append = prepare([Entry(name, events, state, local=local)])
        (seqs,) = self.ledger.commit([append], {}, self.clock.now())
        assert seqs == list(range(max(self.written, default=0) + 1, self.ledger.head + 1))
        self.states[name] = state

    @rule(part=st.floats(0, 1))
    def advance(self, part: float) -> None:
        self.ledger.commit([], {"publish": int(part * self.ledger.head)}, self.clock.now())

    @rule()
    def trim(self) -> None:
        """Whatever goes is at or below the cursor, local, or named: see `nothing_is_lost`."""
        while self.space.trim(self.clock.now()):
            self.look()
        self.excused |= {s for s in self.written if s <= self.ledger.delivered}

    @rule(part=st.floats(0, 1))
    def meet_a_rival(self, part: float) -> None:
        """What is ours alone is local from now on; all else is as it was."""
        shared = int(part * self.ledger.head)
        rival = Rival(self.ledger.epoch, shared)
        self.ledger.begin_epoch("rival", self.clock.now(), rival=rival)
        self.epochs.append(self.ledger.epoch)
        assert self.ledger.heads.keys() <= {("press-07", "gap"), ("oven-1", "gap")}
        self.written = {
            seq: row._replace(local=True, streamseq=0) if seq > shared else row
            for seq, row in self.written.items()
        }

    @rule()
    def restart(self) -> None:
        self.ledger.close(self.clock.now())
        self.ledger, self.space = open_at(self.path, self.clock)

    @rule()
    def crash(self) -> None:
        """What another machine would find if this one stopped here."""
        self.copies += 1
        crashed = self.scratch / str(self.copies)
        shutil.copytree(self.path.parent, crashed, ignore=shutil.ignore_patterns("*-shm"))
        self.ledger.abandon()
        self.path = crashed / "j.db"
        self.ledger, self.space = open_at(self.path, self.clock)

    @invariant()
    def nothing_is_lost(self) -> None:
        kept = self.look()
        gone = self.written.keys() - kept.keys()
        named = self.named()
        for seq in gone:
            row = self.written[seq]
            assert (
                row.local
                or seq in self.excused
                or seq <= self.ledger.delivered
                or (
                    (row.epoch, row.equipment, row.type, row.streamseq) in named
                    or row.epoch != self.ledger.epoch
                )
            )

    @invariant()
    def what_is_remembered_is_what_is_in_the_file(self) -> None:
        with JournalReader(self.path) as beside:
            assert beside.states() == self.states == self.ledger.states
            assert beside.head() == self.ledger.head
            assert beside.epoch() == self.ledger.epoch
            for name in ("press-07", "oven-1"):
                heads = {k: h for (n, k), h in self.ledger.heads.items() if n == name}
                assert beside.heads(name) == heads
        assert list(self.ledger.epochs) == self.epochs == sorted(self.epochs)

    @invariant()
    def streams_have_no_hole(self) -> None:
        streams = defaultdict(list)
        for row in self.written.values():
            if not row.local:
                streams[row.epoch, row.equipment, row.type].append(row.streamseq)
        for streamseqs in streams.values():
            assert streamseqs == list(range(1, len(streamseqs) + 1))

    @invariant()
    def readings_are_accounted_for(self) -> None:
        kept = [row for row in self.look().values() if row.type == "reading"]
        assert self.ledger.reading_bytes == sum(len(row.data) + 100 for row in kept)
        assert all(row.seq > self.ledger.reading_floor for row in kept)

    def look(self) -> dict[int, Row]:
        """Read the file, remember what is new in it, check that what was is unchanged."""
        with JournalReader(self.path) as beside:
            kept = {row.seq: row for row in beside.rows(0, 1_000_000)}
        assert list(kept) == sorted(kept)
        assert all(self.written.get(seq, row) == row for seq, row in kept.items())
        assert self.ledger.first_seq == min(kept, default=self.ledger.head + 1)
        self.written |= kept
        return kept

    def named(self) -> set[tuple[str, str, str, int]]:
        named = set()
        for row in self.written.values():
            if row.type == "gap":
                gap = orjson.loads(row.data)
                if gap["from_streamseq"] is not None:
                    streamseqs = range(gap["from_streamseq"], gap["to_streamseq"] + 1)
                    assert gap["count"] == len(streamseqs)
                    named |= {(row.epoch, row.equipment, gap["stream"], n) for n in streamseqs}
        return named


JournalModel.TestCase.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
TestTheFileHoldsWhatTheModelHolds = JournalModel.TestCase


def test_the_file_gives_row_for_row_what_the_loop_is_told(tmp_path: Path) -> None:
    clock, path = FakeClock(), tmp_path / "j.db"
    ledger, _ = open_ledger(path, at=clock.now(), limits=Limits(), randbelow=Random(1).randrange)
    entries = [
        Entry(f"m-{n}", [count(n), reading(n), reading(n, group="slow")], local=n % 7 == 0)
        for n in range(60)
    ]
    clock.advance(1)
    ledger.commit([prepare([entry]) for entry in entries], {}, clock.now())
    told = ledger.take_changes()
    ledger.close(clock.now())
    assert len(told.rows) == 180
    with JournalReader(path) as beside:
        assert beside.rows(0, 1000) == told.rows
        for name, kind in told.heads:
            assert beside.heads(name)[kind] == told.heads[name, kind]


def test_a_worn_stream_begins_an_epoch_at_the_next_start(tmp_path: Path) -> None:
    clock, path = FakeClock(), tmp_path / "j.db"
    ledger, _ = open_at(path, clock)
    ledger.commit([prepare([entry()])], {}, clock.now())
    ledger.connection.execute("UPDATE stream SET streamseq = ?", (EPOCH_ENDS_AT + 1,))
    first = ledger.epoch
    ledger.close(clock.now())

    ledger, _ = open_at(path, clock)
    assert ledger.epochs[0] == first < ledger.epoch
    ledger.commit([prepare([entry()])], {}, clock.now())
    ledger.close(clock.now())
    with JournalReader(path) as beside:
        assert [(r.seq, r.streamseq, r.epoch) for r in beside.rows(0, 10)] == [
            (1, 1, first),
            (2, 1, ledger.epoch),
        ]


def test_what_is_ours_alone_never_leaves_under_a_shared_name(tmp_path: Path) -> None:
    clock, path = FakeClock(), tmp_path / "j.db"
    ledger, _ = open_at(path, clock)
    local = Entry("press-07", [count()], local=True)
    ledger.commit([prepare([entry(counts=5), local])], {"publish": 1}, clock.now())
    ledger.begin_epoch("copy", clock.now(), rival=Rival(ledger.epoch, shared=2))
    assert ledger.cursors == {"publish": 1}
    changes = ledger.take_changes()
    ledger.close(clock.now())
    assert changes.new_epoch
    with JournalReader(path) as beside:
        rows = beside.rows(0, 10)
    assert [row.local for row in rows] == [False, False, True, True, True, True, False]
    gap = rows[-1]
    assert (gap.type, gap.streamseq, gap.epoch) == ("gap", 1, ledger.epoch)
    said = orjson.loads(gap.data)
    assert (said["stream"], said["count"], said["reason"]) == ("count", 3, "not_observed")
    assert said["from_streamseq"] is said["to_streamseq"] is None


def test_an_epoch_comes_after_that_of_the_rival(tmp_path: Path) -> None:
    clock = FakeClock()
    ledger, _ = open_at(tmp_path / "j.db", clock)
    ledger.begin_epoch("copy", clock.now(), rival=Rival("x00000-0000", shared=0))
    assert ledger.epoch > "x00000-0000"
    ledger.close(clock.now())


def test_only_the_newest_lives_are_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.journal.tables.LIVES_KEPT", 2)
    clock, path = FakeClock(), tmp_path / "j.db"
    for _ in range(4):
        ledger, _ = open_at(path, clock)
        ledger.commit([prepare([entry()])], {}, clock.now())
        ledger.close(clock.now())
    ledger, _ = open_at(path, clock)
    lives = Ledger(ledger.connection, Random(1).randrange).lineage.lives
    assert [(life.number, life.after) for life in lives] == [(4, 3), (5, 4)]
    ledger.close(clock.now())


def test_a_cursor_in_the_file_never_goes_back(tmp_path: Path) -> None:
    clock = FakeClock()
    ledger, _ = open_at(tmp_path / "j.db", clock)
    ledger.commit([prepare([entry(counts=5)])], {"publish": 4}, clock.now())
    ledger.commit([], {"publish": 3}, clock.now())
    assert ledger.cursors == {"publish": 4}
    ledger.close(clock.now())


def test_only_who_is_said_to_read_counts_for_what_is_delivered(tmp_path: Path) -> None:
    clock, path = FakeClock(), tmp_path / "j.db"
    ledger, _ = open_at(path, clock)
    ledger.commit([prepare([entry(counts=5)])], {"mqtt": 5, "push.old": 1}, clock.now())
    assert ledger.delivered == 1
    ledger.keep_cursors({"mqtt": "oldest", "push.mes": "newest"})
    assert (ledger.cursors, ledger.delivered) == ({"mqtt": 5, "push.mes": 5}, 5)
    ledger.commit([prepare([entry(counts=2)])], {"mqtt": 7}, clock.now())
    ledger.keep_cursors({"mqtt": "oldest", "push.mes": "newest", "push.all": "oldest"})
    assert ledger.delivered == 0
    ledger.close(clock.now())
    ledger, _ = open_at(path, clock)
    assert ledger.cursors == {"mqtt": 7, "push.mes": 5, "push.all": 0}
    ledger.close(clock.now())


def test_who_was_never_reached_has_had_nothing(tmp_path: Path) -> None:
    """Beside one that is up to date: what it has taken is not delivered to the other."""
    clock = FakeClock()
    ledger, _ = open_at(tmp_path / "j.db", clock)
    ledger.keep_cursors({"mqtt": "oldest", "push.mes": "newest"})
    ledger.commit([prepare([entry(counts=5)])], {"push.mes": 5}, clock.now())
    assert ledger.delivered == 0
    ledger.close(clock.now())


def test_only_the_newest_commands_are_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "COMMANDS_KEPT", 3)
    clock = FakeClock()
    ledger, _ = open_at(tmp_path / "j.db", clock)
    for n in range(5):
        ledger.commit([prepare([], CommandRecord(f"c-{n}"))], {}, clock.now())
    ledger.close(clock.now())
    ledger, _ = open_at(tmp_path / "j.db", clock)
    ledger.close(clock.now())
    with JournalReader(tmp_path / "j.db") as beside:
        known = [beside.reply_to(f"c-{n}") for n in range(5)]
    assert known == [None, None, {"seq": None}, {"seq": None}, {"seq": None}]
