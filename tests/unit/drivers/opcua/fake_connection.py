"""A server made of what a test puts in."""

import asyncio
from collections.abc import Sequence

from drivers.contract import DriverError
from drivers.opcua.batches import Arrival
from drivers.opcua.subscription import Created, Message, Raw, Wanted
from tests.support.clock import FakeClock


class FakeConnection:
    """Stands where a session with a real server would."""

    endpoint = "opc.tcp://plc:4840"
    keepalive_s = 10.0
    max_items_per_call = 0

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.uris = ["", "urn:plc", "urn:late"]
        self.refuses: dict[str, int] = {}
        self.created: list[list[str]] = []
        self.deleted: list[int] = []
        self.acknowledged: list[list[int]] = []
        self.answers: asyncio.Queue[Message | Exception] = asyncio.Queue()
        self.confirms = 0
        self.handles: dict[str, int] = {}
        self.uri_of: dict[str, str] = {}
        self.create_fails: DriverError | None = None

    def sends(self, sequence: int, **values: int) -> None:
        """Answer a publish request with values by name of the node."""
        self.sends_raw(
            sequence, *(Raw(self.handles[name], value, 0, None) for name, value in values.items())
        )

    def sends_raw(self, sequence: int, *raws: Raw) -> None:
        self.answers.put_nowait(Message(self._arrival(), sequence, raws))

    def _arrival(self) -> Arrival:
        return Arrival(self.clock.now(), self.clock.mono_s())

    async def namespaces(self) -> Sequence[str]:
        return self.uris

    async def create(self, wanted: Sequence[Wanted]) -> Sequence[Created]:
        if self.create_fails is not None:
            raise self.create_fails
        names = [str(item.identifier) for item in wanted]
        self.created.append(names)
        for item, name in zip(wanted, names, strict=True):
            self.uri_of[name] = self.uris[item.namespace]
            self.handles[name] = item.handle
        return [Created(self.refuses.get(name, 0), 1000 + self.handles[name]) for name in names]

    async def delete(self, item_ids: Sequence[int]) -> None:
        self.deleted += item_ids

    async def publish(self, acknowledged: Sequence[int]) -> Message:
        self.acknowledged.append(list(acknowledged))
        answer = await self.answers.get()
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def confirm(self) -> Arrival:
        self.confirms += 1
        return self._arrival()

    async def renew_channel(self) -> None:
        pass
