from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from pathlib import Path

import pytest

from gateway.domain.shifts import MIDNIGHT, Pause, ShiftCalendar, shift_at
from gateway.settings.load import load
from gateway.settings.problems import ConfigProblems, Problem
from tests.support.config_site import GOOD, write_site
from tests.support.fake_protocol import spec_of

TWO = """\
patterns:
  A: {name: {zh: 白班, en: Day}, start: 08:00, end: 20:00, breaks: [{start: 12:00, end: 12:30}]}
  C: {start: 20:00, end: 08:00, breaks: [{start: 23:45, end: 00:15}, {start: 03:00, end: 03:30}]}
"""
WEEK = "week: {mon: [A, C], tue: [A, C], wed: [A, C], thu: [A, C], fri: [A, C], sun: [A]}\n"

NIGHT_AND_EARLY = """\
patterns:
  N: {start: 22:00, end: 07:00}
  E: {start: 06:00, end: 14:00}
"""
LATE_BREAK = """\
patterns:
  A: {start: 08:00, end: 16:00, breaks: [{start: 15:30, end: 16:30}]}
"""


def calendar(directory: Path, shifts: str) -> ShiftCalendar | None:
    write_site(directory, {**GOOD, "shifts.yaml": shifts})
    return load(directory, spec_of=spec_of).equipment["press-07"].rules.calendar


def problems(directory: Path, shifts: str) -> list[Problem]:
    write_site(directory, {**GOOD, "shifts.yaml": shifts})
    try:
        return list(load(directory, spec_of=spec_of).warnings)
    except ConfigProblems as err:
        return err.problems


def lines(found: list[Problem]) -> Iterator[str]:
    for problem in found:
        assert problem.file == "shifts.yaml"
        yield f"{problem.line} {problem.key} {problem.code}"


def test_a_site_without_shifts_has_no_calendar(tmp_path: Path) -> None:
    write_site(tmp_path)
    assert load(tmp_path, spec_of=spec_of).equipment["press-07"].rules.calendar is None


def test_a_week_and_its_exceptions(tmp_path: Path) -> None:
    found = calendar(tmp_path, TWO + WEEK + "exceptions: {2026-10-01: [], 2026-10-10: [A]}\n")
    assert found is not None
    assert str(found.zone) == "Asia/Shanghai"
    assert found.day_starts == MIDNIGHT
    (day,) = found.week[6]
    assert (day.code, day.start, day.end) == ("A", time(8), time(20))
    assert day.text == {"zh": "白班", "en": "Day"}
    assert day.breaks == (Pause(time(12), time(12, 30)),)
    assert [pattern.code for pattern in found.week[0]] == ["A", "C"]
    assert found.week[5] == ()
    assert found.exceptions == {date(2026, 10, 1): (), date(2026, 10, 10): (day,)}
    shift = shift_at(found, datetime(2026, 3, 20, 20, tzinfo=UTC))
    assert shift is not None
    assert shift.data() == {"code": "C", "production_date": "2026-03-20"}


def test_the_start_of_the_production_day(tmp_path: Path) -> None:
    found = calendar(tmp_path, "day_starts: 06:30\n" + TWO + WEEK)
    assert found is not None
    assert found.day_starts == time(6, 30)


@pytest.mark.parametrize(
    ("overrides", "monday", "holiday"),
    [
        ("[]", "AC", "-"),
        ("[{area: stamping, week: {mon: [A]}}]", "A", "-"),
        ("[{equipment: press-07, week: {mon: []}}, {area: stamping, week: {mon: [A]}}]", "", "-"),
        ("[{line: line-1, week: {mon: [C]}}, {area: stamping, week: {mon: [A]}}]", "C", "-"),
        ("[{line: line-1, exceptions: {2026-10-01: [A]}}]", "AC", "A"),
        ("[{line: line-1, area: stamping, exceptions: {2026-10-02: [A]}}]", "AC", "-"),
    ],
)
def test_the_narrowest_override_counts(
    tmp_path: Path, overrides: str, monday: str, holiday: str
) -> None:
    shifts = f"{TWO}{WEEK}exceptions: {{2026-10-01: []}}\noverrides: {overrides}\n"
    found = calendar(tmp_path, shifts)
    assert found is not None
    assert "".join(pattern.code for pattern in found.week[0]) == monday
    codes = "".join(pattern.code for pattern in found.exceptions[date(2026, 10, 1)])
    assert codes == holiday.strip("-")


@pytest.mark.parametrize(
    ("shifts", "expected"),
    [
        (TWO + "week: {mon: [A, B]}\n", ["4 week.mon[1] unknown_shift"]),
        (
            TWO + "week: {}\nexceptions: {2026-10-01: [X]}\n",
            ["5 exceptions.2026-10-01[0] unknown_shift"],
        ),
        (TWO + "week: {mon: [A, A]}\n", ["4 week.mon[1] shifts_overlap"]),
        (
            NIGHT_AND_EARLY + "week: {sun: [N], mon: [E]}\n",
            ["4 week.mon[0] shifts_overlap"],
        ),
        (
            LATE_BREAK + "week: {}\n",
            ["2 patterns.A.breaks[0] break_outside"],
        ),
        (
            TWO + "week: {}\noverrides:\n  - {equipment: press-08}\n",
            ["6 overrides[0] override_of_nobody"],
        ),
        (TWO + "week: {}\noverrides:\n  - {week: {}}\n", ["6 overrides[0] override_nowhere"]),
        (
            "patterns: {A: {start: 25:00, end: 08:00}}\nweek: {}\n",
            ["1 patterns.A.start bad_clock"],
        ),
        (
            TWO + "week: {}\nexceptions: {2026-02-30: []}\n",
            ["5 exceptions.2026-02-30 bad_date"],
        ),
        (TWO + "week: {monday: [A]}\n", ["4 week.monday unknown_key_guess"]),
        ("patterns: {}\nweek: {}\n", ["1 patterns too_short"]),
        ("week: [\n", ["2  unclosed_bracket"]),
    ],
)
def test_what_is_wrong_is_said_with_its_place(
    tmp_path: Path, shifts: str, expected: list[str]
) -> None:
    assert list(lines(problems(tmp_path, shifts))) == expected


def test_sentences_in_both_languages(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, TWO + "week: {mon: [A, B]}\n")
    assert problem.text == {"zh": "没有班次“B”", "en": "there is no shift 'B'"}
    assert problem.hint == {"zh": "可用：A, C", "en": "known: A, C"}


def test_shifts_are_checked_also_where_the_gateway_file_is_wrong(tmp_path: Path) -> None:
    files = {**GOOD, "shifts.yaml": TWO + "week: {mon: [B]}\n", "gateway.yaml": "site: x\n"}
    write_site(tmp_path, files)
    with pytest.raises(ConfigProblems) as refused:
        load(tmp_path, spec_of=spec_of)
    assert "unknown_shift" in {problem.code for problem in refused.value.problems}
