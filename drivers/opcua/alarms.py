"""Events of alarms and conditions -> the list of what is active (OPC UA Part 9).

Promises:

- An alarm is active as long as its ActiveState says so, any other condition as long as it
  is retained. A condition that is no longer retained is not active, whatever else it says.
- Previous occurrences that wait for an acknowledgement (branches) are not active.
- Until a refresh is over the list is not told: half a list would clear the other half.
- What a refresh does not bring up any more is gone (Part 9, 4.5).
- Every ``refresh_every_s`` a refresh is wanted, whatever was heard. If a server that ends
  its refreshes does not end one, its events do not come through any more.
- The list never holds more than `MAX_ACTIVE`; the least severe are left out, and the value
  is uncertain then.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from drivers.contract import Condition, conditions_text
from drivers.opcua.convert import Sample

MAX_ACTIVE = 200
_HIGHEST_SEVERITY = 1000

What = Literal["condition", "refresh_began", "refresh_ended", "refresh_needed", "overflow"]


@dataclass(frozen=True, slots=True)
class Notice:
    """One event, as far as it is about conditions."""

    what: What
    id: str = ""
    """ConditionId, as text."""
    branch: bool = False
    name: str = ""
    source: str = ""
    text: str = ""
    locale: str = ""
    severity: int = 0
    retain: bool = False
    active: bool | None = None
    """None where the condition is no alarm and has no such state."""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Entry:
    condition: Condition
    suspect: bool = False
    """Known from before a refresh that has not mentioned it yet."""


class ActiveConditions:
    """The active conditions of one notifier."""

    def __init__(
        self, *, text_names: bool, refresh_every_s: float, monotonic: Callable[[], float]
    ) -> None:
        """``text_names``: conditions of one id are told apart by their texts."""
        self._text_names = text_names
        self._refresh_every_s = refresh_every_s
        self._monotonic = monotonic
        self._refresh_at_s = monotonic() + refresh_every_s
        self._ends_refreshes = False
        self._told: Sample | None = None
        self.is_dead = False
        """Whether the item must be made anew."""
        self._active: dict[tuple[str, str], _Entry] = {}
        self._until_s: float | None = None
        self._blind = False
        self._lost = False

    def await_refresh(self, timeout_s: float) -> None:
        """A refresh was asked for; it is taken as over after ``timeout_s`` at the latest."""
        self._until_s = self._monotonic() + timeout_s
        self._refresh_at_s = self._monotonic() + self._refresh_every_s
        self._suspect_all()

    def no_refresh(self) -> None:
        """The server cannot tell what was active before: the list begins empty."""
        self._blind = True
        self._until_s = None

    @property
    def wants_refresh(self) -> bool:
        """Whether something got lost or it is time, and no refresh is under way."""
        due = self._lost or self._monotonic() >= self._refresh_at_s
        return due and self._until_s is None and not self._blind

    def lose(self) -> None:
        """Events got lost on the way."""
        self._lost = True

    def take(self, notice: Notice) -> Sample | None:
        """Take in one event; return the new value if there is one to tell."""
        if notice.what == "condition":
            return self._take_condition(notice)
        if notice.what == "refresh_began":
            self._suspect_all()
        elif notice.what == "refresh_ended":
            self._ends_refreshes = True
            return self._conclude()
        else:
            self._lost = True
        return None

    def overdue(self) -> Sample | None:
        """Return the value if the end of a refresh is overdue."""
        if self._until_s is None or self._monotonic() < self._until_s:
            return None
        if self._ends_refreshes:
            self.is_dead = True
            return None
        return self._conclude()

    def value(self) -> Sample:
        """Return the list as it stands."""
        entries = sorted(self._active.values(), key=_severest_first)[:MAX_ACTIVE]
        text = conditions_text(entry.condition for entry in entries)
        return Sample(text, uncertain=self._blind or len(self._active) > MAX_ACTIVE)

    def _take_condition(self, notice: Notice) -> Sample | None:
        if not notice.id or notice.branch:
            return None  # a message of the system's own, or an occurrence that is over
        before = {key: entry.condition for key, entry in self._active.items()}
        active = notice.retain and notice.active is not False
        key = (notice.id, notice.text if self._text_names else "")
        if active:
            self._active[key] = _Entry(_condition(notice, key[1]))
        else:
            for gone in [key] if key in self._active else list(self._of(notice.id)):
                del self._active[gone]
        after = {key: entry.condition for key, entry in self._active.items()}
        return None if self._until_s is not None or before == after else self._tell()

    def _of(self, condition: str) -> Iterator[tuple[str, str]]:
        return (key for key in self._active if key[0] == condition)

    def _suspect_all(self) -> None:
        self._lost = False
        self._active = {
            key: _Entry(entry.condition, suspect=True) for key, entry in self._active.items()
        }

    def _conclude(self) -> Sample | None:
        self._until_s = None
        self._active = {key: entry for key, entry in self._active.items() if not entry.suspect}
        return self._tell()

    def _tell(self) -> Sample | None:
        """Return the list if it is another than was told last."""
        before, self._told = self._told, self.value()
        return None if self._told == before else self._told


def _condition(notice: Notice, distinct: str) -> Condition:
    return Condition(
        id=f"{notice.id} {distinct}".rstrip(),
        code=notice.name or notice.source or notice.id,
        text=notice.text,
        language=_language(notice),
        severity=min(max(notice.severity, 1), _HIGHEST_SEVERITY),
    )


def _language(notice: Notice) -> Literal["zh", "en"]:
    chinese = any("\u4e00" <= letter <= "\u9fff" for letter in notice.text)
    return "zh" if chinese or notice.locale.lower().startswith("zh") else "en"


def _severest_first(entry: _Entry) -> tuple[int, str]:
    return -entry.condition.severity, entry.condition.id
