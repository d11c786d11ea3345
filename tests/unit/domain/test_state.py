from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.state import Moment
from tests.unit.domain.scene import at


@given(st.floats(0, 1e7), st.floats(0, 1e6))
def test_what_is_due_at_a_moment_has_lasted_at_that_moment(began_s: float, lasts_s: float) -> None:
    due_s = began_s + lasts_s
    assert Moment(at(0), began_s).lasted(lasts_s, Moment(at(0), due_s))


def test_another_boot_is_compared_by_the_wall_clock() -> None:
    began = Moment(at(0), None)
    assert began.lasted(5, Moment(at(5), 1.0))
    assert not began.lasted(5, Moment(at(4), 9.0))
    assert not began.lasted(5, Moment(at(-9), 9.0))
