"""A later word about an interval or a fault.

- The event it is about is never changed; of several notes about one, the last wins.
- Whether that event exists is not asked: it may be of an earlier epoch, or already given
  up for space, and the note is true all the same.
"""

from gateway.domain.commands import NoteCommand
from gateway.domain.events import Event, Note
from gateway.domain.rules import EquipmentRules
from gateway.domain.state import EquipmentState, Moment


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
