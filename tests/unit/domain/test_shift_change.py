from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from gateway.domain import durable
from gateway.domain.equipment import next_due_s
from gateway.domain.events import Status
from gateway.domain.facts import Fact, Started, Tick
from gateway.domain.rules import EquipmentRules
from gateway.domain.shifts import Pattern, ShiftCalendar, changes, shift_at
from gateway.domain.snapshot import snapshots
from tests.unit.domain.scene import EPOCH, IDLE, Play, lost, of_type, press, seen, started, tick

SHANGHAI = ZoneInfo("Asia/Shanghai")
THREE = (
    Pattern("A", time(6), time(14)),
    Pattern("B", time(14), time(22)),
    Pattern("C", time(22), time(6)),
)
CALENDAR = ShiftCalendar(SHANGHAI, dict.fromkeys(range(7), THREE))
CHANGE_S = 5 * 3600.0
"""09:00 is second 0; the early shift ends at 14:00."""


def worked(calendar: ShiftCalendar = CALENDAR) -> EquipmentRules:
    return press(calendar=calendar, repeat_s=0.0)


def codes(play: Play) -> list[tuple[str, str, str]]:
    told = of_type(play.events, "status")
    return [(e["state"], e["cause"], (e["shift"] or {"code": "-"})["code"]) for e in told]


def test_the_change_is_waited_for_and_cuts_the_state() -> None:
    play = Play(worked()).awake()
    assert next_due_s(play.state, play.rules) == CHANGE_S
    play.feed(tick(CHANGE_S))
    assert codes(play) == [("idle", "shift", "B")]
    (cut,) = of_type(play.events, "status")
    assert cut["since"] == "2026-03-20T06:00:00.000Z"
    assert cut["prev_duration_ms"] == (CHANGE_S - 1) * 1000
    assert snapshots(play.state)["status"]["shift"]["code"] == "B"


def test_a_tick_a_moment_too_early_is_waited_out() -> None:
    play = Play(worked()).awake()
    play.feed(Tick(EPOCH + timedelta(seconds=CHANGE_S, milliseconds=-3), CHANGE_S))
    assert play.events == []
    assert next_due_s(play.state, play.rules) == CHANGE_S + 0.003


def test_a_clock_set_back_over_a_change_does_not_cut_twice() -> None:
    play = Play(worked()).awake()
    play.feed(tick(CHANGE_S + 1))
    back = EPOCH + timedelta(seconds=CHANGE_S - 60)
    play.feed(Tick(back, CHANGE_S + 2))
    play.feed(Tick(back + timedelta(seconds=120), CHANGE_S + 122))
    assert codes(play) == [("idle", "shift", "B")]


def test_faults_and_readings_carry_the_shift_of_their_time() -> None:
    play = Play(worked()).awake()
    play.feed(seen(2, alarm_word=1, temperature=50.0), seen(CHANGE_S + 1, alarm_word=0))
    shifts = [
        e["shift"]["code"] for kind in ("fault", "reading") for e in of_type(play.events, kind)
    ]
    assert shifts == ["A", "B", "A", "B"]


def test_changes_slept_through_are_cut_at_the_first_fact() -> None:
    play = Play(worked()).awake()
    play.state = durable.load(durable.dump(play.state))
    play.feed(started(CHANGE_S + 9 * 3600, 10, "boot-2"))
    assert codes(play) == [("offline", "start", "A")]
    assert next_due_s(play.state, play.rules) == CHANGE_S + 9 * 3600
    play.feed(tick(CHANGE_S + 9 * 3600 + 0.01))
    assert codes(play)[1:] == [("offline", "shift", "B"), ("offline", "shift", "C")]


def test_a_year_of_sleep_is_cut_for_a_month_only() -> None:
    play = Play(worked()).awake()
    year_s = 365 * 86_400.0
    play.feed(started(year_s, 10, "boot-2"), tick(year_s + 1))
    assert len(of_type(play.events, "status")) == 1 + 3 * 31


def test_a_clock_that_is_not_set_has_no_shift() -> None:
    play = Play(worked())
    nowhere = datetime(1890, 1, 1, tzinfo=UTC)
    play.feed(Started(nowhere, 0, "boot", None), Tick(nowhere, 1))
    assert codes(play) == [("offline", "start", "-")]
    assert next_due_s(play.state, play.rules) is None


def test_nothing_known_is_not_cut() -> None:
    play = Play(worked())
    play.feed(tick(0), tick(CHANGE_S + 1))
    assert play.events == []


def test_an_empty_calendar_says_null_and_waits_long() -> None:
    play = Play(worked(ShiftCalendar(SHANGHAI))).awake()
    due_s = next_due_s(play.state, play.rules)
    assert due_s is not None
    assert due_s > 300 * 86_400
    play.feed(seen(2, run=True))
    assert codes(play) == [("running", "sample", "-")]


STEPS = st.lists(
    st.tuples(st.floats(0.01, 40_000), st.sampled_from(("run", "idle", "lost", "tick", "restart"))),
    max_size=20,
)


@given(steps=STEPS)
def test_no_interval_lasts_over_a_change_and_all_of_them_abut(
    steps: list[tuple[float, str]],
) -> None:
    play = Play(worked()).awake()
    second = 1.0
    for passed_s, what in steps:
        last, second = second, second + passed_s
        facts: dict[str, Fact] = {
            "run": seen(second, **(IDLE | {"run": True})),
            "idle": seen(second, **IDLE),
            "lost": lost(second),
            "restart": started(second, last),
            "tick": tick(second),
        }
        play.feed(facts[what])
    play.feed(tick(second + 1))
    told = [event for event in play.events if isinstance(event, Status)]
    assert all(event.shift == shift_at(CALENDAR, event.since) for event in told)
    for one, other in pairwise(told):
        assert one.since <= other.since
        assert set(changes(CALENDAR, one.since, other.since)) <= {other.since}
