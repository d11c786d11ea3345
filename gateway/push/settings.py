"""Where facts are pushed to, and which."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

CURSOR = "push."
"""How the name of a target's cursor begins in the journal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PushTarget:
    """One HTTP endpoint that takes batches of facts."""

    name: str
    url: str
    secret_file: Path
    """Its first line is the key of the signature."""
    token_file: Path | None = None
    """Its first line is a bearer token."""
    ca_file: Path | None = None
    """The authority of an https endpoint; None: the system's."""
    types: Collection[str] = ()
    """Streams that are pushed; all of them if there is none."""
    equipment: Collection[str] = ()
    """Likewise."""
    flat: Mapping[str, str] = field(default_factory=dict)
    """Field of theirs -> path in the event; with none, CloudEvents are sent."""
    max_events: int = 200
    max_bytes: int = 512 * 1024
    timeout_s: float = 10.0

    @property
    def cursor(self) -> str:
        """Under this name the journal remembers what it has taken."""
        return CURSOR + self.name

    @property
    def label(self) -> str:
        """So a gap event names it as the one that alone goes without."""
        return f"push/{self.name}"
