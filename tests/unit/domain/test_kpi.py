from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.kpi import NOTHING_COUNTED, Kpi, Output, Parts, combined, kpi, made
from gateway.domain.vocabulary import CounterKind
from gateway.domain.worktime import Times

AT = datetime(2026, 3, 20, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def parts(kind: CounterKind, quantity: float, ideal_s: float | None = 1.0, **more: str) -> Parts:
    return Parts(AT, kind, quantity, ideal_s, **more)  # type: ignore[arg-type]


def kinds(*names: CounterKind) -> frozenset[CounterKind]:
    return frozenset(names)


def a_shift() -> Kpi:
    """The example of the documentation."""
    times = Times(
        production=373 * MINUTE,
        setup=20 * MINUTE,
        delay=17 * MINUTE,
        down=10 * MINUTE,
        planned_stop=60 * MINUTE,
    )
    output = made([parts("good", 18_848), parts("reject", 423)], kinds("good", "reject"))
    return kpi(times, output)


def test_the_ratios_and_what_they_rest_on() -> None:
    found = a_shift()
    assert found.availability == pytest.approx(373 / 420)
    assert found.performance == pytest.approx(19_271 / (373 * 60))
    assert found.quality == pytest.approx(18_848 / 19_271)
    assert found.oee == pytest.approx(18_848 / (420 * 60))
    data = found.data()
    assert data["missing"] == {}
    assert data["inputs"]["produced"] == 19_271
    assert data["inputs"]["ideal_s"] == 19_271
    assert data["inputs"]["planned_busy_s"] == 420 * 60


def test_nothing_is_never_a_hundred_percent() -> None:
    found = kpi(Times(planned_stop=60 * MINUTE), made([], kinds("good", "reject")))
    assert (found.availability, found.performance, found.quality, found.oee) == (None,) * 4
    assert found.missing == {
        "availability": "no_planned_time",
        "performance": "no_production_time",
        "quality": "no_parts",
        "oee": "no_planned_time",
    }


def test_an_unknown_shift_is_not_an_unplanned_one() -> None:
    found = kpi(Times(unknown=MINUTE, planned_stop=MINUTE), NOTHING_COUNTED)
    assert found.missing["availability"] == "nothing_known"


def test_standing_all_shift_is_zero_and_not_unknown() -> None:
    found = kpi(Times(down=60 * MINUTE), made([], kinds("good", "reject")))
    assert found.availability == 0
    assert found.missing["oee"] == "no_production_time"


@pytest.mark.parametrize(
    ("counted", "booked", "produced", "good", "missing"),
    [
        (kinds(), [], None, None, "no_part_counter"),
        (kinds("energy", "cycle"), [parts("cycle", 9)], None, None, "no_part_counter"),
        (kinds("reject"), [parts("reject", 9)], None, None, "no_part_counter"),
        (kinds("good"), [parts("good", 9)], 9, None, "no_reject_counter"),
        (kinds("total"), [parts("total", 9)], 9, None, "no_good_counter"),
        (kinds("good", "total"), [parts("good", 8), parts("total", 9)], 9, 8, None),
        (kinds("reject", "total"), [parts("reject", 1), parts("total", 9)], 9, 8, None),
        (
            kinds("reject", "rework", "total"),
            [parts("reject", 1), parts("rework", 2), parts("total", 9)],
            9,
            6,
            None,
        ),
        (kinds("good", "rework"), [parts("good", 8), parts("rework", 1)], 9, 8, None),
        (
            kinds("good", "total"),
            [parts("good", 10), parts("total", 9)],
            9,
            None,
            "counts_contradict",
        ),
        (
            kinds("good", "reject"),
            [parts("good", 8), parts("reject", 1), parts("reject", 2, origin="manual")],
            9,
            6,
            None,
        ),
        (
            kinds("good", "reject"),
            [parts("good", 1), parts("reject", 2, origin="manual")],
            1,
            None,
            "counts_contradict",
        ),
    ],
)
def test_what_was_made(
    counted: frozenset[CounterKind],
    booked: list[Parts],
    produced: float | None,
    good: float | None,
    missing: str | None,
) -> None:
    output = made(booked, counted)
    assert (output.produced, output.good, output.good_missing) == (produced, good, missing)
    if missing is not None:
        assert kpi(Times(production=MINUTE), output).missing["quality"] == missing


def test_parts_without_an_ideal_cycle_have_no_performance() -> None:
    output = made([parts("good", 5), parts("good", 5, None)], kinds("good", "reject"))
    assert kpi(Times(production=MINUTE), output).missing["performance"] == "no_ideal_cycle"


def test_each_part_counts_by_the_ideal_cycle_of_its_order() -> None:
    output = made([parts("good", 10, 2.0), parts("good", 10, 4.0)], kinds("good", "reject"))
    assert output.ideal_s == 60


def test_an_ideal_cycle_slower_than_the_machine_shows() -> None:
    found = kpi(Times(production=MINUTE), made([parts("good", 90)], kinds("good", "reject")))
    assert found.performance == 1.5


def test_a_line_is_weighted_and_not_averaged() -> None:
    busy = kpi(
        Times(production=90 * MINUTE, delay=10 * MINUTE),
        made([parts("good", 900), parts("reject", 100)], kinds("good", "reject")),
    )
    short = kpi(
        Times(down=10 * MINUTE, unknown=MINUTE),
        made([parts("reject", 10)], kinds("good", "reject")),
    )
    line = combined([busy, short])
    assert line.availability == pytest.approx(90 / 110)
    assert line.quality == pytest.approx(900 / 1010)
    assert line.times.unknown == MINUTE


def test_a_line_knows_no_more_than_the_machine_that_knows_least() -> None:
    line = combined([a_shift(), kpi(Times(production=MINUTE), NOTHING_COUNTED)])
    assert line.availability is not None
    assert (line.performance, line.quality, line.oee) == (None, None, None)
    assert line.output == Output(
        None, None, None, "no_part_counter", "no_part_counter", "no_part_counter"
    )


def test_a_line_of_no_machines_has_no_figures() -> None:
    assert combined([]).missing["availability"] == "no_planned_time"


DURATIONS = st.timedeltas(timedelta(0), timedelta(days=40))
TIMES = st.builds(Times, *([DURATIONS] * 7))
KINDS: st.SearchStrategy[CounterKind] = st.sampled_from(
    ("good", "reject", "rework", "total", "cycle", "consumed", "energy")
)
PARTS = st.builds(
    Parts,
    st.just(AT),
    KINDS,
    st.floats(0, 2.0**53),
    st.none() | st.floats(0, 1e6),
    st.sampled_from(("device", "manual")),
)


@st.composite
def figures(draw: st.DrawFn) -> Kpi:
    booked = draw(st.lists(PARTS, max_size=8))
    return kpi(draw(TIMES), made(booked, draw(st.frozensets(KINDS))))


@given(figures() | st.lists(figures(), max_size=4).map(combined))
def test_every_ratio_is_within_its_bounds_or_says_why_not(found: Kpi) -> None:
    ratios = {
        "availability": found.availability,
        "performance": found.performance,
        "quality": found.quality,
        "oee": found.oee,
    }
    assert {name for name, ratio in ratios.items() if ratio is None} == found.missing.keys()
    for name, ratio in ratios.items():
        bound = 1 if name in {"availability", "quality"} else float("inf")
        assert ratio is None or 0 <= ratio <= bound
