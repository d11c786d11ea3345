import pytest

from drivers.planned import LinkPlan, PlannedGroup, PlannedRequest, loads_of


def link(bus: str, *scans: tuple[float, float | None], timeout_s: float = 0.5) -> LinkPlan:
    groups = tuple(
        PlannedGroup(f"g{i}", interval_s, (PlannedRequest("", (), scan_s),))
        for i, (scan_s, interval_s) in enumerate(scans)
    )
    return LinkPlan(bus, "", timeout_s, groups)


def test_links_of_one_bus_wait_for_each_other() -> None:
    plans = {
        "a": link("line", (0.1, 1.0), (0.2, 10.0)),
        "b": link("line", (0.3, 1.0), timeout_s=2.0),
        "c": link("else", (0.1, 0.1)),
    }
    other, line = loads_of(plans)
    assert (line.bus, line.links) == ("line", ("a", "b"))
    assert line.load == pytest.approx(0.1 + 0.02 + 0.3)
    assert line.pass_s == pytest.approx(0.6)
    assert line.worst_period_s(2) == pytest.approx(0.6 + 2 * 2.0)
    assert other.load == pytest.approx(1.0)


def test_what_is_pushed_takes_no_time() -> None:
    (only,) = loads_of({"ua": link("server", (0.0, None))})
    assert (only.load, only.pass_s) == (0, 0)
