from hypothesis import given
from hypothesis import strategies as st

from drivers.modbus.pipeline import CLEAN_SCANS, Depth
from drivers.modbus.settings import MAX_PIPELINE


def after(depth: Depth, *, scans: int, requests: int) -> int:
    for _ in range(scans):
        depth.proven(requests)
    return depth.now


def test_off_stays_at_one() -> None:
    assert after(Depth("off"), scans=1000, requests=50) == 1


def test_auto_begins_with_one_and_doubles_after_clean_scans() -> None:
    depth = Depth("auto")
    assert depth.now == 1
    assert after(depth, scans=CLEAN_SCANS - 1, requests=50) == 1
    assert after(depth, scans=1, requests=50) == 2
    assert after(depth, scans=CLEAN_SCANS, requests=50) == 4
    assert after(depth, scans=1000, requests=50) == MAX_PIPELINE


def test_auto_proves_nothing_with_scans_that_would_not_use_more() -> None:
    assert after(Depth("auto"), scans=1000, requests=1) == 1
    assert after(Depth("auto"), scans=1000, requests=3) == 4


def test_a_number_is_believed_and_never_exceeded() -> None:
    depth = Depth(3)
    assert depth.now == 3
    assert after(depth, scans=1000, requests=50) == 3


@given(st.sampled_from(["off", "auto", 2, 16]), st.lists(st.integers(1, 60), max_size=200))
def test_who_went_wrong_once_gets_one_at_a_time_for_good(
    pipeline: str | int, scans: list[int]
) -> None:
    depth = Depth(pipeline)  # type: ignore[arg-type]
    depth.disproven()
    for requests in scans:
        depth.proven(requests)
    assert depth.now == 1
