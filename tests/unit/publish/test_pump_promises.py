"""What the pump promises, whatever a broker does: it answers late, in any order, refuses, ends."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from random import Random
from typing import Any, cast

import orjson
import pytest

from gateway.journal.row import Row
from gateway.ops.mqtt_link import MqttLink
from gateway.ops.mqtt_pending import Pending
from gateway.ops.mqtt_terms import CLOSED, TOO_LARGE, ConnectionLost, Refused
from gateway.publish.counts import Counts
from gateway.publish.mqtt import Connection
from gateway.publish.pump import CURSOR, Pump
from gateway.publish.timing import Timing
from tests.support.fake_journal import FakeJournal
from tests.support.publishing import PLACES, count
from tests.unit.publish.running import running

ROWS = 120
_REFUSALS = (0x87, 0x97, 0x83, 0x90)


class CheckedJournal(FakeJournal):
    """Fails when the cursor passes a row that did not arrive and need not."""

    def __init__(self) -> None:
        super().__init__()
        self.settled: set[int] = set()
        """Confirmed, set aside or local."""

    async def advance(self, cursor: str, seq: int) -> None:
        passed = set(range(self.cursor(cursor) + 1, seq + 1))
        assert passed
        assert passed <= self.settled
        await super().advance(cursor, seq)

    def next_to_leave(self, after: int) -> int | None:
        """Return the first row after ``after`` that is not local."""
        return next((row.seq for row in self.kept[after:] if not row.local), None)


class Line:
    """What of a link is used here; the broker at its end does as chance says."""

    def __init__(self, chance: Random, journal: CheckedJournal) -> None:
        self.receive_maximum = chance.choice((1, 3, 20, 100))
        self._chance = chance
        self._journal = journal
        self._pending = Pending(asyncio.get_running_loop(), 10.0)
        self._waiting: list[tuple[int, int]] = []
        self._newest = 0
        self._gone = False

    def on_published(self, tell: Callable[[Sequence[float]], None]) -> None:
        self._pending.on_published = tell

    def publish(self, _topic: str, payload: bytes, **_more: Any) -> asyncio.Future[None]:
        if self._gone:
            raise ConnectionLost("gone")
        mid, confirmed = self._pending.publish(len(payload))
        seq = int(orjson.loads(payload)["id"].rpartition("-")[2])
        if seq:
            cursor = self._journal.cursor(CURSOR)
            assert seq in map(self._journal.next_to_leave, (cursor, self._newest))
            self._newest = seq
        self._waiting.append((mid, seq))
        assert len(self._waiting) <= self.receive_maximum
        return confirmed

    async def live(self) -> None:
        """Answer some, now and then; return when the connection has ended."""
        chance = self._chance
        while chance.random() > 1 / ROWS:
            await asyncio.sleep(0)
            if chance.random() < 0.1:
                chance.shuffle(self._waiting)
            some = chance.randint(0, len(self._waiting))
            answered, self._waiting = self._waiting[:some], self._waiting[some:]
            self._pending.answer([(mid, self._code(seq)) for mid, seq in answered])
        self._gone = True
        self._pending.fail(ConnectionLost("gone"))

    def _code(self, seq: int) -> int:
        if seq and self._chance.random() < 1 / ROWS:
            return self._chance.choice(_REFUSALS)
        self._journal.settled.add(seq)
        return 0


async def commit(journal: CheckedJournal, chance: Random) -> None:
    for number in range(ROWS):
        local = chance.random() < 0.1
        seqs = journal.commit("press-03", count(number), local=local)
        if local:
            journal.settled.update(seqs)
        if chance.random() < 0.3:
            await asyncio.sleep(0)


async def send_others(connection: Connection) -> None:
    """Take room like the states and the health do."""
    while True:
        with contextlib.suppress(Refused):
            await (await connection.send("x", b'{"id": "other-0"}', retain=True))
        await asyncio.sleep(0)


@pytest.mark.parametrize("seed", range(20))
async def test_all_arrives_in_order_and_the_cursor_passes_nothing_else(seed: int) -> None:
    chance, journal = Random(seed), CheckedJournal()

    async def no_wait(_seconds: float) -> None:
        await asyncio.sleep(0)

    async def set_aside(row: Row, _reason: str) -> None:
        journal.settled.add(row.seq)

    pump = Pump(
        journal,
        PLACES,
        Counts(),
        window=chance.choice((1, 4, 50)),
        max_rate_per_s=1e9,
        timing=Timing(sleep=no_wait),
        set_aside=set_aside,
    )
    async with running(commit(journal, chance)):
        while pump.cursor < ROWS:
            line = Line(chance, journal)
            connection = Connection(cast("MqttLink", line))
            session = (pump.run(connection, journal.head()), send_others(connection))
            async with running(line.live(), pump.reached(ROWS), *session) as tasks:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for error in [task.exception() for task in tasks if not task.cancelled()]:
                assert error is None or causes(error) == {ConnectionLost}
            pump.session_ended(chance.choice((CLOSED, TOO_LARGE, None)))


def causes(error: BaseException) -> set[type[BaseException]]:
    if isinstance(error, BaseExceptionGroup):
        return set().union(*map(causes, error.exceptions))
    return {type(error)}
