"""The nodes that are wanted against the items the server has, and what is read instead.

Promises:

- A node the server refuses, or says is gone, is asked for again after
  ``retry_refused_s``, beside the others and without a change to them.
- Namespaces and browse paths are looked up anew whenever items are asked for.
- Requests stay within the limits of the server and its brand, one after the other; a piece
  the server finds too big is halved.
- What there is no room for is left to polling where that is allowed, and only that.
"""

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from drivers.contract import DriverError
from drivers.opcua.convert import cause_of, is_bad
from drivers.opcua.errors import cannot_subscribe, too_many_at_once
from drivers.opcua.limits import chunks, smaller
from drivers.opcua.lookup import look_up
from drivers.opcua.nodes import NodeRef
from drivers.opcua.paths import PathRef
from drivers.opcua.services import Connection, Created, Opened, Place, Raw, Revised, Wanted

NO_ROOM = frozenset({0x80DB_0000, 0x8077_0000, 0x800B_0000})
"""BadTooManyMonitoredItems, BadTooManySubscriptions, BadServiceUnsupported."""
_CODE = 0xFFFF_0000


@dataclass(frozen=True, slots=True)
class Target:
    """What is wanted of one tag."""

    node: NodeRef | PathRef
    sampling_ms: float = 0.0
    slowest_ms: float = 0.0
    """A server that samples less often than this is worth a word."""
    conditions: bool = False
    """The active conditions of the node, not its value."""


@dataclass(slots=True)
class _Server:
    """A subscription on the server and how full it is."""

    opened: Opened
    items: int = 0


@dataclass(frozen=True, slots=True)
class _Item:
    subscription: int
    item_id: int
    handle: int


class Items:
    """What is wanted, and what became of it."""

    def __init__(
        self,
        connection: Connection,
        targets: Mapping[str, Target],
        *,
        retry_refused_s: float,
        monotonic: Callable[[], float],
        may_subscribe: bool = True,
        may_poll: bool = False,
    ) -> None:
        """``may_poll``: what finds no room is left in `polled`.

        Without ``may_subscribe`` all values are, and only conditions are watched.
        """
        self._connection = connection
        self._targets = targets
        self._retry_refused_s = retry_refused_s
        self._monotonic = monotonic
        self._full = False
        self._may_subscribe = may_subscribe
        self._may_poll = may_poll
        self._handles = itertools.count(1)
        self._key_of: dict[int, str] = {}
        self._item_of: dict[str, _Item] = {}
        self._servers: list[_Server] = []
        self._unheard: set[str] = set()
        self._retry_at_s = monotonic() + retry_refused_s
        self._create_size = connection.limits.create_size
        self.refused: dict[str, str] = {}
        """Tags without an item, or whose node is gone -> cause."""
        self.polled: dict[str, Place] = {}
        """Tags to be read in turn -> where."""
        self.last: dict[str, Raw] = {}
        """Tags -> what the server said of them last."""
        self.places: dict[str, Place] = {}
        """Tags with an item -> where."""
        self.new_conditions: list[str] = []
        """Tags whose conditions nobody has asked for since their item was made."""
        self.revised: dict[str, Revised] = {}
        """What the server made of our wishes, by setting, where it differs."""

    @property
    def subscriptions(self) -> Sequence[Opened]:
        """The subscriptions there are."""
        return [server.opened for server in self._servers]

    @property
    def awaits_first_values(self) -> bool:
        """Whether an item exists whose first value has not come yet."""
        return bool(self._unheard)

    def key_of(self, handle: int) -> str | None:
        """Return the tag a value belongs to; None if its item was replaced meanwhile."""
        return self._key_of.get(handle)

    def counts(self) -> Sequence[int]:
        """Return how many items each subscription has."""
        return [server.items for server in self._servers]

    async def start(self) -> None:
        """Ask for every node. Raises DriverError where the server takes no subscription."""
        if self._may_subscribe or any(one.conditions for one in self._targets.values()):
            await self._room()
        await self.want(sorted(self._targets))

    async def retry(self) -> None:
        """Ask for what was refused and for what has no item for whatever reason, if it is time."""
        if self._monotonic() < self._retry_at_s:
            return
        self._retry_at_s = self._monotonic() + self._retry_refused_s
        nowhere = self._targets.keys() - self._item_of.keys() - self.polled.keys()
        if nowhere or self.refused:
            await self.replace(sorted(nowhere | self.refused.keys()))

    async def replace(self, keys: Sequence[str]) -> None:
        """Delete what there is of these tags and ask for them anew."""
        gone = {key: self._item_of.pop(key) for key in keys if key in self._item_of}
        for key, item in gone.items():
            self._key_of.pop(item.handle, None)
            self._unheard.discard(key)
            self.places.pop(key, None)
            self.last.pop(key, None)
        for server in self._servers:
            number = server.opened.subscription
            ids = [item.item_id for item in gone.values() if item.subscription == number]
            server.items -= len(ids)
            for piece in chunks(ids, self._create_size):
                await self._connection.delete(number, piece)
        await self.want(keys)

    async def want(self, keys: Sequence[str]) -> None:
        """Look the nodes up and ask for items, or leave them to polling."""
        places = await look_up(self._connection, {key: self._targets[key].node for key in keys})
        for key in keys:
            if key not in places:
                self.refused[key] = "missing_node"
        wanted = [self._wanted(key, place) for key, place in places.items()]
        wanted.sort(key=lambda item: not item.conditions)  # alarms cannot be polled
        if not self._may_subscribe:
            self._leave_to_polling([item for item in wanted if not item.conditions])
            wanted = [item for item in wanted if item.conditions]
        while wanted:
            server = None if self._full else await self._room()
            if server is None:
                self._leave_to_polling(wanted)
                return
            size = smaller(self._create_size, self._left(server))
            done = await self._create(server, wanted[:size])
            wanted = wanted[done:]

    def note(self, raws: Iterable[Raw]) -> None:
        """Take in what the server says of its items."""
        for raw in raws:
            key = self._key_of.get(raw.handle)
            if key is None:
                continue
            self.last[key] = raw
            gone = is_bad(raw.status) and _is_missing(raw.status)
            if gone or self._unheard or self.refused:
                self._hear(key, gone=gone)

    def hear(self, key: str) -> None:
        """Take in that a tag has a value now that its item did not send as one."""
        self._hear(key, gone=False)

    def subscription_of(self, key: str) -> tuple[int, int] | None:
        """Return the numbers of the subscription and the item of a tag."""
        item = self._item_of.get(key)
        return None if item is None else (item.subscription, item.item_id)

    def _wanted(self, key: str, place: Place) -> Wanted:
        target = self._targets[key]
        return Wanted(key, next(self._handles), place, target.sampling_ms, target.conditions)

    def _hear(self, key: str, *, gone: bool) -> None:
        self._unheard.discard(key)
        if gone:
            self.refused[key] = "missing_node"
        elif self.refused:
            self.refused.pop(key, None)

    async def _room(self) -> _Server | None:
        """Return a subscription that takes another item, a new one if need be."""
        limits = self._connection.limits
        held = sum(server.items for server in self._servers)
        if limits.items_per_session and held >= limits.items_per_session:
            return None
        for server in self._servers:
            if not limits.items_per_subscription or self._left(server) > 0:
                return server
        most = limits.subscriptions_per_session
        if most and len(self._servers) >= most:
            return None
        try:
            opened = await self._connection.subscribe()
        except DriverError as err:
            if not (self._may_poll or self._servers) or not cannot_subscribe(err):
                raise
            self._full = True
            return None
        self._servers.append(_Server(opened))
        return self._servers[-1]

    def _left(self, server: _Server) -> int:
        """How many items more a subscription takes; 0 if nothing limits it."""
        limits = self._connection.limits
        left = limits.items_per_subscription and limits.items_per_subscription - server.items
        if not limits.items_per_session:
            return left
        held = sum(one.items for one in self._servers)
        return smaller(left, limits.items_per_session - held)

    async def _create(self, server: _Server, wanted: Sequence[Wanted]) -> int:
        """Ask for a piece; return how many of it are settled."""
        number = server.opened.subscription
        try:
            results = await self._connection.create(number, wanted)
        except DriverError as err:
            if too_many_at_once(err) and len(wanted) > 1:
                self._create_size = len(wanted) // 2
                return 0
            if not self._may_poll or not cannot_subscribe(err):
                raise
            self._leave_to_polling(wanted)
            return len(wanted)
        for item, created in zip(wanted, results, strict=True):
            self._settle(server, item, created)
        return len(wanted)

    def _settle(self, server: _Server, item: Wanted, created: Created) -> None:
        if is_bad(created.status):
            if self._may_poll and created.status & _CODE in NO_ROOM:
                self._leave_to_polling([item])
            else:
                self.refused[item.key] = cause_of(created.status)
            return
        server.items += 1
        self._key_of[item.handle] = item.key
        number = server.opened.subscription
        self._item_of[item.key] = _Item(number, created.item_id, item.handle)
        self.refused.pop(item.key, None)
        self._unheard.add(item.key)
        if item.conditions:
            self.new_conditions.append(item.key)
        else:
            self.places[item.key] = item.place
            self._note_revision(item, created)

    def _note_revision(self, item: Wanted, created: Created) -> None:
        if created.sampling_ms > self._targets[item.key].slowest_ms:
            self._revise("sampling_interval_ms", item.sampling_ms, created.sampling_ms)
        asked = self._connection.queue_size
        if 0 < created.queue_size < asked:
            self._revise("queue_size", asked, created.queue_size)

    def _revise(self, setting: str, asked: float, got: float) -> None:
        self.revised[setting] = Revised(setting, asked, got)

    def _leave_to_polling(self, wanted: Sequence[Wanted]) -> None:
        for item in wanted:
            if item.conditions or not self._may_poll:
                self.refused[item.key] = "device_refused" if item.conditions else "device_busy"
            else:
                self.refused.pop(item.key, None)
                self.polled[item.key] = item.place


def _is_missing(status: int) -> bool:
    return cause_of(status) == "missing_node"
