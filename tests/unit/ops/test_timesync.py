from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.ops import timesync
from gateway.ops.timesync import LOOK_S, ClockTrust, kernel_is_synced
from tests.support.clock import FakeClock


def trust_at(at: datetime, *, synced: bool = True) -> ClockTrust:
    return ClockTrust(FakeClock(at), lambda: synced)


@pytest.mark.parametrize(
    ("year", "synced", "trusted"),
    [(1970, True, False), (2020, True, False), (2026, True, True), (2026, False, False)],
)
def test_a_clock_in_the_past_or_without_a_time_server_is_not_believed(
    year: int, synced: bool, trusted: bool
) -> None:
    assert trust_at(datetime(year, 5, 1, tzinfo=UTC), synced=synced).trusted is trusted


def test_the_system_is_asked_once_a_second() -> None:
    clock, asked = FakeClock(), []

    def is_synced() -> bool:
        asked.append(clock.mono_s())
        return len(asked) > 1

    trust = ClockTrust(clock, is_synced)
    assert [trust.trusted for _ in range(3)] == [False] * 3
    clock.advance(LOOK_S)
    assert trust.trusted
    assert len(asked) == 2


@pytest.mark.parametrize(
    ("answer", "synced"), [(timesync.TIME_ERROR, False), (0, True), (None, True)]
)
def test_the_kernel_is_asked_first(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, answer: int | None, synced: bool
) -> None:
    monkeypatch.setattr(timesync, "ask_kernel", lambda: answer)
    assert kernel_is_synced(tmp_path / "none") is synced


def test_who_may_not_ask_the_kernel_looks_at_what_timesyncd_left(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(timesync, "ask_kernel", lambda: None)
    assert not kernel_is_synced(tmp_path)
    (tmp_path / "synchronized").touch()
    assert kernel_is_synced(tmp_path)


def test_the_question_changes_nothing_and_is_answered() -> None:
    assert timesync.ask_kernel() in {None, *range(6)}
