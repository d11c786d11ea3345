from dataclasses import replace

from gateway.domain import fault_memory
from gateway.domain.fault_memory import MAX_UNACKED, MAX_UNKNOWN
from gateway.domain.state import FaultMemory
from tests.unit.domain.scene import Play, at, moment, press, seen
from tests.unit.domain.test_faults import BITS


def test_a_number_is_near_the_time_and_never_comes_again() -> None:
    first = fault_memory.numbered(FaultMemory(), at(10))
    assert first.last_number == round(at(10).timestamp() * 1000)
    second = fault_memory.numbered(first, at(5))
    assert second.last_number == first.last_number + 1


def test_a_wall_clock_that_goes_back_repeats_no_fault_id() -> None:
    play = Play().awake()
    for mono_s in (2.0, 3.0, 4.0, 5.0):
        again = seen(mono_s, alarm_word=int(mono_s) % 2)._replace(at=at(2))
        play.feed(again)
    ids = [event.data()["fault_id"] for event in play.events if event.type == "fault"]
    assert ids[0] == ids[1] != ids[2]


def test_the_newest_cleared_faults_wait_for_a_person() -> None:
    play = Play(press(faults=(replace(BITS, chatter_raises=0),))).awake()
    for number in range(2 * MAX_UNACKED + 4):
        play.feed(seen(2 + number, alarm_word=number % 2))
    waiting = play.state.durable.fault_memory.unacked
    assert len(waiting) == MAX_UNACKED
    assert [entry.cleared_at for entry in waiting] == sorted(entry.cleared_at for entry in waiting)
    left = fault_memory.without_cleared(play.state.durable.fault_memory, waiting[3].fault_id)
    assert left.unacked == (*waiting[:3], *waiting[4:])


def test_the_unknown_numbers_seen_last_are_kept() -> None:
    memory = FaultMemory()
    for number in range(MAX_UNKNOWN):
        memory = fault_memory.with_unknown(memory, f"a/{number}", moment(number))
    memory = fault_memory.with_unknown(memory, "a/0", moment(500))
    memory = fault_memory.with_unknown(memory, "b/1", moment(501))
    assert len(memory.unknown) == MAX_UNKNOWN
    assert "a/1" not in memory.unknown
    seen_twice = memory.unknown["a/0"]
    assert (seen_twice.first_seen, seen_twice.last_seen, seen_twice.count) == (at(0), at(500), 2)
