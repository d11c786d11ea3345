import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest

from gateway.domain import durable
from gateway.domain.events import Reading, Status
from gateway.domain.state import Durable, EquipmentState
from gateway.domain.vocabulary import State
from gateway.journal import salvage as salvaging
from gateway.journal.errors import FileFull
from gateway.journal.ledger import Ledger
from gateway.journal.numbering import Append, prepare
from gateway.journal.opening import open_ledger
from gateway.journal.reader import JournalReader
from gateway.journal.retention import Limits
from gateway.journal.row import CommandRecord, Entry, Row
from gateway.journal.wreck import WreckRow
from tests.support.clock import MORNING
from tests.support.journal import count

PAGE = 4096
LIMITS = Limits(ballast_bytes=0)
MACHINES = ("press-03", "oven-01", "mill-09")
DELIVERED, ROUNDS = 150, 60
STATES = {name: durable.dump(EquipmentState(Durable(name))) for name in MACHINES}


def opened(path: Path, *, seed: int = 1, limits: Limits = LIMITS) -> Ledger:
    return open_ledger(path, at=MORNING, limits=limits, randbelow=Random(seed).randrange)[0]


def facts(number: int) -> Append:
    """What one round of all machines brings: ten rows, one of them longer than a page."""
    random, entries = Random(number), []
    for machine in MACHINES:
        values = {f"tag-{i}": random.random() for i in range(random.randrange(1, 60))}
        full = Reading(at=MORNING, group="plc", values=values, full=True)
        status = Status(at=MORNING, state=State.RUNNING, since=MORNING, cause="sample")
        entries.append(Entry(machine, [count(number), status, full], STATES[machine]))
    text = "".join(random.choices("abcdef", k=random.randrange(5000, 20_000)))
    long = Reading(at=MORNING, group="recipe", values={"text": text})
    return prepare([*entries, Entry("mill-09", [long])], CommandRecord(f"c-{number}"))


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One that was killed; ten events a round, the first fifteen rounds delivered."""
    path = tmp_path_factory.mktemp("sound") / "j.db"
    ledger = opened(path)
    for number in range(1, ROUNDS + 1):
        cursors = {"mqtt": DELIVERED} if number == ROUNDS else {}
        ledger.commit([facts(number)], cursors, MORNING)
    ledger.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    ledger.abandon()
    return path


@pytest.fixture
def path(journal: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(journal, tmp_path / "j.db"))


def rows_of(path: Path) -> dict[int, Row]:
    with JournalReader(path) as beside:
        return {row.seq: row for row in beside.rows(0, 100_000)}


def spoil(path: Path, pages: list[int], content: bytes | None = None) -> None:
    with path.open("r+b") as file:
        for page in pages:
            file.seek(page * PAGE)
            file.write(content or Random(page).randbytes(PAGE))


def pages_of(path: Path, name: str) -> list[int]:
    """The pages of a table or an index, counted from 0."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as beside:
        try:
            found = beside.execute("SELECT pageno FROM dbstat WHERE name = ?", (name,)).fetchall()
        except sqlite3.OperationalError:
            pytest.skip("this SQLite cannot tell whose a page is")
    return [page - 1 for (page,) in found]


def test_what_was_not_delivered_comes_over_under_its_ids(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    before = rows_of(path)
    epoch = before[1].epoch
    spoil(path, pages_of(path, "event_time"))  # an index: every row can be read
    ledger = opened(path, seed=2)
    assert ledger.epochs == (epoch, ledger.epoch)
    assert ledger.was_adopted
    assert ledger.states == STATES
    assert ledger.cursors == {"mqtt": DELIVERED}
    assert len(ledger.lineage.lives) == 2
    ledger.close(MORNING)
    after = rows_of(path)
    gaps = [orjson.loads(row.data) for row in after.values() if row.type == "gap"]
    kept = {seq: row for seq, row in after.items() if row.type != "gap"}
    assert kept == {
        seq: row for seq, row in before.items() if seq > DELIVERED and len(row.data) < PAGE
    }
    # Those longer than a page are left and told: their rest may be of another.
    assert [(gap["stream"], gap["reason"], gap["count"]) for gap in gaps] == [
        ("reading", "corruption", ROUNDS - DELIVERED // 10)
    ]
    assert min(seq for seq, row in after.items() if row.type == "gap") > max(before)
    assert "damaged" in caplog.text


def test_after_a_lost_page_the_rest_comes_over_and_what_is_gone_is_told(path: Path) -> None:
    before = rows_of(path)
    leaves = pages_of(path, "event")
    spoil(path, leaves[len(leaves) // 2 : len(leaves) // 2 + 4])
    ledger = opened(path, seed=2)
    assert ledger.states == STATES
    ledger.close(MORNING)
    after = rows_of(path)
    old = {seq: row for seq, row in after.items() if row.epoch == before[1].epoch}
    assert old.items() <= before.items()
    told: dict[str, int] = {}
    for row in after.values():
        if row.type == "gap":
            gap = orjson.loads(row.data)
            told[gap["stream"]] = told.get(gap["stream"], 0) + gap["count"]
    due = [row for row in before.values() if row.seq > DELIVERED]
    for kind in ("count", "status", "reading"):
        came = sum(row.type == kind for row in old.values())
        assert came + told.get(kind, 0) == sum(row.type == kind for row in due)
    assert sum(row.type == "count" for row in old.values()) > 100


def test_states_that_cannot_be_read_begin_anew(path: Path) -> None:
    spoil(path, pages_of(path, "state"))
    ledger = opened(path, seed=2)
    assert ledger.states == {}
    assert len(ledger.epochs) == 2
    ledger.close(MORNING)
    assert len(rows_of(path)) > 100


def test_where_the_first_page_is_gone_it_begins_as_a_new_one(path: Path) -> None:
    spoil(path, [0])
    ledger = opened(path, seed=2)
    assert (ledger.head, ledger.states, len(ledger.epochs)) == (0, {}, 1)
    ledger.close(MORNING)


def test_a_file_that_was_closed_in_order_and_spoiled_since(path: Path) -> None:
    """Nothing checks it at the start: the damage is met by whoever reads there first."""
    opened(path).close(MORNING)
    spoil(path, pages_of(path, "state"))
    ledger = opened(path, seed=2)
    assert len(ledger.epochs) == 2
    ledger.close(MORNING)


def test_a_command_obeyed_before_is_not_obeyed_again(path: Path) -> None:
    spoil(path, pages_of(path, "event_time"))
    opened(path, seed=2).close(MORNING)
    with JournalReader(path) as beside:
        assert beside.reply_to(f"c-{ROUNDS}") is not None


def test_where_there_is_no_room_the_rows_stay_behind(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted = salvaging.Found.note

    def note(found: salvaging.Found, row: WreckRow) -> None:
        noted(found, row)
        raise FileFull("no room")

    monkeypatch.setattr(salvaging.Found, "note", note)
    spoil(path, pages_of(path, "event_time"))
    ledger = opened(path, seed=2)
    assert ledger.states == STATES
    ledger.close(MORNING)
    told = [orjson.loads(r.data)["count"] for r in rows_of(path).values() if r.type == "gap"]
    assert sum(told) == 10 * ROUNDS - DELIVERED


@pytest.mark.parametrize("done", ["built", "put aside"])
def test_a_crash_while_it_is_replaced_loses_nothing(path: Path, done: str) -> None:
    spoil(path, pages_of(path, "event_time"))
    assert salvaging.salvage(path, at=MORNING, randbelow=Random(2).randrange) is not None
    if done == "put aside":
        path.rename(path.with_name("j.db.damaged-before"))
        path.with_name("j.db-wal").write_bytes(b"of the damaged one")
    ledger = opened(path, seed=3)
    assert len(ledger.epochs) == 2
    ledger.close(MORNING)
    assert len(rows_of(path)) > 100
    assert not list(path.parent.glob("*.salvag*"))


def test_within_no_time_it_takes_over_what_it_can_and_begins(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(salvaging, "WITHIN_S", 0.0)
    spoil(path, pages_of(path, "event_time"))
    ledger = opened(path, seed=2)
    ledger.commit([facts(1)], {}, MORNING)
    ledger.close(MORNING)


KINDS = ("random", "zero", "another page", "half")


@pytest.mark.fault(
    19,
    injection="pages of the file overwritten at random: with noise, zeros, other pages of the same"
    " file, half of them; 80 seeded cases",
    expectation="the start always succeeds; what comes over is what was acknowledged, byte by byte,"
    " under its ids; the rest is told by number",
)
@pytest.mark.parametrize("first_seed", range(0, 80, 20))
def test_whatever_is_overwritten_the_start_succeeds_and_no_row_is_wrong(
    journal: Path, tmp_path: Path, first_seed: int, record_property: Any
) -> None:
    before, came = rows_of(journal), 0
    for seed in range(first_seed, first_seed + 20):
        path = Path(shutil.copy(journal, tmp_path / f"{seed}.db"))
        harm(path, Random(seed))
        ledger = opened(path, seed=seed + 1000)
        assert ledger.states.items() <= STATES.items()
        ledger.commit([facts(1)], {}, MORNING)
        ledger.close(MORNING)
        after = rows_of(path)
        old = {
            seq: row
            for seq, row in after.items()
            if DELIVERED < seq <= max(before) and row.epoch == before[1].epoch
        }
        wrong = {seq: row for seq, row in old.items() if before.get(seq) != row}
        assert not wrong
        came += len(old)
        path.unlink()
    record_property("rows that came over", came)
    assert came > 1000


def harm(path: Path, random: Random) -> None:
    content = path.read_bytes()
    pages = len(content) // PAGE
    with path.open("r+b") as file:
        for _ in range(random.choice([1, 1, 2, 5, 20])):
            page, other = random.randrange(pages), random.randrange(1, pages)
            spoiled = {
                "random": random.randbytes(PAGE),
                "zero": bytes(PAGE),
                "another page": content[other * PAGE :][:PAGE],
                "half": content[page * PAGE :][: PAGE // 2] + random.randbytes(PAGE // 2),
            }[random.choice(KINDS)]
            file.seek(page * PAGE)
            file.write(spoiled)
