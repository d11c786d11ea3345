import pytest

from benchmarks.collect import costs, cpu_us_per_value_read, table


def run(collector: str, cpu_pct: float, scans: float = 100.0) -> dict[str, float | str | int]:
    return {
        "collector": collector,
        "devices": 100,
        "cpu_pct": cpu_pct,
        "farm_scans_s": scans,
        "asked_scans_s": 100,
        "rss_mb": 40.0,
        "requests_scan": 3.0,
        "read_p50": 1,
        "read_p99": 3,
    }


def test_cpu_is_divided_by_values_read_not_by_those_delivered() -> None:
    assert cpu_us_per_value_read(run("millgate", 6.8)) == pytest.approx(10.0)
    assert cpu_us_per_value_read(run("millgate", 6.8, scans=50)) == pytest.approx(20.0)


def test_a_collector_that_read_nothing_is_no_bargain() -> None:
    assert cpu_us_per_value_read(run("millgate", 6.8, scans=0)) == float("inf")


def test_repeated_runs_count_by_their_median() -> None:
    (line,) = costs([run("floor", 1.0), run("floor", 9.0), run("floor", 2.0)])
    assert line.cpu_us_per_value_read == pytest.approx(2.0 / 100 * 1e6 / 6800)


def test_each_line_stands_beside_the_floors_of_the_same_run() -> None:
    lines = costs([run("floor", 1.0), run("floor-durable", 2.0), run("millgate", 6.0)])
    rows = table(lines).splitlines()
    assert rows[0].startswith("| collector | devices | CPU us/value read | x floor |")
    assert rows[-1].startswith("| millgate | 100 | 8.82 | 6.0 | 3.0 | - | 40.0 | 3.00 | 100.0% |")


def test_without_a_floor_there_is_no_ratio() -> None:
    assert "| - | - |" in table(costs([run("millgate", 6.0)]))
