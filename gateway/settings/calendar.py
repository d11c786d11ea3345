"""From ``shifts.yaml`` to the calendar of each equipment."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, time, tzinfo
from itertools import pairwise
from zoneinfo import ZoneInfo

from gateway.domain.shifts import Pattern, Pause, ShiftCalendar
from gateway.settings.calendar_model import (
    WEEKDAYS,
    CalendarFile,
    OverrideFile,
    PatternFile,
    WeekFile,
)
from gateway.settings.model import GatewayFile
from gateway.settings.node import Node, locate
from gateway.settings.problems import Path, Report
from gateway.settings.site import EquipmentConfig
from gateway.settings.sources import Sources
from gateway.settings.validation import validate
from gateway.settings.words import texts
from gateway.settings.yaml_source import read

FILE = "shifts.yaml"
_DAY_MINUTES = 24 * 60
_WEEK = 7


@dataclass(frozen=True, slots=True)
class Spot:
    """Where an equipment stands, as overrides name it."""

    area: str
    line: str
    equipment: str


class CalendarReader:
    """Builds calendars; every shift it meets must be one of the file's patterns."""

    def __init__(self, file: CalendarFile, node: Node, zone: tzinfo, report: Report) -> None:
        """Take the checked file and the tree it came from."""
        self._file = file
        self._node = node
        self._zone = zone
        self._report = report
        self._patterns = {code: _pattern(code, pattern) for code, pattern in file.patterns.items()}

    def check(self, spots: Sequence[Spot]) -> None:
        """Report everything that is wrong or of no use."""
        for code, pattern in self._file.patterns.items():
            self._check_breaks(code, pattern)
        self._check_days((), self._file.week, self._file.exceptions)
        for number, override in enumerate(self._file.overrides):
            path: Path = ("overrides", number)
            self._check_days(path, override.week, override.exceptions)
            if not any(_fits(override, spot) for spot in spots):
                self._report.add("override_of_nobody", locate(self._node, path), path)

    def calendar(self, spot: Spot) -> ShiftCalendar:
        """Return the calendar of one equipment."""
        file = self._file
        week, exceptions = file.week, dict(file.exceptions)
        fitting = [override for override in file.overrides if _fits(override, spot)]
        for override in sorted(fitting, key=_narrowness):
            week = override.week or week
            exceptions |= override.exceptions
        return ShiftCalendar(
            zone=self._zone,
            week={number: self._shifts(getattr(week, day)) for number, day in enumerate(WEEKDAYS)},
            exceptions={
                date.fromisoformat(day): self._shifts(codes) for day, codes in exceptions.items()
            },
            day_starts=time.fromisoformat(file.day_starts),
        )

    def _shifts(self, codes: Sequence[str]) -> tuple[Pattern, ...]:
        return tuple(self._patterns[code] for code in codes if code in self._patterns)

    def _check_days(
        self, path: Path, week: WeekFile | None, exceptions: Mapping[str, Sequence[str]]
    ) -> None:
        for day in exceptions:
            self._check_codes((*path, "exceptions", day), exceptions[day])
        if week is None:
            return
        for day in WEEKDAYS:
            self._check_codes((*path, "week", day), getattr(week, day))
        self._check_overlaps((*path, "week"), week)

    def _check_codes(self, path: Path, codes: Sequence[str]) -> None:
        for number, code in enumerate(codes):
            if code not in self._patterns:
                here = (*path, number)
                place = locate(self._node, here)
                self._report.add_unknown("unknown_shift", place, here, code, self._patterns)

    def _check_breaks(self, code: str, file: PatternFile) -> None:
        shift = _minutes(file.start, file.end)
        for number, pause in enumerate(file.breaks):
            begins, ends = _minutes(pause.start, pause.end)
            if begins < shift[0]:
                begins, ends = begins + _DAY_MINUTES, ends + _DAY_MINUTES
            if ends > shift[1]:
                path: Path = ("patterns", code, "breaks", number)
                place = locate(self._node, path)
                self._report.add("break_outside", place, path, start=file.start, end=file.end)

    def _check_overlaps(self, path: Path, week: WeekFile) -> None:
        """Look at the week as it repeats: Sunday's night shift may reach into Monday."""
        begun = sorted(self._begun(week))
        for (one_begins, one_ends, _, _, one), (begins, _, day, number, code) in pairwise(begun):
            if begins < one_ends and begins - one_begins < _WEEK * _DAY_MINUTES:
                here = (*path, WEEKDAYS[day], number)
                place = locate(self._node, here)
                self._report.add("shifts_overlap", place, here, name=code, other=one)

    def _begun(self, week: WeekFile) -> Iterator[tuple[int, int, int, int, str]]:
        for day in range(_WEEK + 1):
            for number, code in enumerate(getattr(week, WEEKDAYS[day % _WEEK])):
                if code in self._file.patterns:
                    pattern = self._file.patterns[code]
                    begins, ends = _minutes(pattern.start, pattern.end)
                    offset = day * _DAY_MINUTES
                    yield offset + begins, offset + ends, day % _WEEK, number, code


def _pattern(code: str, file: PatternFile) -> Pattern:
    pauses = (
        Pause(time.fromisoformat(pause.start), time.fromisoformat(pause.end))
        for pause in file.breaks
    )
    return Pattern(
        code=code,
        start=time.fromisoformat(file.start),
        end=time.fromisoformat(file.end),
        breaks=tuple(pauses),
        text=texts(file.name),
    )


def _minutes(start: str, end: str) -> tuple[int, int]:
    """Return begin and end in minutes of the day it begins on."""
    clocks = (time.fromisoformat(start), time.fromisoformat(end))
    begins, ends = (clock.hour * 60 + clock.minute for clock in clocks)
    return begins, ends if ends > begins else ends + _DAY_MINUTES


def _fits(override: OverrideFile, spot: Spot) -> bool:
    pairs = (
        (override.area, spot.area),
        (override.line, spot.line),
        (override.equipment, spot.equipment),
    )
    return all(wanted is None or wanted == own for wanted, own in pairs)


def _narrowness(override: OverrideFile) -> tuple[bool, bool, bool]:
    return override.equipment is not None, override.line is not None, override.area is not None


def with_calendars(
    sources: Sources,
    gateway: GatewayFile | None,
    configs: Mapping[str, EquipmentConfig],
    report: Report,
) -> dict[str, EquipmentConfig]:
    """Return the equipment with its shifts, if the site has a ``shifts.yaml``."""
    path = sources.directory / FILE
    if not path.exists():
        return dict(configs)
    node = read(path, FILE, report)
    file = None if node is None else validate(CalendarFile, node, report)
    if node is None or file is None:
        return dict(configs)
    zone = ZoneInfo("UTC" if gateway is None else gateway.timezone)
    reader = CalendarReader(file, node, zone, report)
    reader.check([_spot(config) for config in configs.values()])
    return {
        name: replace(config, rules=replace(config.rules, calendar=reader.calendar(_spot(config))))
        for name, config in configs.items()
    }


def _spot(config: EquipmentConfig) -> Spot:
    return Spot(config.area, config.line, config.equipment)
