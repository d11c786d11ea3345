"""What ``shifts.yaml`` may say: when people work."""

from datetime import date, time
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from gateway.settings.words import Line, Name, Strict, Texts

MAX_PATTERNS = 50
MAX_EXCEPTIONS = 2000
MAX_OVERRIDES = 500
MAX_SHIFTS_A_DAY = 12
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _clock(value: str) -> str:
    try:
        time.fromisoformat(value)
    except ValueError:
        raise PydanticCustomError("bad_clock", "no such time") from None
    return value


def _date(value: str) -> str:
    try:
        date.fromisoformat(value)
    except ValueError:
        raise PydanticCustomError("bad_date", "no such date") from None
    return value


_CLOCK_PATTERN = r"^\d{2}:\d{2}$"
_DATE_PATTERN = r"^\d{4}-\d{2}-\d{2}$"
Clock = Annotated[str, Field(pattern=_CLOCK_PATTERN), AfterValidator(_clock)]
Date = Annotated[str, Field(pattern=_DATE_PATTERN), AfterValidator(_date)]
Code = Annotated[str, Field(min_length=1, max_length=20)]
Shifts = Annotated[tuple[Line, ...], Field(strict=False, max_length=MAX_SHIFTS_A_DAY)]


class BreakFile(Strict):
    """A planned stop within a shift."""

    start: Clock
    end: Clock


class PatternFile(Strict):
    """A shift by the clock on the wall; an ``end`` not after ``start`` is on the next day."""

    name: Texts = Field(default_factory=dict)
    start: Clock
    end: Clock
    breaks: Annotated[tuple[BreakFile, ...], Field(strict=False, max_length=20)] = ()


class WeekFile(Strict):
    """The shifts that begin on each weekday; none where nothing is written."""

    mon: Shifts = ()
    tue: Shifts = ()
    wed: Shifts = ()
    thu: Shifts = ()
    fri: Shifts = ()
    sat: Shifts = ()
    sun: Shifts = ()


class OverrideFile(Strict):
    """Where the calendar differs; the narrowest that fits an equipment counts."""

    area: Name | None = None
    line: Name | None = None
    equipment: Name | None = None
    week: WeekFile | None = None
    """Replaces the site's week."""
    exceptions: Annotated[dict[Date, Shifts], Field(max_length=MAX_EXCEPTIONS)] = Field(
        default_factory=dict
    )
    """Laid over the site's exceptions."""

    @model_validator(mode="after")
    def _somewhere(self) -> Self:
        if self.area is self.line is self.equipment is None:
            raise PydanticCustomError("override_nowhere", "of whom")
        return self


class CalendarFile(Strict):
    """``shifts.yaml``; times are in the site's time zone."""

    day_starts: Clock = "00:00"
    """A shift that begins before it belongs to the production date before."""
    patterns: Annotated[dict[Code, PatternFile], Field(min_length=1, max_length=MAX_PATTERNS)]
    """The code of each shift, as it stands on every fact."""
    week: WeekFile
    exceptions: Annotated[dict[Date, Shifts], Field(max_length=MAX_EXCEPTIONS)] = Field(
        default_factory=dict
    )
    """Date -> the shifts that begin on it instead of the week's; none on a holiday."""
    overrides: Annotated[
        tuple[OverrideFile, ...], Field(strict=False, max_length=MAX_OVERRIDES)
    ] = ()
