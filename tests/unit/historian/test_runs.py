from hypothesis import given
from hypothesis import strategies as st

from gateway.historian.runs import Hole, Runs

numbers = st.lists(st.integers(1, 60), max_size=60)


def seq_of(number: int) -> int:
    return number * 7 + 3


@given(numbers, st.lists(st.tuples(st.integers(1, 60), st.integers(0, 9)), max_size=4))
def test_holes_are_what_is_neither_there_nor_accounted_for(
    rows: list[int], ranges: list[tuple[int, int]]
) -> None:
    runs = Runs()
    known: set[int] = set()
    for number in rows:
        runs = runs.add([(number, seq_of(number))])
        known.add(number)
    for first, more in ranges:
        runs = runs.cover(first, first + more)
        known |= set(range(first, first + more + 1))
    missing = {n for hole in runs.holes() for n in range(hole.first, hole.last + 1)}
    assert missing == set(range(1, max(known, default=0) + 1)) - known
    assert runs.last == next(n for n in range(100) if n + 1 not in known)


@given(numbers, st.permutations(range(1, 31)))
def test_the_order_of_arrival_does_not_matter(rows: list[int], order: list[int]) -> None:
    forwards = Runs().add([(n, seq_of(n)) for n in rows])
    backwards = Runs()
    for n in sorted(rows, key=lambda n: order[n % 30]):
        backwards = backwards.add([(n, seq_of(n))])
    assert forwards == backwards


@given(numbers)
def test_the_seqs_of_a_hole_contain_those_of_its_rows(rows: list[int]) -> None:
    runs = Runs().add([(n, seq_of(n)) for n in rows])
    for hole in runs.holes():
        for n in range(hole.first, hole.last + 1):
            assert hole.from_seq <= seq_of(n) <= hole.to_seq


def test_a_hole_before_an_accounted_range_is_bounded_by_what_follows() -> None:
    runs = Runs().add([(1, 10), (9, 90)]).cover(5, 7, named_at_seq=200)
    assert runs.holes() == [Hole(2, 4, 11, 89), Hole(8, 8, 11, 89)]
    assert (runs.last, runs.last_seq, runs.top_seq) == (1, 10, 90)
