"""A later word about an interval or a fault.

- The event it is about is never changed; of several notes about one, the last wins.
- An interval may be split: a note about `part_about` with a reason is about what follows that
  moment in the interval, up to its next part. A note about the same without a reason joins it
  again to what stands before. A note about the interval itself is then about its first part.
- Whether that event exists is not asked: it may be of an earlier epoch, or already given
  up for space, and the note is true all the same.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from gateway.domain.commands import NoteCommand
from gateway.domain.events import Event, Note
from gateway.domain.rules import EquipmentRules
from gateway.domain.state import EquipmentState, Moment
from gateway.domain.vocabulary import stamp

_PART = re.compile(r"([A-Za-z0-9._:-]{1,128})@(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)", re.ASCII)


class Part(NamedTuple):
    """A part of an interval: the id of its event, and since when."""

    id: str
    since: datetime


class Lasting(NamedTuple):
    """One part as it lasts: what notes about it are about, and from when to when."""

    about: str
    since: datetime
    until: datetime | None


def part_about(id_: str, since: datetime) -> str:
    """Return what a note is about that is about a part."""
    return f"{id_}@{stamp(since)}"


def part_of(about: str) -> Part | None:
    """Return the part that a note is about; None if it is about something whole."""
    found = _PART.fullmatch(about)
    if found is None:
        return None
    try:
        return Part(found[1], datetime.fromisoformat(found[2]))
    except ValueError:  # no such day
        return None


def split(
    id_: str, since: datetime, until: datetime | None, cuts: Iterable[datetime]
) -> Iterator[Lasting]:
    """Yield the parts of an interval: they abut, and together they are the interval."""
    within = sorted({cut for cut in cuts if since < cut and (until is None or cut < until)})
    begins = [since, *within]
    for begun, ended in zip(begins, [*within, until], strict=True):
        yield Lasting(id_ if begun == since else part_about(id_, begun), begun, ended)


def obey(
    state: EquipmentState, command: NoteCommand, now: Moment, _rules: EquipmentRules
) -> tuple[EquipmentState, list[Event]]:
    """Return the state as it was, and the note."""
    note = Note(
        at=now.at,
        about=command.about,
        by=command.by,
        comment=command.comment,
        reason=command.reason,
    )
    return state, [note]
