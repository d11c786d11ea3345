import pytest

from drivers.opcua.services import Place, Raw
from drivers.opcua.supervisor import Supervisor
from tests.support.clock import FakeClock

BAD = 0x8034_0000
PLACES = {f"t{n}": Place(1, n) for n in range(5)}


def raw(value: object, status: int = 0) -> Raw:
    return Raw(1, value, status, None)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def test_each_value_is_read_once_a_round_piece_by_piece(clock: FakeClock) -> None:
    supervisor = Supervisor(30, 2, clock.mono_s)
    assert supervisor.due(PLACES) == ()
    clock.advance(30)
    seen = []
    for _ in range(6):
        seen.append(list(supervisor.due(PLACES)))
        assert supervisor.due(PLACES) == ()
        clock.advance(12)
    assert seen == [["t0", "t1"], ["t2", "t3"], ["t4"], ["t0", "t1"], ["t2", "t3"], ["t4"]]


def test_nothing_to_watch_is_nothing_to_read(clock: FakeClock) -> None:
    supervisor = Supervisor(30, 2, clock.mono_s)
    clock.advance(100)
    assert supervisor.due({}) == ()


def test_an_item_that_missed_a_change_twice_is_dead(clock: FakeClock) -> None:
    supervisor = Supervisor(30, 2, clock.mono_s)
    said = {"t0": raw(1)}
    assert supervisor.dead({"t0": raw(2)}, said) == []
    assert supervisor.dead({"t0": raw(2)}, said) == ["t0"]
    assert supervisor.dead({"t0": raw(2)}, said) == []


def test_an_item_that_spoke_meanwhile_lives(clock: FakeClock) -> None:
    supervisor = Supervisor(30, 2, clock.mono_s)
    for number in range(6):
        assert supervisor.dead({"t0": raw(number + 100)}, {"t0": raw(number)}) == []


def test_an_item_that_never_spoke_at_all_is_dead(clock: FakeClock) -> None:
    supervisor = Supervisor(30, 2, clock.mono_s)
    assert supervisor.dead({"t0": raw(2)}, {}) == []
    assert supervisor.dead({"t0": raw(2)}, {}) == ["t0"]


@pytest.mark.parametrize(
    ("read", "said"),
    [
        (raw(1), raw(1)),
        (raw(float("nan")), raw(float("nan"))),
        (raw([1, 2]), raw([1, 2])),
        (raw(None, BAD), raw(None, 0x8005_0000)),
    ],
)
def test_what_is_the_same_is_no_suspicion(clock: FakeClock, read: Raw, said: Raw) -> None:
    supervisor = Supervisor(30, 2, clock.mono_s)
    for _ in range(3):
        assert supervisor.dead({"t0": read}, {"t0": said}) == []


def test_good_and_bad_differ(clock: FakeClock) -> None:
    supervisor = Supervisor(30, 2, clock.mono_s)
    said = {"t0": raw(None, BAD)}
    supervisor.dead({"t0": raw(None)}, said)
    assert supervisor.dead({"t0": raw(None)}, said) == ["t0"]
