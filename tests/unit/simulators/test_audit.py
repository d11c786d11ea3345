"""The promises of `simulators.audit`: what is right passes, what is wrong is named."""

import copy
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from simulators.audit import audit
from simulators.clock import PlantClock, iso, wall_seconds
from simulators.kinds import MACHINES
from simulators.machine import Enter, Machine, Power, Reset, Step
from simulators.served import Record
from simulators.truth import About, truth
from tests.support.plant import truthful_store

START = 1_774_000_000.0
INTERVAL_S, HOLD_S = 0.25, 0.5
OFF_S, ON_S, LOST_S, BACK_S, END_S = 30.0, 36.0, 50.0, 58.0, 80.0

SCRIPT = (
    Step(0.0, Enter("running")),
    Step(5.0, Enter("idle")),
    Step(9.0, Enter("fault", 3)),
    Step(14.0, Enter("running")),
    Step(18.0, Reset("good", unseen=3)),
    Step(20.0, Enter("idle")),
    Step(20.1, Enter("running")),
    Step(28.0, Enter("fault", 5)),
    Step(OFF_S, Power(on=False)),
    Step(ON_S, Power(on=True)),
    Step(40.0, Enter("running")),
    Step(54.0, Enter("idle")),
)
"""Everything that matters: a reset, a short stop, a cut in a fault, a collector gone."""


def observed_truth() -> dict[str, Any]:
    """A press polled by a steady collector that is away for a while."""
    now_s = 0.0
    clock = PlantClock(1.0, START, lambda: now_s)
    record = Record(Machine(MACHINES["press-01"], SCRIPT, "1"), HOLD_S, INTERVAL_S)
    while now_s < END_S:
        record.machine.advance(now_s)
        if OFF_S <= now_s < ON_S:
            record.cut(clock.wall(), "power_off")
        elif LOST_S <= now_s < BACK_S:
            record.cut(clock.wall(), "collector_down")
        else:
            for facet in ("state", "faults", "counter:good", "counter:reject"):
                record.served(facet, clock.wall())
        now_s += INTERVAL_S
    return truth(About("test", 1, 1.0), [record], clock)


TRUTH = observed_truth()


@pytest.fixture
def store(tmp_path: Path) -> Path:
    path = tmp_path / "history.db"
    truthful_store(TRUTH, path)
    return path


def change(store: Path, sql: str) -> None:
    with closing(sqlite3.connect(store)) as database, database:
        assert database.execute(sql).rowcount != 0


def test_the_truth_of_the_test_is_worth_auditing() -> None:
    seen = TRUTH["machines"]["press-01"]["observable"]
    assert [state["state"] for state in seen["states"]] == [
        "running", "idle", "fault", "running", "idle",
        "running", "fault", "fault", "running", "idle",
    ]  # fmt: skip
    assert [blind["why"] for blind in seen["blind"]] == [
        "not_started", "power_off", "collector_down"
    ]  # fmt: skip
    assert [fault["code"] for fault in seen["faults"]] == ["P03", "P05"]
    assert [lost["parts"] for lost in seen["counters"]["good"]["uncovered"]] == [3]


def test_what_is_made_is_observed_or_named() -> None:
    machine = TRUTH["machines"]["press-01"]
    for name, counter in machine["observable"]["counters"].items():
        made = machine["actual"]["counters"][name]["produced"]
        assert counter["total"] + sum(lost["parts"] for lost in counter["uncovered"]) == made


def test_a_truthful_store_passes(store: Path) -> None:
    report = audit(TRUTH, store)
    assert report.problems == []
    assert report.ok
    assert report.parts_stored == report.parts_observable > 40
    assert report.states_stored == report.states_observable == 7
    assert report.uncovered == 0


def test_a_lap_that_was_refused_openly_is_not_missing(store: Path) -> None:
    change(
        store,
        "UPDATE count_event SET delta = delta - 1, total = total - 1, refused = 9,"
        " anomaly = 'rollover_ambiguous'"
        " WHERE seq = (SELECT max(seq) FROM count_event WHERE counter = 'good')",
    )
    assert audit(TRUTH, store).problems == []


def test_what_a_busy_machine_was_late_is_allowed_and_no_more(store: Path) -> None:
    later = "UPDATE status_interval SET since = '2026-03-20T09:46:47.500Z'"
    change(store, f"{later} WHERE state = 'idle' AND until IS NOT NULL")
    for late_s in (0.0, 0.5, 10.0):
        assert audit(TRUTH, store, late_s=late_s).ok == (late_s == 10.0)
        assert audit({**TRUTH, "late_s": late_s}, store).ok == (late_s == 10.0)


def _with_a_stay(lasted_s: float, at: float = 24.0) -> dict[str, Any]:
    """Return the truth with another state that stood so long, by the clock of the plant."""
    known = copy.deepcopy(TRUTH)
    states = known["machines"]["press-01"]["observable"]["states"]
    for since, state in ((START + at, "setup"), (START + at + lasted_s, "running")):
        states.append({"state": state, "since": iso(since), "at_most_s": lasted_s})
        states[-1]["lasted_s"] = lasted_s if state == "setup" else 3.0
    states.sort(key=lambda one: one["since"])
    return known


@pytest.mark.parametrize("lasted_s", [HOLD_S - 0.1, HOLD_S + 0.1], ids=["shorter", "longer"])
@pytest.mark.parametrize("is_stored", [True, False])
def test_the_hold_time_is_as_exact_as_the_machine_was_prompt(
    tmp_path: Path, lasted_s: float, *, is_stored: bool
) -> None:
    known = _with_a_stay(lasted_s)
    truthful_store(_with_a_stay(2 * HOLD_S) if is_stored else TRUTH, tmp_path / "history.db")
    as_it_should = is_stored == (lasted_s > HOLD_S)
    for late_s in (0.0, 0.03, 0.1):
        report = audit(known, tmp_path / "history.db", late_s=late_s)
        assert report.ok == (as_it_should or late_s > 0.06), report.problems


def test_however_late_it_was_a_state_that_stood_long_is_missed(tmp_path: Path) -> None:
    truthful_store(TRUTH, tmp_path / "history.db")
    known = _with_a_stay(4 * HOLD_S)
    assert audit(known, tmp_path / "history.db", late_s=HOLD_S).missing
    truthful_store(known, tmp_path / "other.db")
    assert audit(TRUTH, tmp_path / "other.db", late_s=HOLD_S).wrong


@pytest.mark.parametrize(
    ("sql", "field", "says"),
    [
        (("UPDATE count_event SET delta = delta - 1, total = total - 1"
         " WHERE seq = (SELECT max(seq) FROM count_event WHERE counter = 'good')"),
         "missing", "good: 1 of"),
        (("UPDATE count_event SET delta = delta + 2, total = total + 2"
         " WHERE seq = (SELECT max(seq) FROM count_event WHERE counter = 'good')"),
         "duplicated", "good: 2 more"),
        (("UPDATE count_event SET total = total + 1"
         " WHERE seq = (SELECT max(seq) FROM count_event WHERE counter = 'good')"),
         "wrong", "the total rose"),
        ("INSERT INTO count_event SELECT * FROM count_event WHERE anomaly = 'none' LIMIT 1",
         "duplicated", "2 times in count_event"),
        ("INSERT INTO event SELECT * FROM event LIMIT 1", "duplicated", "2 times in event"),
        (("INSERT INTO event SELECT source, 'x', epoch, seq, type, equipment, subject, streamseq,"
         " time, recordedtime, replay, data FROM event WHERE streamseq = 2 AND type = 'status'"),
         "duplicated", "have number 2"),
        ("UPDATE event SET id = 'other' WHERE streamseq = 2 AND type = 'status'", None, ""),
        ("DELETE FROM event WHERE streamseq = 2 AND type = 'status'",
         "missing", "status events 2 to 2"),
        ("DELETE FROM status_interval WHERE state = 'idle' AND until IS NOT NULL",
         "missing", "idle at"),
        ("UPDATE status_interval SET state = 'setup' WHERE state = 'idle' AND until IS NOT NULL",
         "wrong", "setup at"),
        (("UPDATE status_interval SET since = '2026-03-20T09:46:47.500Z'"
         " WHERE state = 'idle' AND until IS NOT NULL"), "wrong", "s away"),
        ("DELETE FROM status_interval WHERE state = 'offline' AND since > '2026-03-20T09:47'",
         "not_admitted", "(collector_down), and no offline"),
        (("UPDATE status_interval SET until = '2026-03-20T09:47:30.000Z'"
         " WHERE state = 'offline' AND since BETWEEN '2026-03-20T09:47' AND '2026-03-20T09:47:15'"),
         "wrong", "but samples were served"),
        ("UPDATE count_event SET anomaly = 'none' WHERE anomaly = 'reset'",
         "not_admitted", "3 parts were lost"),
        ("DELETE FROM fault_occurrence WHERE code = 'P03'", "missing", "fault P03"),
        (("INSERT INTO fault_occurrence SELECT source, 'x', epoch, equipment, code, raised_at,"
         " cleared_at FROM fault_occurrence WHERE code = 'P05'"), "duplicated", "fault P05"),
        ("UPDATE fault_occurrence SET cleared_at = NULL WHERE code = 'P03'",
         "wrong", "another end"),
        ("UPDATE fault_occurrence SET code = 'P09' WHERE code = 'P05'", "wrong", "P09"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(store: Path, sql: str, field: str | None, says: str) -> None:
    change(store, sql)
    report = audit(TRUTH, store)
    if field is None:
        assert report.ok
        return
    assert not report.ok
    assert any(says in sentence for sentence in getattr(report, field)), report.problems


def test_a_hole_that_a_gap_names_is_accounted_for(store: Path) -> None:
    change(store, "DELETE FROM event WHERE streamseq = 2 AND type = 'status'")
    change(store, "INSERT INTO gap_event SELECT source, 'g', epoch, 99, equipment, time, 'status',"
                  " 2, 2, 1, 'retention' FROM event LIMIT 1")  # fmt: skip
    assert audit(TRUTH, store).ok


def test_an_empty_store_lacks_everything(tmp_path: Path) -> None:
    empty = copy.deepcopy(TRUTH)
    empty["machines"] = {}
    truthful_store(empty, tmp_path / "empty.db")
    report = audit(TRUTH, tmp_path / "empty.db")
    assert report.parts_stored == report.states_stored == 0
    assert len(report.missing) >= 10
    assert report.uncovered == 3 + 2


Change = Callable[[dict[str, Any]], None]


def _raised_as_the_collector_died(seen: dict[str, Any], later_s: float = 0.0) -> None:
    at, cleared_at = START + LOST_S - INTERVAL_S, wall_seconds(seen["blind"][2]["until"]) + later_s
    seen["faults"].append({"code": "P02", "raised_at": iso(at), "cleared_at": iso(cleared_at)})


def _and_cleared_in_the_first_scan_after(seen: dict[str, Any]) -> None:
    _raised_as_the_collector_died(seen, later_s=0.02)


def _state_as_the_collector_died(seen: dict[str, Any]) -> None:
    at = iso(START + LOST_S - HOLD_S - 0.05)
    lasted_s = HOLD_S + 0.05
    seen["states"].append(
        {"state": "setup", "since": at, "lasted_s": lasted_s, "at_most_s": lasted_s}
    )
    seen["states"].sort(key=lambda one: one["since"])


@pytest.mark.parametrize(
    "last_words",
    [
        _raised_as_the_collector_died,
        _and_cleared_in_the_first_scan_after,
        _state_as_the_collector_died,
    ],
)
def test_what_was_served_right_before_a_kill_may_be_stored_or_not(
    tmp_path: Path, last_words: Change
) -> None:
    known = copy.deepcopy(TRUTH)
    last_words(known["machines"]["press-01"]["observable"])
    down = datetime.fromtimestamp(START + LOST_S - 0.2, tz=UTC)
    kills = [(down, datetime.fromtimestamp(START + BACK_S, tz=UTC))]
    truthful_store(TRUTH, tmp_path / "lost.db")
    truthful_store(known, tmp_path / "kept.db")
    assert audit(known, tmp_path / "lost.db", kills=kills).problems == []
    assert audit(known, tmp_path / "kept.db", kills=kills).problems == []
    assert not audit(known, tmp_path / "lost.db").ok


def test_a_fault_that_outlasts_a_kill_by_a_scan_must_be_stored(tmp_path: Path) -> None:
    known = copy.deepcopy(TRUTH)
    _raised_as_the_collector_died(known["machines"]["press-01"]["observable"], INTERVAL_S)
    down = datetime.fromtimestamp(START + LOST_S - 0.2, tz=UTC)
    kills = [(down, datetime.fromtimestamp(START + BACK_S, tz=UTC))]
    truthful_store(TRUTH, tmp_path / "lost.db")
    assert "fault P02" in str(audit(known, tmp_path / "lost.db", kills=kills).missing)
