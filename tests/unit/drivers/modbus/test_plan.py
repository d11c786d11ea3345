from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.modbus.address import BIT_TABLES, Table
from drivers.modbus.areas import Area
from drivers.modbus.plan import Block, GroupPlan, Limits, Place, plan

TABLES: tuple[Table, ...] = ("coil", "di", "ir", "hr")
STRICT = Limits(max_gap_registers=0)


def places(*spans: tuple[int, int], table: Table = "hr") -> list[Place]:
    return [Place(f"{table}{at}", table, at, width) for at, width in spans]


def shape(blocks: tuple[Block, ...]) -> list[tuple[str, int, int]]:
    return [(block.table, block.start, block.count) for block in blocks]


def test_neighbours_share_a_request() -> None:
    assert shape(plan(places((0, 1), (1, 2), (3, 4)), STRICT)) == [("hr", 0, 7)]


def test_a_gap_is_read_along_up_to_the_limit_only() -> None:
    tags = places((0, 1), (17, 1), (35, 1))
    assert shape(plan(tags, Limits(max_gap_registers=16))) == [("hr", 0, 18), ("hr", 35, 1)]


def test_sixteen_bits_of_gap_count_as_one_register() -> None:
    tags = places((0, 1), (17, 1), (34, 1), (51, 1), table="coil")
    assert shape(plan(tags, Limits(max_gap_registers=1))) == [("coil", 0, 52)]
    assert len(plan(places((0, 1), (18, 1), table="coil"), Limits(max_gap_registers=1))) == 2


def test_a_value_is_never_split() -> None:
    tags = places(*((2 * i, 2) for i in range(63)))
    assert shape(plan(tags, Limits())) == [("hr", 0, 124), ("hr", 124, 2)]


def test_tables_are_never_mixed() -> None:
    tags = [Place(table, table, 0) for table in TABLES]
    assert shape(plan(tags, Limits())) == [(t, 0, 1) for t in ("coil", "di", "hr", "ir")]


def test_tags_on_the_same_register_share_it() -> None:
    tags = [Place("a", "hr", 5), Place("b", "hr", 5), Place("c", "hr", 4, 4)]
    assert shape(plan(tags, STRICT)) == [("hr", 4, 4)]


def test_a_gap_begins_behind_the_longest_value() -> None:
    tags = places((0, 4), (1, 1), (20, 1))
    assert shape(plan(tags, Limits(max_gap_registers=16))) == [("hr", 0, 21)]


def test_a_device_with_small_messages_gets_small_requests() -> None:
    blocks = plan(places(*((i, 1) for i in range(50))), Limits(max_registers=20))
    assert shape(blocks) == [("hr", 0, 20), ("hr", 20, 20), ("hr", 40, 10)]


def test_a_plan_reads_like_a_sentence() -> None:
    block = plan(places((100, 2), (139, 1)), Limits(request_worth=40))[0]
    assert str(block) == "FC3 40101 (hr:100) .. 40140 (hr:139): 40 registers, 2 tags"


spans = st.builds(
    lambda table, offset, width: (table, offset, 1 if table in BIT_TABLES else width),
    st.sampled_from(TABLES),
    st.one_of(st.integers(0, 300), st.integers(0, 65532)),
    st.sampled_from([1, 2, 4]),
)
limits_ = st.builds(
    Limits,
    st.integers(4, 125),
    st.integers(1, 2000),
    st.sampled_from([None, 0, 1, 16, 40]),
    st.sampled_from([0.5, 7.3, 16.0, 60.0]),
)


def tags_of(found: list[tuple[Table, int, int]]) -> list[Place]:
    return [Place(f"t{i}", *span) for i, span in enumerate(found)]


@given(st.lists(spans, max_size=60), limits_)
def test_every_tag_is_covered_exactly_once_within_the_limits(
    found: list[tuple[Table, int, int]], limits: Limits
) -> None:
    tags = tags_of(found)
    blocks = plan(tags, limits)
    planned = [place for block in blocks for place in block.places]
    assert sorted(p.key for p in planned) == sorted(p.key for p in tags)
    for block in blocks:
        assert 1 <= block.count <= limits.count(block.table)
        assert block.start + block.count <= 65536
        for place in block.places:
            assert place.table == block.table
            assert block.start <= place.offset
            assert place.end <= block.start + block.count


@given(st.lists(spans, max_size=12, unique=True), limits_)
def test_no_two_neighbouring_requests_would_cost_less_as_one(
    found: list[tuple[Table, int, int]], limits: Limits
) -> None:
    blocks = plan(tags_of(found), limits)
    for first, second in pairwise(blocks):
        together = max(first.start + first.count, second.start + second.count) - first.start
        apart = second.start - (first.start + first.count)
        assert (
            first.table != second.table
            or together > limits.count(first.table)
            or apart > limits.gap(first.table)
        )


def cost(blocks: Iterable[Block], limits: Limits) -> tuple[float, int]:
    """Return what a plan costs, in addresses, and how many requests it has."""
    found = list(blocks)
    return sum(limits.worth(block.table) + block.count for block in found), len(found)


def block_of(members: Sequence[Place]) -> Block:
    start = min(place.offset for place in members)
    end = max(place.end for place in members)
    return Block(members[0].table, start, end - start, tuple(members))


def is_legal(members: Sequence[Place], limits: Limits, walls: Sequence[Area]) -> bool:
    block = block_of(members)
    used = {at for place in members for at in range(place.offset, place.end)}
    unused = [at for at in range(block.start, block.start + block.count) if at not in used]
    runs = "".join(
        "x" if at in used else "." for at in range(block.start, block.start + block.count)
    )
    longest = max((len(run) for run in runs.split("x")), default=0)
    walled = {
        at for area in walls if area.table == block.table for at in range(area.first, area.end)
    }
    return (
        block.count <= limits.count(block.table)
        and longest <= limits.gap(block.table)
        and not walled & set(unused)
    )


def partitions(places: Sequence[Place]) -> Iterator[list[list[Place]]]:
    """Yield every way to share places out to requests."""
    if not places:
        yield []
        return
    first, *rest = places
    for sharing in partitions(rest):
        yield [[first], *sharing]
        for index, members in enumerate(sharing):
            yield [*sharing[:index], [first, *members], *sharing[index + 1 :]]


few = st.builds(
    lambda offset, width: ("hr", offset, width), st.integers(0, 30), st.sampled_from([1, 2, 4])
)
areas_ = st.builds(
    lambda first, size: Area("hr", first, first + size), st.integers(0, 30), st.integers(1, 3)
)
tight = st.builds(
    Limits,
    st.integers(4, 20),
    max_gap_registers=st.sampled_from([None, 0, 2, 8]),
    request_worth=st.sampled_from([0.5, 3.0, 6.0, 20.0]),
)


@settings(max_examples=200)
@given(st.lists(few, min_size=1, max_size=6), tight, st.lists(areas_, max_size=2))
def test_no_way_to_share_the_tags_out_is_cheaper(
    found: list[tuple[Table, int, int]], limits: Limits, areas: list[Area]
) -> None:
    limits = replace(limits, forbidden=tuple(areas))
    tags = [t for t in tags_of(found) if not any(touches(t, area) for area in areas)]
    ways = [
        cost(map(block_of, way), limits)
        for way in partitions(tags)
        if all(is_legal(members, limits, areas) for members in way)
    ]
    best, requests = min(ways)
    mine, count = cost(plan(tags, limits), limits)
    assert mine == pytest.approx(best)
    assert count <= requests or mine < best


def touches(place: Place, area: Area) -> bool:
    return place.table == area.table and place.offset < area.end and area.first < place.end


def greedy(places: Sequence[Place], limits: Limits) -> list[Block]:
    """Read along whatever still fits: what a planner without costs does."""
    blocks: list[list[Place]] = []
    for place in sorted(places, key=lambda p: (p.table, p.offset, p.end)):
        last = blocks[-1] if blocks else []
        if last and last[0].table == place.table and is_legal([*last, place], limits, []):
            last.append(place)
        else:
            blocks.append([place])
    return [block_of(members) for members in blocks]


@given(
    st.lists(
        st.builds(lambda at, width: ("hr", at, width), st.integers(0, 300), st.integers(1, 4)),
        min_size=1,
        max_size=40,
    ),
    st.builds(Limits, st.integers(4, 125), request_worth=st.sampled_from([1.0, 8.0, 30.0])),
)
def test_it_is_never_dearer_than_taking_all_that_fits(
    found: list[tuple[Table, int, int]], limits: Limits
) -> None:
    tags = tags_of(found)
    assert cost(plan(tags, limits), limits)[0] <= cost(greedy(tags, limits), limits)[0] + 1e-6


@given(st.lists(spans, max_size=40), limits_, st.lists(areas_, max_size=4))
def test_nothing_forbidden_is_read(
    found: list[tuple[Table, int, int]], limits: Limits, areas: list[Area]
) -> None:
    limits = replace(limits, forbidden=tuple(areas))
    tags = [t for t in tags_of(found) if not any(touches(t, area) for area in areas)]
    blocks = plan(tags, limits)
    assert sorted(p.key for b in blocks for p in b.places) == sorted(t.key for t in tags)
    for block in blocks:
        read = Place("", block.table, block.start, block.count)
        assert not any(touches(read, area) for area in areas)


def test_a_small_wall_behind_a_large_one_does_not_hide_it() -> None:
    walls = places((0, 20), (5, 1))
    assert len(plan(places((7, 1), (15, 1)), Limits(), walls=walls)) == 2
    assert len(plan(places((21, 1), (25, 1)), Limits(), walls=walls)) == 1


def test_what_a_request_costs_decides_about_a_gap() -> None:
    tags = places((0, 1), (11, 1))
    assert len(plan(tags, Limits(request_worth=10))) == 1
    assert len(plan(tags, Limits(request_worth=9.9))) == 2


def test_a_value_too_many_is_put_where_it_costs_least() -> None:
    tags = places((0, 1), (8, 1), (10, 1))
    assert shape(plan(tags, Limits(max_registers=10, request_worth=20))) == [
        ("hr", 0, 1),
        ("hr", 8, 3),
    ]


def test_one_tag_per_request_shares_one_place_only() -> None:
    tags = [Place("a", "hr", 0), Place("b", "hr", 0), Place("c", "hr", 1), Place("d", "hr", 0, 2)]
    blocks = plan(tags, Limits(one_tag=True))
    assert [(b.start, b.count, len(b.places)) for b in blocks] == [(0, 2, 4)]
    blocks = plan(places((0, 1), (1, 1), (2, 2)), Limits(one_tag=True))
    assert shape(blocks) == [("hr", 0, 1), ("hr", 1, 1), ("hr", 2, 2)]


def test_ten_thousand_tags_are_planned_at_once() -> None:
    tags = places(*((i, 1) for i in range(10_000)), table="coil")
    begun = process_time()
    assert len(plan(tags, Limits())) == 5
    assert process_time() - begun < 10


@given(st.lists(spans, max_size=40), st.sets(st.integers(0, 39)), limits_)
def test_no_gap_crosses_a_wall(
    found: list[tuple[Table, int, int]], walled: set[int], limits: Limits
) -> None:
    tags = tags_of(found)
    walls = [tag for i, tag in enumerate(tags) if i in walled]
    rest = [tag for i, tag in enumerate(tags) if i not in walled]
    for block in plan(rest, limits, walls=walls):
        used = {at for place in block.places for at in range(place.offset, place.end)}
        read = set(range(block.start, block.start + block.count))
        illegal = {at for w in walls if w.table == block.table for at in range(w.offset, w.end)}
        assert not (read - used) & illegal


def settle(group: GroupPlan, illegal: set[int], *, now_s: float = 0.0) -> tuple[GroupPlan, int]:
    """Play a device that refuses what touches an illegal address; count the requests."""
    unknown = list(group.blocks)
    requests = 0
    while unknown:
        block = unknown.pop()
        requests += 1
        if illegal & set(range(block.start, block.start + block.count)):
            group = group.refused(block, now_s=now_s, retry_s=60)
            unknown += block.halves()
    return group, requests


def test_an_illegal_register_is_isolated_by_name_and_its_neighbours_live() -> None:
    group = GroupPlan.of(places(*((i, 1) for i in range(100))), Limits())
    group, requests = settle(group, {42})
    assert [q.place.key for q in group.quarantine] == ["hr42"]
    assert len([p for b in group.blocks for p in b.places]) == 99
    assert requests < 20
    assert shape(group.settled().blocks) == [("hr", 0, 42), ("hr", 43, 57)]


def test_an_illegal_gap_costs_a_request_but_no_tag() -> None:
    group = GroupPlan.of(places((0, 1), (5, 1)), Limits())
    group, _ = settle(group, {3})
    assert not group.quarantine
    assert shape(group.blocks) == [("hr", 0, 1), ("hr", 5, 1)]


def test_a_quarantined_tag_is_asked_again_when_its_time_has_come_and_can_recover() -> None:
    group, _ = settle(GroupPlan.of(places((0, 1), (1, 1)), Limits()), {1}, now_s=100)
    assert not group.retries(159.9, 4)
    (again,) = group.retries(160, 4)
    assert shape((again,)) == [("hr", 1, 1)]
    refused = group.refused(again, now_s=160, retry_s=60)
    assert len(refused.quarantine) == 1
    assert not refused.retries(219, 4)
    group = group.recovered(again).settled()
    assert not group.quarantine
    assert shape(group.blocks) == [("hr", 0, 2)]


@given(
    st.lists(spans, min_size=1, max_size=30, unique=True),
    st.sets(st.integers(0, 310), max_size=12),
)
def test_exactly_the_illegal_tags_end_in_quarantine(
    found: list[tuple[Table, int, int]], illegal: set[int]
) -> None:
    tags = tags_of(found)
    group, _ = settle(GroupPlan.of(tags, Limits()), illegal)
    expected = {t.key for t in tags if illegal & set(range(t.offset, t.end))}
    assert {q.place.key for q in group.quarantine} == expected
    living = {place.key for block in group.blocks for place in block.places}
    assert living == {t.key for t in tags} - expected
