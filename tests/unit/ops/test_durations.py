from gateway.ops.durations import Durations


def test_each_duration_counts_in_every_bucket_that_holds_it() -> None:
    durations = Durations((0.1, 1.0))
    for seconds in (0.05, 0.1, 0.5, 7.0):
        durations.note(seconds)
    found = durations.histogram()
    assert found.at_most == (2, 3, 4)
    assert found.count == 4
    assert round(found.total_s, 6) == 7.65
