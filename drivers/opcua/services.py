"""What the parts of the driver need of an open session, in no library's words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from drivers.opcua.alarms import Notice
from drivers.opcua.batches import Arrival
from drivers.opcua.limits import Limits
from drivers.opcua.nodes import Identifier
from drivers.opcua.paths import Step


class Raw(NamedTuple):
    """One value as the server sent it; a tuple, since there are thousands a second."""

    handle: int
    value: object
    status: int
    source_at: datetime | None


@dataclass(frozen=True, slots=True)
class Message:
    """One answer to a publish request. Neither values nor notices: a sign of life."""

    arrived: Arrival
    sequence: int
    """Without values it means nothing: not every server puts there what it should."""
    raws: Sequence[Raw] = ()
    skipped: int = 0
    """Messages of the same subscription missing before this one."""
    subscription: int = 0
    notices: Sequence[tuple[int, Notice]] = ()
    """What happened to conditions: handle of the item, and what."""

    @property
    def tells(self) -> bool:
        """Whether there is anything in it that must be acknowledged."""
        return bool(self.raws or self.notices)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a node is in this session: the index of its namespace, and its identifier."""

    namespace: int
    identifier: Identifier


@dataclass(frozen=True, slots=True)
class Wanted:
    """An item to create: ``handle`` is ours and comes back with each value."""

    key: str
    handle: int
    place: Place
    sampling_ms: float = 0.0
    conditions: bool = False
    """The events of the node are wanted, not its value."""


@dataclass(frozen=True, slots=True)
class Created:
    """What the server made of a wanted item."""

    status: int
    item_id: int
    sampling_ms: float = 0.0
    queue_size: int = 0


@dataclass(frozen=True, slots=True)
class Opened:
    """What the server made of a subscription."""

    subscription: int
    publishing_ms: float
    keepalive_s: float
    """The longest silence the server itself has promised."""


@dataclass(frozen=True, slots=True)
class Revised:
    """What the server made of a wish."""

    setting: str
    asked: float
    got: float

    def __str__(self) -> str:
        return f"the server makes {self.setting} {self.got:g}, not {self.asked:g}"


class Connection(Protocol):
    """An open session without a subscription. All raise DriverError."""

    @property
    def endpoint(self) -> str:
        """For people."""
        ...

    @property
    def limits(self) -> Limits:
        """What the server and its brand allow."""
        ...

    @property
    def queue_size(self) -> int:
        """The length of a queue that items are asked for with."""
        ...

    async def namespaces(self) -> Sequence[str]:
        """Return the URIs, by index, as they are now."""
        ...

    async def resolve(self, paths: Sequence[Sequence[Step]]) -> Sequence[Place | None]:
        """Return where browse paths from the Objects folder lead; None: nowhere, or to many."""
        ...

    async def subscribe(self) -> Opened:
        """Create a subscription."""
        ...

    async def create(self, subscription: int, wanted: Sequence[Wanted]) -> Sequence[Created]:
        """Create items; one result each, in order."""
        ...

    async def delete(self, subscription: int, item_ids: Sequence[int]) -> None:
        """Delete items; one that is gone already is no error."""
        ...

    async def refresh(self, subscription: int, item_id: int) -> bool:
        """Ask for all conditions there are; False if the server cannot tell."""
        ...

    async def publish(self, acknowledged: Sequence[tuple[int, int]]) -> Message:
        """Say what may be forgotten (subscription, number); wait for the next message."""
        ...

    async def confirm(self, subscriptions: Sequence[int]) -> Arrival:
        """Return when the server confirmed that it still has them; any answer if none."""
        ...

    async def read(self, places: Sequence[Place], *, cached: bool) -> tuple[list[Raw], Arrival]:
        """Return the present values in order, in one request; their handles mean nothing.

        ``cached``: what the server holds will do, no device behind it need be asked.
        """
        ...

    async def renew_channel(self) -> None:
        """Renew what expires, if it is time."""
        ...
