from gateway.historian.unsettled import AGAIN_S, FIRST_S, Unsettled


def test_what_was_confirmed_within_a_minute_is_unsettled() -> None:
    unsettled = Unsettled()
    assert unsettled.back() is None
    settled = [unsettled.confirmed(n, n + 1, float(n)) for n in range(200)]
    assert settled[59] == 0
    assert 199 - FIRST_S - 2 <= settled[199] <= 199 - FIRST_S
    assert unsettled.back() == settled[199]
    assert unsettled.back() is None


def test_it_is_counted_from_the_last_confirmation_however_long_ago_that_was() -> None:
    unsettled = Unsettled()
    unsettled.confirmed(0, 10, 5.0)
    unsettled.confirmed(10, 20, 5.5)
    assert unsettled.confirmed(20, 30, 7.0) == 0
    assert unsettled.confirmed(30, 40, 5000.0) == 30
    assert unsettled.back() == 30


def test_it_keeps_one_note_for_a_second() -> None:
    unsettled = Unsettled()
    for n in range(10_000):
        unsettled.confirmed(n, n + 1, n / 100)
    assert len(unsettled._spans) <= FIRST_S + 2  # noqa: SLF001


def test_a_store_that_dies_every_twenty_seconds_gets_on() -> None:
    """A minute's worth takes it half a minute again, so it dies before it is through."""
    unsettled, number, now_s = Unsettled(), 0, 0.0
    reached = []
    for _ in range(6):
        for _ in range(20):
            unsettled.confirmed(number, number + 2, now_s)
            number, now_s = number + 2, now_s + 1
        reached.append(number)
        number = unsettled.back() or 0
    assert reached[0] < reached[-1]
    assert reached == sorted(reached)
    assert reached[2] - reached[1] >= 2 * (20 - AGAIN_S - 2)
