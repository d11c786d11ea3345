from itertools import islice

from gateway.ops.backoff import delays


def test_delays_double_up_to_the_ceiling() -> None:
    ceilings = delays(lambda _low, high: high, first_s=1.0, max_s=8.0)
    assert list(islice(ceilings, 6)) == [1, 2, 4, 8, 8, 8]


def test_delays_are_full_jitter() -> None:
    assert list(islice(delays(lambda low, _high: low), 3)) == [0, 0, 0]
