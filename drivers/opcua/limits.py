"""How much a server takes: what it says itself, what its brand is known for, and our own.

Promises:

- 0 stands for "no limit" and never makes a limit smaller or a piece empty.
- The smaller of two limits holds.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

OUR_CHUNK = 500
"""No request is for more than this, whatever the server allows: other clients wait too."""
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Limits:
    """0 is no limit."""

    items_per_call: int = 0
    """Part 5, 6.3.11: MaxMonitoredItemsPerCall."""
    nodes_per_read: int = 0
    nodes_per_browse: int = 0
    paths_per_call: int = 0
    """MaxNodesPerTranslateBrowsePathsToNodeIds."""
    items_per_subscription: int = 0
    items_per_session: int = 0
    subscriptions_per_session: int = 0
    queue_size: int = 0
    """Longest queue of one item."""
    publishing_ms: float = 0.0
    """Shortest publishing interval."""
    sampling_ms: float = 0.0
    """Shortest sampling interval."""

    @property
    def create_size(self) -> int:
        """Items asked for at once."""
        return smaller(self.items_per_call, OUR_CHUNK)

    @property
    def read_size(self) -> int:
        """Values read at once."""
        return smaller(self.nodes_per_read, OUR_CHUNK)

    @property
    def browse_size(self) -> int:
        """Nodes browsed at once."""
        return smaller(self.nodes_per_browse, OUR_CHUNK)

    @property
    def path_size(self) -> int:
        """Browse paths resolved at once."""
        return smaller(self.paths_per_call, OUR_CHUNK)

    def within(self, other: "Limits") -> "Limits":
        """Return what both allow; the shortest intervals are the longer of both."""
        return Limits(
            items_per_call=smaller(self.items_per_call, other.items_per_call),
            nodes_per_read=smaller(self.nodes_per_read, other.nodes_per_read),
            nodes_per_browse=smaller(self.nodes_per_browse, other.nodes_per_browse),
            paths_per_call=smaller(self.paths_per_call, other.paths_per_call),
            items_per_subscription=smaller(
                self.items_per_subscription, other.items_per_subscription
            ),
            items_per_session=smaller(self.items_per_session, other.items_per_session),
            subscriptions_per_session=smaller(
                self.subscriptions_per_session, other.subscriptions_per_session
            ),
            queue_size=smaller(self.queue_size, other.queue_size),
            publishing_ms=max(self.publishing_ms, other.publishing_ms),
            sampling_ms=max(self.sampling_ms, other.sampling_ms),
        )


def smaller(one: int, other: int) -> int:
    """Return the smaller of two limits, 0 being none."""
    return min(one, other) if one and other else one or other


def chunks(of: Sequence[_T], size: int) -> Iterator[Sequence[_T]]:
    """Cut into pieces of ``size`` at most; 0 is one piece."""
    step = size or len(of) or 1
    for start in range(0, len(of), step):
        yield of[start : start + step]
