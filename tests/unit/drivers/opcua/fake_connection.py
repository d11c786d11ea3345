"""A server made of what a test puts in."""

import asyncio
from collections.abc import Sequence

from asyncua.ua import uaerrors

from drivers.contract import DriverError, Rejected
from drivers.opcua.batches import Arrival
from drivers.opcua.limits import Limits
from drivers.opcua.paths import Step
from drivers.opcua.services import Created, Message, Opened, Place, Raw, Wanted
from tests.support.clock import FakeClock


def too_many() -> DriverError:
    """Return the error that a server's BadTooManyOperations becomes."""
    err = Rejected("opc.tcp://plc:4840", "too many operations")
    err.__cause__ = uaerrors.BadTooManyOperations()
    return err


class FakeConnection:
    """Stands where a session with a real server would."""

    endpoint = "opc.tcp://plc:4840"
    keepalive_s = 10.0
    queue_size = 100

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.limits = Limits()
        self.uris = ["", "urn:plc", "urn:late"]
        self.paths: dict[tuple[str, ...], str] = {}
        self.refuses: dict[str, int] = {}
        self.makes: dict[str, tuple[float, int]] = {}
        """Name -> the sampling interval in ms and the queue that an item gets."""
        self.holds: dict[str, object] = {}
        self.opened: list[int] = []
        self.created: list[list[str]] = []
        self.put_in: list[int] = []
        self.deleted: list[int] = []
        self.acknowledged: list[list[tuple[int, int]]] = []
        self.answers: asyncio.Queue[Message | Exception] = asyncio.Queue()
        self.confirms = 0
        self.reads: list[list[str]] = []
        self.handles: dict[str, int] = {}
        self.uri_of: dict[str, str] = {}
        self.create_fails: DriverError | None = None
        self.subscribe_fails: DriverError | None = None
        self.most_items = 0
        """More in one call are too many; 0 is any number, -1 none."""
        self.most_reads = 0
        self.read_fails: DriverError | None = None
        self.read_fails_at = 0
        self.knows_refresh = True
        self.refreshed: list[tuple[int, int]] = []

    def sends(self, sequence: int, **values: int) -> None:
        """Answer a publish request with values by name of the node."""
        self.sends_raw(
            sequence, *(Raw(self.handles[name], value, 0, None) for name, value in values.items())
        )

    def sends_raw(self, sequence: int, *raws: Raw, subscription: int = 1) -> None:
        message = Message(self._arrival(), sequence, raws, subscription=subscription)
        self.answers.put_nowait(message)

    def _arrival(self) -> Arrival:
        return Arrival(self.clock.now(), self.clock.mono_s())

    async def namespaces(self) -> Sequence[str]:
        return self.uris

    async def resolve(self, paths: Sequence[Sequence[Step]]) -> Sequence[Place | None]:
        names = [self.paths.get(tuple(step.name for step in path)) for path in paths]
        return [None if name is None else Place(1, name) for name in names]

    async def subscribe(self) -> Opened:
        if self.subscribe_fails is not None:
            raise self.subscribe_fails
        self.opened.append(len(self.opened) + 1)
        return Opened(self.opened[-1], 500.0, self.keepalive_s)

    async def create(self, subscription: int, wanted: Sequence[Wanted]) -> Sequence[Created]:
        if self.create_fails is not None:
            raise self.create_fails
        if self.most_items and len(wanted) > max(self.most_items, 0):
            raise too_many()
        names = [str(item.place.identifier) for item in wanted]
        self.created.append(names)
        self.put_in.append(subscription)
        for item, name in zip(wanted, names, strict=True):
            self.uri_of[name] = self.uris[item.place.namespace]
            self.handles[name] = item.handle
        return [
            Created(
                self.refuses.get(name, 0),
                1000 + self.handles[name],
                *self.makes.get(name, (0.0, 0)),
            )
            for name in names
        ]

    async def delete(self, subscription: int, item_ids: Sequence[int]) -> None:
        assert subscription in self.opened
        self.deleted += item_ids

    async def refresh(self, subscription: int, item_id: int) -> bool:
        self.refreshed.append((subscription, item_id))
        return self.knows_refresh

    async def publish(self, acknowledged: Sequence[tuple[int, int]]) -> Message:
        self.acknowledged.append(list(acknowledged))
        answer = await self.answers.get()
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def confirm(self, subscriptions: Sequence[int]) -> Arrival:
        assert list(subscriptions) == self.opened
        self.confirms += 1
        return self._arrival()

    async def read(self, places: Sequence[Place], *, cached: bool) -> tuple[list[Raw], Arrival]:
        del cached
        if self.read_fails is not None and len(self.reads) >= self.read_fails_at:
            raise self.read_fails
        if self.most_reads and len(places) > max(self.most_reads, 0):
            raise too_many()
        names = [str(place.identifier) for place in places]
        self.reads.append(names)
        return [Raw(0, self.holds.get(name), 0, None) for name in names], self._arrival()

    async def renew_channel(self) -> None:
        pass
