"""A pytest plugin (``-p tests.faults.record``): keeps what each marked test gave.

A test says its figures with ``record_property("wrong values", 0)``. What earlier runs gave for
tests that did not run this time stays, with its own date. Tests may run side by side (``-n 2``).
"""

from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.faults.markers import proofs

RESULTS = Path(__file__).with_name("results.json")
SECONDS_SHOWN = 1


@dataclass(slots=True)
class Result:
    """What the last run of one test gave, all of its parameters together."""

    outcome: str
    ran: int
    seconds: float
    on: str
    figures: dict[str, Any] = field(default_factory=dict)


def load(path: Path = RESULTS) -> dict[str, Result]:
    if not path.exists():
        return {}
    return {test: Result(**result) for test, result in orjson.loads(path.read_bytes()).items()}


def save(results: dict[str, Result], path: Path = RESULTS) -> None:
    ready = {test: asdict(results[test]) for test in sorted(results)}
    path.write_bytes(orjson.dumps(ready, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


class Recorder:
    """Collects the reports of one run."""

    def __init__(self, today: str) -> None:
        self._today = today
        self.results: dict[str, Result] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if "fault" not in report.keywords:
            return
        test = report.nodeid.partition("[")[0]
        result = self.results.setdefault(test, Result("skipped", 0, 0.0, self._today))
        result.seconds = round(result.seconds + report.duration, SECONDS_SHOWN)
        if report.when == "call" and not report.skipped:
            result.ran += 1
            result.figures.update(report.user_properties)
        if report.failed:
            result.outcome = "failed"
        elif result.ran and result.outcome == "skipped":
            result.outcome = "passed"

    def pytest_sessionfinish(self) -> None:
        there = {proof.test for proof in proofs()}
        known = load() | self.results
        save({test: result for test, result in known.items() if test in there})


def pytest_configure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput"):
        return  # one of several processes of a run: what it reports comes to the first
    config.pluginmanager.register(Recorder(f"{datetime.now(UTC):%Y-%m-%d}"), "fault-recorder")
