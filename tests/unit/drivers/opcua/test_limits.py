from hypothesis import given
from hypothesis import strategies as st

from drivers.opcua.brands import BRANDS
from drivers.opcua.limits import OUR_CHUNK, Limits, chunks, smaller

sizes = st.integers(0, 2000)


def test_none_is_no_limit_and_ours_always_holds() -> None:
    none = Limits()
    assert (none.create_size, none.read_size, none.browse_size, none.path_size) == (OUR_CHUNK,) * 4
    assert Limits(items_per_call=10_000).create_size == OUR_CHUNK
    assert Limits(nodes_per_read=7).read_size == 7


def test_the_narrower_of_two_holds() -> None:
    both = Limits(items_per_call=100, publishing_ms=250).within(
        Limits(items_per_call=1000, nodes_per_read=5, publishing_ms=100, sampling_ms=50)
    )
    assert both == Limits(items_per_call=100, nodes_per_read=5, publishing_ms=250, sampling_ms=50)


def test_a_brand_never_widens_a_limit() -> None:
    tight = Limits(1, 1, 1, 1, 1, 1, 1, 1, 60_000, 60_000)
    assert [brand.limits.within(tight) for brand in BRANDS.values()] == [tight] * len(BRANDS)


@given(sizes, sizes)
def test_smaller(one: int, other: int) -> None:
    assert smaller(one, other) == smaller(other, one)
    assert smaller(one, 0) == one
    if one and other:
        assert smaller(one, other) == min(one, other)


@given(st.lists(st.integers()), st.integers(0, 20))
def test_pieces_hold_everything_in_order_and_none_is_empty(of: list[int], size: int) -> None:
    pieces = list(chunks(of, size))
    assert [one for piece in pieces for one in piece] == of
    assert all(piece and (not size or len(piece) <= size) for piece in pieces)
