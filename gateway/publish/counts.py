"""What the publisher counts, for health and for people."""

from dataclasses import dataclass, field

from gateway.domain.vocabulary import Json


@dataclass(slots=True)
class Held:
    """A message the broker refuses; everything behind it waits."""

    seq: int
    topic: str
    reason: str
    reason_code: int | None
    times: int = 1

    def data(self) -> Json:
        """As it stands in the health."""
        return {
            "seq": self.seq,
            "topic": self.topic,
            "reason": self.reason,
            "reason_code": self.reason_code,
            "times": self.times,
        }


@dataclass(slots=True)
class Counts:
    """Since the start of the process."""

    published: int = 0
    """Events confirmed by the broker; one sent again counts again."""
    replayed: int = 0
    """Events sent because a consumer asked."""
    refused: int = 0
    """Messages the broker refused, each time."""
    dead_letters: int = 0
    """Events set aside because no broker would take them; each is named by a gap event."""
    taken_over: int = 0
    """Sessions ended by somebody else who connected with our client id."""
    kept_out: int = 0
    """Commands that were too many."""
    reconnects: int = 0
    """Sessions after the first."""
    online: bool = False
    broker: str = ""
    """The one that is served, or tried."""
    on_standby: bool = False
    """It is not the first of the configuration."""
    held: Held | None = None
    not_retained: dict[str, str] = field(default_factory=dict)
    """Retained topic -> why the broker refused it last."""
