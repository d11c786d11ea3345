"""The power goes at any moment: what the disk may hold then, of the real writer's system calls."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import pytest

from gateway.journal.errors import JournalError
from gateway.journal.opening import open_ledger
from gateway.journal.transfer import check as check_file
from tests.support.clock import MORNING
from tests.support.journal_worker import KINDS, check, check_short, words
from tests.support.powercut import Call, Cut, cuts, trace

ROUNDS = 60
SOME, FEW, MANY = 30, 60, 1000


@dataclass(frozen=True, slots=True)
class Traced:
    """What two lives of a writer did to the disk: the first ended in order."""

    place: Path
    calls: list[Call]
    kind: str


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory) -> Traced:
    return lives_of("plain", tmp_path_factory.mktemp("power"))


def lives_of(kind: str, directory: Path) -> Traced:
    place = directory / "disk"
    place.mkdir()
    worker = [sys.executable, "-m", "tests.support.journal_worker", str(place / "j.db")]
    calls: list[Call] = []
    for life in ("first", "second"):
        calls += trace([*worker, str(ROUNDS), kind], directory / f"{life}.strace", below=place)
    assert sum(call.kind == "told" for call in calls) == 2 * 3 * ROUNDS
    return Traced(place, calls, kind)


def verdicts(traced: Traced, cutting: Iterator[Cut], room: Path) -> list[str]:
    """Open the journal after each cut, as the gateway does; return what is wrong."""
    wrong: list[str] = []
    for cut in cutting:
        place = room / f"cut-{cut.call}-{len(list(room.iterdir()))}"
        place.mkdir()
        for path, content in cut.files.items():
            (place / Path(path).relative_to(traced.place)).write_bytes(content)
        try:
            judge(place, cut, traced.kind)
        except (AssertionError, JournalError) as err:
            wrong.append(f"after call {cut.call}: {err}".partition("\n")[0])
    return wrong


def judge(place: Path, cut: Cut, kind: str) -> None:
    """Nothing acknowledged is lost, no seq comes twice, nothing is damaged."""
    path, acknowledged = place / "j.db", list(words(cut.told))
    limits = KINDS[kind]
    ledger, _ = open_ledger(path, at=MORNING, limits=limits, randbelow=Random(1).randrange)
    assert not list(place.glob("*.damaged-*")), "the file was put aside as damaged"
    last = max((word.seq for word in acknowledged), default=0)
    assert ledger.head >= last, "an acknowledged seq would be given again"
    assert ledger.delivered <= ledger.head
    ledger.close(MORNING)
    check_file(path)
    if kind == "short":
        check_short(path, acknowledged)
    else:
        check(path, acknowledged, all_readings=kind != "holding")


@pytest.mark.timeout(400)
@pytest.mark.fault(
    3,
    injection="every system call of the real writer recorded; the disk as it may be after a power"
    " cut at random calls, with nothing that was not flushed",
    expectation="opens, sound, 0 acknowledged rows lost, events and states agree",
)
@pytest.mark.fault(
    4,
    injection="the same with any part of the unflushed 512-byte sectors written, in any order",
    expectation="opens, sound, 0 acknowledged rows lost, events and states agree",
)
def test_power_cuts_lose_nothing_acknowledged(traced: Traced, tmp_path: Path) -> None:
    assert verdicts(traced, cuts(traced.calls, FEW, Random(7)), tmp_path) == []


@pytest.mark.timeout(400)
@pytest.mark.fault(
    3,
    injection="the same of a writer whose journal is too small, so that readings go and counts"
    " become fewer, and of one that holds readings in memory; no ballast in either",
    expectation="opens, sound; no part of an acknowledged count is missing, each number is there or"
    " named, no seq is given again",
)
@pytest.mark.parametrize("kind", ["short", "holding"])
def test_power_cuts_while_room_is_made_or_readings_are_held(tmp_path: Path, kind: str) -> None:
    assert lived_through(kind, SOME, tmp_path) == []


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.fault(
    3,
    injection="the same, 1,000 times each: also between any two transactions that make room",
    expectation="opens, sound; no part of an acknowledged count is missing, each number is there or"
    " named, no seq is given again",
)
@pytest.mark.parametrize("kind", ["short", "holding"])
def test_a_thousand_power_cuts_while_room_is_made(tmp_path: Path, kind: str) -> None:
    assert lived_through(kind, MANY, tmp_path) == []


def lived_through(kind: str, times: int, directory: Path) -> list[str]:
    """Let a writer of this kind live and cut its power so often; return what is wrong."""
    traced = lives_of(kind, directory)
    if kind == "short":
        merged, gone = check_short(traced.place / "j.db", [])
        assert merged > 0 < gone, "the journal was not too small"
    room = directory / "cuts"
    room.mkdir()
    return verdicts(traced, cuts(traced.calls, times, Random(13)), room)


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.fault(3, injection="as above, 500 power cuts", expectation="0 lost, 0 damaged")
@pytest.mark.fault(4, injection="as above, 500 torn states", expectation="0 lost, 0 damaged")
def test_a_thousand_power_cuts_lose_nothing_acknowledged(traced: Traced, tmp_path: Path) -> None:
    assert verdicts(traced, cuts(traced.calls, MANY, Random(11)), tmp_path) == []


@pytest.mark.timeout(400)
def test_the_model_finds_a_writer_that_does_not_flush(traced: Traced, tmp_path: Path) -> None:
    """What the tests above would say of `synchronous = NORMAL`."""
    lazy = replace(traced, calls=_without_flushes(traced.calls))
    wrong = verdicts(lazy, cuts(lazy.calls, FEW, Random(7)), tmp_path)
    assert any("acknowledged" in one for one in wrong)


def _without_flushes(calls: Sequence[Call]) -> list[Call]:
    return [one for one in calls if one.kind != "flush" or not one.path.endswith("-wal")]
