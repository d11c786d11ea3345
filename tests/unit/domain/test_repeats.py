from gateway.domain.commands import OrderCommand
from gateway.domain.equipment import next_due_s
from gateway.domain.facts import Commanded
from gateway.domain.vocabulary import Order
from tests.unit.domain.scene import Play, at, lost, of_type, press, seen, started, tick


def repeats(play: Play) -> list[tuple[str, str]]:
    return [
        (data["state"], event.at.strftime("%H:%M:%S"))
        for event in play.events
        if (data := event.data()).get("repeat")
    ]


def lasting() -> Play:
    """Idle since 1, told again every 60 s."""
    return Play(press(repeat_s=60.0)).awake()


def test_a_state_that_lasts_is_told_again_and_again() -> None:
    play = lasting()
    assert next_due_s(play.state, play.rules) == 61
    play.feed(tick(60), tick(61), tick(120), tick(121))
    assert repeats(play) == [("idle", "01:01:01"), ("idle", "01:02:01")]


def test_a_repeat_is_the_interval_s_and_says_nothing_of_the_one_before() -> None:
    play = lasting()
    play.feed(Commanded(at(2), 2, OrderCommand("c-1", Order("WO-1"))), tick(62))
    (cut, again) = of_type(play.events, "status")
    assert (again["repeat"], again["since"]) == (True, cut["since"])
    assert {"prev_state", "prev_duration_ms"}.isdisjoint(again)
    assert again["order"]["order_no"] == "WO-1"


def test_a_repeat_opens_no_interval() -> None:
    play = lasting()
    before = play.state.durable
    play.feed(tick(61))
    assert play.state.durable is before
    play.feed(seen(70, run=True))
    assert of_type(play.events, "status")[-1]["prev_duration_ms"] == 69_000


def test_a_new_state_puts_the_repeat_off() -> None:
    play = lasting()
    play.feed(seen(50, run=True), tick(61))
    assert repeats(play) == []
    play.feed(tick(110))
    assert repeats(play) == [("running", "01:01:50")]


def test_a_restart_counts_anew() -> None:
    play = lasting()
    play.feed(lost(2), started(58, last_alive=57))
    play.feed(tick(62))
    assert repeats(play) == []
    play.feed(tick(118))
    assert repeats(play) == [("offline", "01:01:58")]


def test_no_repeat_while_another_state_waits_to_be_believed() -> None:
    play = Play(press(repeat_s=60.0, min_hold_s=5.0)).awake()
    play.feed(seen(59, run=True))
    assert next_due_s(play.state, play.rules) == 64
    play.feed(tick(62))
    assert repeats(play) == []
    play.feed(seen(63, run=False))  # it was nothing
    assert next_due_s(play.state, play.rules) == 66
    play.feed(tick(66))
    assert repeats(play) == [("idle", "01:01:06")]


def test_a_clock_set_back_dates_no_repeat_before_its_interval() -> None:
    play = lasting()
    back = tick(61)
    play.feed(type(back)(at(-500), back.mono_s))
    assert repeats(play) == [("idle", "01:00:01")]


def test_off() -> None:
    play = Play(press(repeat_s=0)).awake()
    assert next_due_s(play.state, play.rules) is None
    play.feed(tick(100_000))
    assert repeats(play) == []
