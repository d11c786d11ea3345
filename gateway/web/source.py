"""Where the board reads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from gateway.domain.vocabulary import Json
from gateway.web.board import EquipmentCard

Trouble = Literal["damaged", "unusable", "unreadable", "unknown_state"]
"""Why: the file is damaged; of another version or program; the system says no; or it holds a
state that this program does not understand."""


class SourceUnavailable(Exception):
    """What the board shows cannot be read now; the next reading may succeed."""

    def __init__(self, text: str, code: Trouble = "unreadable") -> None:
        """``text`` is for who knows the system, ``code`` for everybody else."""
        super().__init__(text)
        self.code = code


@dataclass(frozen=True, slots=True)
class SiteCard:
    """Whose board it is. ``timezone`` is an IANA name: times are shown in it."""

    site: str
    gateway: str
    timezone: str = "UTC"


@dataclass(frozen=True, slots=True)
class BoardReading:
    """What the journal holds now."""

    epoch: str
    head_seq: int
    """The newest seq committed; 0 if there is none."""
    alive_at: datetime | None
    """The collector's newest sign of life, UTC; None if it never gave one."""
    snapshots: Mapping[str, Mapping[str, Json]]
    """equipment -> kind -> ``data`` of its snapshot."""


class BoardSource(Protocol):
    """The journal as the board sees it.

    Reading blocks; the board does it in a thread of its own. It raises SourceUnavailable.
    """

    @property
    def site(self) -> SiteCard:
        """Whose board it is."""
        ...

    @property
    def cards(self) -> Sequence[EquipmentCard]:
        """The equipment configured, in the order of the configuration."""
        ...

    def read(self) -> BoardReading:
        """Return what is committed now."""
        ...
